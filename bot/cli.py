"""The command line. Each command imports only what it needs, so that `content check` starts without a database."""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot import logs
from bot.commands import caseload_line, monitoring_options
from bot.errors import ContentError, SecondProcessError, SettingsError, StoreUnavailableError, WegwijsError
from bot.roles import Role

Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code. Known errors are one clear line each, without a trace."""
    # Before numpy loads: several messages are understood side by side, and threads inside one wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = _parser()
    options = parser.parse_args(arguments)
    logs.configure()
    try:
        return int(options.run(options))
    except (ContentError, SettingsError) as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
    except SecondProcessError as error:
        print(error, file=sys.stderr)
    except StoreUnavailableError as error:
        print(f"the database can't be used ({error}); check WEGWIJS_DATABASE_URL", file=sys.stderr)
    except WegwijsError as error:
        print(error, file=sys.stderr)
    except _unforeseen() as error:
        print(f"can't start: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _unforeseen() -> tuple[type[Exception], ...]:
    """Asked only when there is an error: the process that understands starts before the database's library loads."""
    from sqlalchemy.exc import SQLAlchemyError

    return OSError, SQLAlchemyError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wegwijs", description="Checked answers for newcomers, or a person.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = _add(commands, "serve", _serve, "web and worker in one process")
    serve.add_argument("--demo", action="store_true", help="load a small made-up population first")
    _add(commands, "worker", _worker, "a worker alone (PostgreSQL)")
    chat = _add(commands, "chat", _chat, "talk to the service in the terminal")
    chat.add_argument("--language", choices=("nl", "en", "ar"))
    ask = _add(commands, "ask", _ask, "understand a file of messages")
    ask.add_argument("--input", type=Path, required=True)
    ask.add_argument("--output", type=Path, required=True)
    ask.add_argument("--content", type=Path)
    ask.add_argument("--why", action="store_true", help="say what carried each decision")
    evaluate = _add(commands, "evaluate", _evaluate, "measure the answering on a labelled file")
    evaluate.add_argument("file", type=Path)
    evaluate.add_argument("--content", type=Path)
    evaluate.add_argument("--json", action="store_true")
    evaluate.add_argument("--hurry", action="store_true", help="as when many wait: the slow encoder only for danger")
    _add_content(commands)
    _add(commands, "surveys", _surveys, "rights on answers, as SQL").add_argument("what", choices=["grants"])
    keys = _add(commands, "keys", _keys, "keys that encrypt addresses: new ones, or everything sealed anew")
    keys.add_argument("what", choices=("new", "rotate"))
    keys.add_argument("--new-hash-key", action="store_true", help="with rotate: also a new WEGWIJS_HASH_KEY")
    copy = _add(commands, "backup", _backup, "copy the database while the service works")
    copy.add_argument("--folder", type=Path, default=Path("backups"), help="where to (default: backups)")
    back = _add(commands, "restore", _restore, "put a copy back; stop the service first")
    back.add_argument("file", type=Path)
    back.add_argument("--replace", action="store_true", help="in place of a database that is not empty")
    closing = _add(commands, "close", _close, "close the service for a while: only people in danger are answered")
    closing.add_argument("--until", type=_moment, required=True, help="2026-12-28T09:00, in Dutch time")
    _add(commands, "open", _open, "open the service again")
    _add(commands, "doctor", _doctor, "look at settings, keys, content, database, channels and clock")
    _add_accounts(commands)
    database = _add(commands, "database", _database, "tables by their owner; a role that can't change the audit log")
    database.add_argument("what", choices=("upgrade", "roles"))
    database.add_argument("--role", default="wegwijs_app", help="with roles: the service's own")
    telegram = _add(commands, "telegram", _telegram, "set up the bot at Telegram")
    telegram.add_argument("what", choices=("set-webhook", "set-commands"))
    monitoring = commands.add_parser("monitoring", help="figures for researchers")
    monitoring_options.add(monitoring.add_subparsers(required=True, metavar="WHAT"), _monitoring)
    caseload_line.add_to(commands)
    bench = _add(commands, "bench", _bench, "measure speed as ratios to a no-op endpoint")
    bench.add_argument("--seconds", type=float, default=3.0, help="length of each measurement")
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _add_content(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    content = commands.add_parser("content", help="check and look at the texts")
    what = content.add_subparsers(required=True, metavar="WHAT")
    check = _add(what, "check", _content_check, "every rule on the content")
    check.add_argument("--content", type=Path)
    _add(what, "to-confirm", _content_to_confirm, "what only the municipality knows, as docs/to-confirm.md")
    preview = _add(what, "preview", _content_preview, "an answer as each channel shows it")
    preview.add_argument("topic")
    preview.add_argument("--language", choices=("nl", "en", "ar"), default="nl")
    preview.add_argument("--content", type=Path)
    vectors = _add(what, "vectors", _content_vectors, "vectors of the example questions, shipped beside the content")
    vectors.add_argument("--content", type=Path)
    lag = _add(what, "lag", _content_lag, "translations to compare, beside the Dutch of now")
    lag.add_argument("--content", type=Path)
    stamp = _add(what, "stamp", _content_stamp, "translations were compared with the Dutch of now")
    stamp.add_argument("topics", nargs="*", metavar="TOPIC", help="all topics, when none is named")
    stamp.add_argument("--content", type=Path)
    export = _add(what, "export", _content_export, "all answers side by side, as one page to open or send")
    export.add_argument("--output", type=Path, required=True, metavar="FILE.html")
    export.add_argument("--language", choices=("nl", "en"), default="nl", help="of the labels")
    export.add_argument("--content", type=Path)


def _add_accounts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    accounts = commands.add_parser("accounts", help="who may log in, and what each may do")
    what = accounts.add_subparsers(required=True, metavar="WHAT", dest="what")
    add = _add(what, "add", _accounts, "a new account; prints a password for one login")
    add.add_argument("login", help="a work e-mail address or a short name")
    add.add_argument("--name", required=True, help="as colleagues see it")
    roles = _add(what, "roles", _accounts, "other roles")
    roles.add_argument("login")
    for parser in (add, roles):
        parser.add_argument(
            "--role", action="append", required=True, type=Role, choices=list(Role), help="once for each"
        )
        parser.add_argument("--actor", default="", metavar="CODE", help="the klantregisseur of the caseload")
    _add(what, "list", _accounts, "everybody")
    for name, text in (
        ("reset-password", "another password for one login"),
        ("reset-totp", "start the second step anew"),
        ("disable", "switch an account off"),
        ("enable", "switch an account on"),
    ):
        _add(what, name, _accounts, text).add_argument("login")


def _database(options: argparse.Namespace) -> int:
    from bot.commands.database import print_roles, upgrade_tables
    from bot.settings import load_settings

    return print_roles(options.role) if options.what == "roles" else upgrade_tables(load_settings())


def _accounts(options: argparse.Namespace) -> int:
    from bot.commands.accounts import run
    from bot.settings import load_settings

    return run(options, load_settings())


def _serve(options: argparse.Namespace) -> int:
    gc.disable()  # what is made at start stays: looking for garbage took a tenth of it; `settle` turns it on again
    from bot.commands.serve import serve

    return serve(demo=options.demo)


def _worker(_: argparse.Namespace) -> int:
    gc.disable()  # as in `_serve`
    from bot.commands.work import work

    return work()


def _chat(options: argparse.Namespace) -> int:
    import asyncio

    from bot.commands.chat import chat
    from bot.service import build
    from bot.settings import load_settings

    async def talk() -> int:
        service = build(load_settings())
        try:
            return await chat(service, options.language)
        finally:
            await service.close()

    logging.getLogger().setLevel(logging.WARNING)
    return asyncio.run(talk())


def _folders(options: argparse.Namespace) -> tuple[Path, Path]:
    from bot.settings import load_settings

    settings = load_settings()
    return options.content or settings.content_dir, settings.data_dir / "models"


def _ask(options: argparse.Namespace) -> int:
    from bot.commands.ask import ask

    return ask(options.input, options.output, *_folders(options), why=options.why)


def _evaluate(options: argparse.Namespace) -> int:
    from bot.commands.evaluate import evaluate

    return evaluate(options.file, *_folders(options), as_json=options.json, hurry=options.hurry)


def _content_check(options: argparse.Namespace) -> int:
    from bot.commands.content import check
    from bot.settings import ROOT

    return check(options.content or ROOT / "content")


def _content_preview(options: argparse.Namespace) -> int:
    from bot.commands.content import preview
    from bot.settings import ROOT

    return preview(options.content or ROOT / "content", options.topic, options.language)


def _content_to_confirm(_: argparse.Namespace) -> int:
    from bot.commands.content import to_confirm
    from bot.settings import ROOT

    print(to_confirm(ROOT / "content"), end="")
    return 0


def _content_vectors(options: argparse.Namespace) -> int:
    from bot.commands.vectors import write

    return write(*_folders(options))


def _content_lag(options: argparse.Namespace) -> int:
    from bot.commands.translations import lag
    from bot.settings import ROOT

    return lag(options.content or ROOT / "content")


def _content_stamp(options: argparse.Namespace) -> int:
    from bot.commands.translations import stamp
    from bot.settings import ROOT

    return stamp(options.content or ROOT / "content", options.topics)


def _content_export(options: argparse.Namespace) -> int:
    from bot.content.load import read_content
    from bot.settings import ROOT

    content, reader = read_content(options.content or ROOT / "content")
    if reader.faults:
        raise ContentError(sorted(reader.faults))
    pages = importlib.import_module("webhooks.content_pages")  # by name: this module stands below the web
    options.output.write_text(pages.export(content, options.language), encoding="utf-8")
    print(f"{len(content.topics)} answers in {options.output}")
    return 0


def _surveys(_: argparse.Namespace) -> int:
    from bot.commands.grants import grants

    return grants()


def _keys(options: argparse.Namespace) -> int:
    from bot.development_keys import new_keys
    from bot.settings import load_settings

    if options.what == "rotate":
        from bot.commands.operate import rotate_keys

        return rotate_keys(load_settings(), new_hash_key=options.new_hash_key)
    keys = new_keys()
    print("\n".join(f"WEGWIJS_{name.upper()}={key}" for name, key in keys.items()))
    return 0


def _backup(options: argparse.Namespace) -> int:
    from bot.commands.operate import make_backup
    from bot.settings import load_settings

    return make_backup(load_settings(), options.folder)


def _restore(options: argparse.Namespace) -> int:
    from bot.commands.operate import restore
    from bot.settings import load_settings

    return restore(load_settings(), options.file, replace=options.replace)


def _moment(text: str) -> datetime:
    from bot.locales import AMSTERDAM

    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)


def _close(options: argparse.Namespace) -> int:
    from bot.commands.operate import close_service
    from bot.settings import load_settings

    return close_service(load_settings(), options.until)


def _open(_: argparse.Namespace) -> int:
    from bot.commands.operate import close_service
    from bot.settings import load_settings

    return close_service(load_settings(), None)


def _doctor(_: argparse.Namespace) -> int:
    from bot.commands.operate import examine, refuse
    from bot.settings import load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        return refuse(error)
    return examine(settings)


def _telegram(options: argparse.Namespace) -> int:
    import asyncio

    from bot.commands.telegram import run
    from bot.settings import load_settings

    return asyncio.run(run(options.what, load_settings()))


def _monitoring(options: argparse.Namespace) -> int:
    from bot.settings import ROOT

    if options.what == "quarter":
        from bot.commands.quarter import quarter

        return quarter(options, ROOT / "content")
    from bot.commands import monitoring

    what = {"report": monitoring.report, "export": monitoring.export}[options.what]
    return what(options, ROOT / "content")


def _bench(options: argparse.Namespace) -> int:
    from bot.commands.bench import bench

    return bench(options.seconds)


if __name__ == "__main__":
    sys.exit(main())
