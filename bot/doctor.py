"""Looks at everything that must be right before and while the service runs, and says what to mend.

Each check is a function that gives findings. Nothing here changes anything, and nothing it prints names a person.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from bot import content as texts
from bot import retention
from bot.backup import revision_of
from bot.content import Content
from bot.doctor_templates import check_templates
from bot.errors import ContentError
from bot.findings import Finding, bad, good, warn
from bot.identifiers import SealError, Vault
from bot.locales import AMSTERDAM
from bot.settings import Settings
from bot.storage.migrate import config
from bot.storage.models import AddressRow, InboxRow, LaneState, OutboxRow
from bot.storage.store import READ_ONLY, make_engine

FREE = 1_000_000_000  # bytes on the disk of the database: less is a warning
DRIFT = timedelta(seconds=5)  # between this clock and the database's or the platform's
WAITS = timedelta(minutes=5)
SOON = timedelta(days=14)
RETENTION = timedelta(hours=3)  # the job runs every hour
SECONDS = 10.0  # for a platform to answer


def examine(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Everything, area by area. A check that breaks is a finding too, and the others go on.

    `clock` is asked by each check: reading the content before it can take seconds, and clocks are compared here.
    """
    engine = make_engine(settings.store_url)
    checks: list[Callable[[], Iterator[Finding]]] = [
        lambda: _settings(settings),
        lambda: _content(settings, clock().astimezone(AMSTERDAM).date()),
        lambda: _model(settings),
        lambda: _database(settings, engine, clock),
        lambda: _telegram(settings, clock),
        lambda: _whatsapp(settings, clock),
        lambda: check_templates(settings),
    ]
    for check in checks:
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001  # the others must be told too
            yield bad("doctor", f"a check broke ({type(error).__name__})", "please report it, with what was printed")
    engine.dispose()


def _settings(settings: Settings) -> Iterator[Finding]:
    yield good("settings", f"read, for {settings.environment}")
    if not settings.is_production:
        yield warn("settings", "this is no production", "set WEGWIJS_ENVIRONMENT=production where people use it")
    if not settings.has_own_keys:
        yield warn("keys", "made for development and kept in the data folder", "`wegwijs keys new`, for production")
    elif len(settings.fernet_keys) > 1:
        what = f"{len(settings.fernet_keys)} keys: the first seals"
        yield warn("keys", what, "`wegwijs keys rotate`, then take the old ones out of WEGWIJS_SECRET_KEYS")
    else:
        yield good("keys", "one key")
    parts = ("telegram", "whatsapp", "desk", "surveys")
    off = [name for name in parts if not getattr(settings, name)]
    if off:
        yield warn("settings", f"switched off: {', '.join(off)}", "WEGWIJS_<NAME>=true and a restart switch it on")
    if not (settings.has_telegram or settings.has_whatsapp):
        yield warn("channels", "neither Telegram nor WhatsApp is set up", "README, 'Connect a real bot'")


def _content(settings: Settings, today: date) -> Iterator[Finding]:
    try:
        content = texts.load(settings.content_dir)
    except ContentError as error:
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        yield bad(
            "content", f"{error.faults[0]}{more}", "`wegwijs content check` tells all; mend them in WEGWIJS_CONTENT_DIR"
        )
        return
    yield good("content", f"{len(content.topics)} topics")
    withheld = [topic for topic in content.topics if content.is_withheld(topic, today)]
    if withheld:
        dates = "checked_on, review_by and withhold_after, in topics.yaml and of their figures in figures/"
        mend = f"/desk/content lists them: check their sources, then move {dates}"
        yield bad("content", f"{len(withheld)} answers are past their date and withheld: {_some(withheld)}", mend)
    soon = _due_soon(content, today)
    if soon:
        yield warn("content", f"{len(soon)} answers are due for review within 14 days: {_some(soon)}", "plan it")
    drafts = [key for key, topic in content.topics.items() if topic.status != "confirmed"]
    if drafts:
        what = f"{len(drafts)} of {len(content.topics)} answers are not confirmed by the municipality"
        yield warn("content", what, "docs/to-confirm.md; then status: confirmed in content/topics.yaml")


