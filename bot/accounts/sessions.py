"""Sessions on the server: what a browser holds is a random value; the database holds its hash and who it is.

So a session ends when it must: at once when a colleague is switched off, not when a cookie runs out (ADR 0010).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import audit
from bot.accounts import accounts
from bot.accounts.accounts import Account
from bot.storage.account_models import AccountRow, SessionRow

TOUCH = timedelta(minutes=1)  # "seen" is written at most this often


class Step(StrEnum):
    """What is still to do before somebody is inside."""

    CODE = "code"  # the second step of this login
    PASSWORD = "password"  # choose an own one
    ENROL = "enrol"  # set up the second step
    INSIDE = "inside"


@dataclass(frozen=True)
class Ages:
    """How long a session lasts: without use, and at most."""

    idle: timedelta
    most: timedelta
    code: timedelta = timedelta(minutes=10)  # between the password and the code


@dataclass(frozen=True)
class Rules:
    """What the settings say about logins."""

    ages: Ages
    second_factor: bool
    demo: bool


@dataclass(frozen=True)
class Login:
    """A session and its account."""

    session_id: int
    account: Account
    created_at: datetime
    seen_at: datetime
    step: Step


def new_value() -> str:
    """What goes into the cookie: 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_of(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def start(connection: Connection, account: Account, value: str, now: datetime, *, needs_code: bool = False) -> None:
    """A session behind a fresh value. Without `needs_code` the login is complete, and stands in the audit log."""
    row = {"account_id": account.id, "hash": hash_of(value), "needs_code": needs_code, "created_at": now}
    connection.execute(sa.insert(SessionRow).values(**row, seen_at=now))
    if not needs_code:
        connection.execute(sa.update(AccountRow).where(AccountRow.id == account.id).values(login_at=now))
        audit.record(connection, account.principal, "login", now)


def find(connection: Connection, value: str, now: datetime, rules: Rules) -> Login | None:
    """The session behind a value; None when there is none, it is over, or the account may not log in (any more)."""
    columns = (SessionRow.needs_code, SessionRow.created_at.label("began"), SessionRow.seen_at)
    query = (
        sa.select(SessionRow.id.label("session_id"), *columns, AccountRow.__table__)
        .join(AccountRow, AccountRow.id == SessionRow.account_id)
        .where(SessionRow.hash == hash_of(value))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    account = accounts.of_row(row)
    most = rules.ages.code if row.needs_code else rules.ages.most
    over = now >= row.began + most or now >= row.seen_at + rules.ages.idle
    if over or not may_log_in(account, rules):
        return None
    return Login(row.session_id, account, row.began, row.seen_at, _step(account, rules, needs_code=row.needs_code))


def may_log_in(account: Account, rules: Rules) -> bool:
    """Invented accounts only where invented phones are."""
    return account.active and (rules.demo or not account.is_demo)


def _step(account: Account, rules: Rules, *, needs_code: bool) -> Step:
    if needs_code:
        return Step.CODE
    if account.must_change_password:
        return Step.PASSWORD
    if rules.second_factor and not (account.has_totp or account.is_demo or account.is_external):
        return Step.ENROL
    return Step.INSIDE


def touch(connection: Connection, session_id: int, now: datetime) -> None:
    connection.execute(sa.update(SessionRow).where(SessionRow.id == session_id).values(seen_at=now))


def end(connection: Connection, session_id: int) -> None:
    connection.execute(sa.delete(SessionRow).where(SessionRow.id == session_id))


def of_account(connection: Connection, account_id: int, now: datetime, ages: Ages) -> list[tuple[int, datetime]]:
    """Sessions that last: id and when they were last used, the newest first."""
    alive = (SessionRow.created_at > now - ages.most, SessionRow.seen_at > now - ages.idle)
    query = sa.select(SessionRow.id, SessionRow.seen_at).where(
        SessionRow.account_id == account_id, sa.not_(SessionRow.needs_code), *alive
    )
    return [(row.id, row.seen_at) for row in connection.execute(query.order_by(SessionRow.seen_at.desc()))]


def end_value(connection: Connection, hashed: str) -> None:
    """End whatever session a browser had before it logs in."""
    connection.execute(sa.delete(SessionRow).where(SessionRow.hash == hashed))
