"""Mail to people who work here: a queue in a table, like the outbox. Put in a transaction, sent by the worker later.

The same key is one mail, and one Message-ID. A mail whose answer was lost is never repeated by itself; an alarm comes
again after a while anyway, under a key of its own. What waited until it is untrue is not sent at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.errors import Failure, SendError
from bot.locales import plural
from bot.storage.follow_up_models import MailRow
from bot.storage.lanes import backoff
from bot.storage.models import LaneState

LANGUAGES = ("nl", "en")
WEBHOOK = "webhook"  # a recipient that stands for the address of the alarm in the settings
LEASE = timedelta(seconds=120)  # longer than a send may take
_TEXTS = Path(__file__).parent / "mails"
_READY: sa.ColumnElement[int] = sa.literal_column("0")
_RUNNING: sa.ColumnElement[int] = sa.literal_column("1")


@dataclass(frozen=True)
class Mail:
    """A mail before it is written out: `kind` names its words in `mails/<language>.yaml`, `params` fill them."""

    kind: str
    recipient: str
    language: str
    params: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=len(LANGUAGES))
def _texts(language: str) -> dict[str, dict[str, Any]]:
    texts: dict[str, dict[str, Any]] = yaml.safe_load((_TEXTS / f"{language}.yaml").read_text(encoding="utf-8"))
    return texts


def words(mail: Mail) -> tuple[str, str]:
    """Subject and body. Raises KeyError for a kind that has no words."""
    language = mail.language if mail.language in LANGUAGES else LANGUAGES[0]
    text = _texts(language)[mail.kind]
    subject = text["subject"]
    if isinstance(subject, dict):
        subject = subject.get(plural(language, mail.params["n"]), subject["other"])
    return subject.format(**mail.params), text["body"].format(**mail.params)


def put(connection: Connection, mail: Mail, *, key: str, now: datetime, expires_at: datetime) -> None:
    """Add a mail. The same key twice is one mail."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {
        "key": key,
        "kind": mail.kind,
        "recipient": mail.recipient,
        "language": mail.language,
        "params": dict(mail.params),
        "created_at": now,
        "due_at": now,
        "expires_at": expires_at,
        "state": LaneState.READY,
        "attempts": 0,
    }
    connection.execute(dialect.insert(MailRow).values(values).on_conflict_do_nothing(index_elements=["key"]))


def claim(connection: Connection, now: datetime) -> sa.Row[Any] | None:
    """The next mail to send, with a lease; None when nothing is due."""
    late = (MailRow.state == _READY, MailRow.expires_at <= now)
    connection.execute(sa.update(MailRow).where(*late).values(state=LaneState.DEAD, error="too late to be true"))
    found = connection.execute(
        sa.select(MailRow.id)
        .where(MailRow.state == _READY, MailRow.due_at <= now)
        .order_by(MailRow.due_at, MailRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if found is None:
        return None
    values = {"state": LaneState.RUNNING, "lease": secrets.token_hex(8), "lease_until": now + LEASE}
    mine = sa.update(MailRow).where(MailRow.id == found).values(**values, attempts=MailRow.attempts + 1)
    connection.execute(mine)
    return connection.execute(sa.select(MailRow.__table__).where(MailRow.id == found)).one()


def sent(connection: Connection, row: sa.Row[Any], now: datetime) -> None:
    """The mail server took it."""
    _settle(connection, row, state=LaneState.DONE, sent_at=now, error=None)


def failed(connection: Connection, row: sa.Row[Any], error: SendError, now: datetime) -> None:
    """The mail server did not take it, or nobody knows. Temporary: again, until it would be untrue."""
    values: dict[str, Any] = {"state": LaneState.DEAD}
    if error.failure is Failure.UNKNOWN:
        values = {"state": LaneState.UNKNOWN}
    elif error.failure is Failure.TEMPORARY:
        values = {"state": LaneState.READY, "due_at": now + backoff(row.attempts)}
    _settle(connection, row, error=error.code[:200], **values)


def _settle(connection: Connection, row: sa.Row[Any], **values: Any) -> None:
    mine = (MailRow.id == row.id, MailRow.state == _RUNNING, MailRow.lease == row.lease)
    connection.execute(sa.update(MailRow).where(*mine).values(lease=None, lease_until=None, **values))


def recover(connection: Connection, now: datetime, *, everything: bool) -> int:
    """Mails whose sender is gone: nobody knows whether they went."""
    gone = MailRow.state == _RUNNING
    if not everything:
        gone = sa.and_(gone, MailRow.lease_until < now)
    values = {
        "state": LaneState.UNKNOWN,
        "lease": None,
        "lease_until": None,
        "error": "the process ended while sending",
    }
    return connection.execute(sa.update(MailRow).where(gone).values(**values)).rowcount