def _due_soon(content: Content, today: date) -> list[str]:
    return [key for key, topic in content.topics.items() if today <= topic.review_by < today + SOON]


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def _model(settings: Settings) -> Iterator[Finding]:
    from bot.understanding.model import model_path  # noqa: PLC0415  # numpy is not needed for the other checks

    if model_path(settings.content_dir, settings.data_dir / "models").exists():
        yield good("understanding", "fitted to this content")
    else:
        yield warn("understanding", "not fitted to this content yet", "the next start does it and takes longer")


_ADDRESS = "check host, port, user and password in WEGWIJS_DATABASE_URL"
_DATABASE = {
    "Connection refused": "start PostgreSQL there, or correct host and port in WEGWIJS_DATABASE_URL",
    "password authentication failed": "correct user and password in WEGWIJS_DATABASE_URL",
    "does not exist": "make it (CREATE DATABASE … OWNER …), or correct the end of WEGWIJS_DATABASE_URL",
    "permission denied": "the owner of the tables runs what `wegwijs database roles` prints (docs/accounts.md)",
}


def _database(settings: Settings, engine: Engine, clock: Callable[[], datetime]) -> Iterator[Finding]:
    path = Path(engine.url.database or "")
    if engine.dialect.name == "sqlite":
        if not path.exists():
            yield warn("database", f"there is none at {path} yet", "the first start makes it")
            return
        free = shutil.disk_usage(path.parent).free
        if free < FREE:
            yield bad("disk", f"{free // 1_000_000} MB free", "make room: a full disk refuses every message")
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            yield from _inside(connection, settings, clock)
    except sa.exc.SQLAlchemyError as error:
        words = str(getattr(error, "orig", "")).strip().splitlines()  # the driver's: never a password
        said = f": {words[0].removeprefix('connection failed: ')}" if words else ""
        what = f"can't be used ({type(error).__name__}){said}"
        yield bad("database", what, next((mend for part, mend in _DATABASE.items() if part in said), _ADDRESS))


def _inside(connection: Connection, settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    revision, head = revision_of(connection), ScriptDirectory.from_config(config()).get_current_head()
    if revision != head:
        yield warn("database", f"at revision {revision or 'none'}, the code at {head}", "the next start upgrades it")
        return
    yield good("database", f"{connection.dialect.name}, revision {revision}")
    if connection.dialect.name == "postgresql":
        theirs = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        yield from _clock("the database's", theirs, clock())
    yield from _seals(connection, settings)
    yield from _retention(connection, clock())
    yield from _queues(connection, clock())


def _retention(connection: Connection, now: datetime) -> Iterator[Finding]:
    ran_at = retention.done(connection).at
    if ran_at is None or now - ran_at > RETENTION:
        said = f"last on {ran_at:%d-%m-%Y}" if ran_at else "never"
        yield warn("retention", f"what is past its time was deleted {said}", "is a worker running? /desk/retention")
    else:
        yield good("retention", "what is past its time is deleted")


def _seals(connection: Connection, settings: Settings) -> Iterator[Finding]:
    sealed = connection.execute(
        sa.select(AddressRow.sealed).order_by(AddressRow.id.desc()).limit(1)
    ).scalar_one_or_none()
    if sealed is None:
        return
    vault = Vault(settings.fernet_keys, settings.hash_key)
    try:
        address = vault.open(sealed)
    except SealError:
        yield bad(
            "keys", "the newest address can't be opened", "put the key it was sealed with into WEGWIJS_SECRET_KEYS"
        )
        return
    known = sa.or_(AddressRow.lookup.in_(vault.lookups(address)), AddressRow.bsuid_lookup.in_(vault.lookups(address)))
    if connection.execute(sa.select(AddressRow.id).where(known).limit(1)).first() is None:
        mend = "use the WEGWIJS_HASH_KEY of before, or `wegwijs keys rotate --new-hash-key`"
        yield bad("keys", "people are not found again: the hash key is another one", mend)
    else:
        yield good("keys", "addresses open, and are found")


def _queues(connection: Connection, now: datetime) -> Iterator[Finding]:
    oldest = connection.execute(
        sa.select(sa.func.min(InboxRow.due_at)).where(InboxRow.state < sa.literal_column("2"))
    ).scalar_one()
    if oldest is not None and now - oldest > WAITS:
        minutes = round((now - oldest) / timedelta(minutes=1))
        yield bad("queues", f"a message waits for {minutes} minutes", "is the service running? `/health/ready` tells")
    for state, what in ((LaneState.UNKNOWN, "may or may not have arrived"), (LaneState.DEAD, "could not be sent")):
        query = sa.select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.state == state)
        number = connection.execute(query).scalar_one()
        if number:
            yield warn("queues", f"{number} messages {what}", "they are listed at the desk, under 'Went wrong'")


def _clock(whose: str, theirs: datetime, now: datetime) -> Iterator[Finding]:
    apart = abs(theirs - now)
    if apart > DRIFT:
        yield bad("clock", f"{round(apart.total_seconds())} s from {whose}", "turn on NTP (timedatectl set-ntp true)")
    else:
        yield good("clock", f"agrees with {whose}")


def _telegram(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    if not settings.has_telegram:
        return
    url = f"{settings.telegram_api_url}/bot{settings.telegram_token}/getWebhookInfo"
    try:
        answer = httpx.post(url, timeout=SECONDS)
        body: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:  # never printed whole: the address holds the token
        yield bad("Telegram", f"not reached ({type(error).__name__})", "is https to api.telegram.org open?")
        return
    if not body.get("ok"):
        what = f"refused: {body.get('description', answer.status_code)}"
        yield bad("Telegram", what, "is WEGWIJS_TELEGRAM_TOKEN the token of @BotFather?")
        return
    now = clock()
    yield from _webhook(body["result"], settings, now)
    yield from _their_clock("Telegram's", answer, now)


def _webhook(info: dict[str, Any], settings: Settings, now: datetime) -> Iterator[Finding]:
    wanted = f"{settings.public_base_url.rstrip('/')}/telegram"
    if info.get("url") != wanted:
        what = f"the webhook is {info.get('url') or 'not set'}, not {wanted}"
        yield bad("Telegram", what, "`wegwijs telegram set-webhook`")
    else:
        yield good("Telegram", "the webhook is set")
    failed = datetime.fromtimestamp(info.get("last_error_date") or 0, UTC)
    if now - failed < timedelta(hours=1):
        what = f"its last delivery failed: {info.get('last_error_message', '')}"
        yield warn("Telegram", what, "look at the proxy and the certificate")
    if info.get("pending_update_count", 0) > 100:
        yield warn(
            "Telegram", f"{info['pending_update_count']} messages wait at Telegram", "does the webhook answer 200?"
        )


def _whatsapp(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    if not settings.has_whatsapp:
        return
    base = settings.twilio_api_url or "https://api.twilio.com"
    user = settings.twilio_api_key or settings.twilio_account_sid
    password = settings.twilio_api_secret or settings.twilio_auth_token
    url = f"{base}/2010-04-01/Accounts/{settings.twilio_account_sid}/Messages.json"
    try:
        answer = httpx.get(url, params={"PageSize": 1}, auth=(user, password), timeout=SECONDS)
    except httpx.HTTPError as error:
        yield bad("WhatsApp", f"Twilio is not reached ({type(error).__name__})", "is https to api.twilio.com open?")
        return
    if answer.status_code in (401, 403):
        yield bad("WhatsApp", "Twilio refuses the key", "check WEGWIJS_TWILIO_API_KEY and its secret")
    elif answer.is_error:
        yield bad("WhatsApp", f"Twilio answers {answer.status_code}", "look at status.twilio.com, then at the settings")
    else:
        yield good("WhatsApp", "Twilio takes the key")
        yield from _their_clock("Twilio's", answer, clock())


def _their_clock(whose: str, answer: httpx.Response, now: datetime) -> Iterator[Finding]:
    try:
        theirs = datetime.strptime(answer.headers.get("date", ""), "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return
    yield from _clock(whose, theirs, now)
