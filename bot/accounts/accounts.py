"""Accounts in the database: found, made, changed, switched off. Each change stands in the audit log.

Everything takes a connection and commits nothing. A change of the password, the roles or the second step ends every
session of the account.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import audit
from bot.audit import Action
from bot.errors import AccountError
from bot.locales import clean
from bot.roles import Principal, Role
from bot.storage.account_models import AccountRow, SessionRow
from bot.storage.models import ActorRow

MAX_NAME = 64
MAX_LOGIN = 254


@dataclass(frozen=True)
class Account:
    """Somebody who works here, as the pages show it: no secrets. `is_external`: known by the municipality's login."""

    id: int
    login: str
    name: str
    roles: frozenset[Role]
    actor_id: int | None
    active: bool
    is_demo: bool
    is_external: bool
    must_change_password: bool
    has_totp: bool
    recovery_left: int
    login_at: datetime | None

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.roles, self.id, self.actor_id)


@dataclass(frozen=True)
class Secrets:
    """What the login checks against."""

    password_hash: str | None
    totp_sealed: str | None
    totp_pending: str | None
    totp_used: int
    recovery: tuple[str, ...]


def of_row(row: sa.Row[Any]) -> Account:
    """The account in a row of the table. Roles that this version doesn't know are left out."""
    return Account(
        id=row.id,
        login=row.login or "",
        name=row.name,
        roles=roles_of(row.roles),
        actor_id=row.actor_id,
        active=row.active,
        is_demo=row.is_demo,
        is_external=row.issuer is not None,
        must_change_password=row.must_change_password,
        has_totp=row.totp_sealed is not None,
        recovery_left=len(row.recovery),
        login_at=row.login_at,
    )


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """The roles among these names."""
    known = {role.value for role in Role}
    return frozenset(Role(name) for name in names if name in known)


def normal_login(login: str) -> str:
    """How a login is kept and looked for: without capitals and spaces at the ends."""
    return clean(login).strip().lower()


def by_id(connection: Connection, account_id: int) -> Account | None:
    row = connection.execute(sa.select(AccountRow.__table__).where(AccountRow.id == account_id)).one_or_none()
    return of_row(row) if row else None


def by_login(connection: Connection, login: str) -> Account | None:
    query = sa.select(AccountRow.__table__).where(AccountRow.login == normal_login(login))
    row = connection.execute(query).one_or_none()
    return of_row(row) if row else None


def everybody(connection: Connection) -> list[Account]:
    """All accounts: who may log in first, then by name."""
    query = sa.select(AccountRow.__table__).order_by(AccountRow.active.desc(), sa.func.lower(AccountRow.name))
    return [of_row(row) for row in connection.execute(query)]


def secrets_of(connection: Connection, account_id: int) -> Secrets | None:
    row = connection.execute(sa.select(AccountRow.__table__).where(AccountRow.id == account_id)).one_or_none()
    if row is None:
        return None
    return Secrets(row.password_hash, row.totp_sealed, row.totp_pending, row.totp_used, tuple(row.recovery))


def actor_by_code(connection: Connection, code: str) -> int | None:
    """The klantregisseur with a code of the municipality; None for no code. Raises AccountError for an unknown one."""
    if not code.strip():
        return None
    found = connection.execute(sa.select(ActorRow.id).where(ActorRow.code == code.strip())).scalar_one_or_none()
    if found is None:
        raise AccountError("unknown_actor")
    return found


def actor_codes(connection: Connection) -> dict[int, tuple[str, str]]:
    """Code and name of every klantregisseur."""
    query = sa.select(ActorRow.id, ActorRow.code, ActorRow.name).order_by(ActorRow.name)
    return {row.id: (row.code, row.name) for row in connection.execute(query)}


@dataclass(frozen=True)
class Wanted:
    """What an account should be. `checked` raises AccountError for what can't be."""

    name: str
    roles: frozenset[Role]
    actor_id: int | None = None

    def checked(self) -> Wanted:
        name = " ".join(clean(self.name).split())
        if not name or len(name) > MAX_NAME:
            raise AccountError("bad_name")
        if not self.roles:
            raise AccountError("no_role")
        if self.actor_id is not None and Role.KLANTREGISSEUR not in self.roles:
            raise AccountError("actor_without_role")
        return Wanted(name, self.roles, self.actor_id)


def add(  # each is a column
    connection: Connection,
    who: Principal,
    login: str,
    wanted: Wanted,
    now: datetime,
    *,
    password_hash: str,
    must_change_password: bool = True,
    is_demo: bool = False,
) -> int:
    """A new account with a password; returns its id. Raises AccountError."""
    wanted, login = wanted.checked(), normal_login(login)
    if not re.fullmatch(r"[^\s<>]{2,}", login) or len(login) > MAX_LOGIN:
        raise AccountError("bad_login")
    if by_login(connection, login) is not None:
        raise AccountError("login_taken")
    values = _values(wanted) | {"login": login, "password_hash": password_hash, "is_demo": is_demo, "recovery": []}
    times = {"created_at": now, "changed_at": now, "must_change_password": must_change_password}
    statement = sa.insert(AccountRow).values(**values, **times).returning(AccountRow.id)
    account_id = connection.execute(statement).scalar_one()
    audit.record(connection, who, "account.add", now, detail=_detail(account_id, wanted.roles))
    return account_id


def change(connection: Connection, who: Principal, account_id: int, wanted: Wanted, now: datetime) -> None:
    """Another name, roles or klantregisseur. Raises AccountError."""
    wanted, account = wanted.checked(), _existing(connection, account_id)
    if account.is_external and wanted.roles != account.roles:
        raise AccountError("roles_from_elsewhere")
    if Role.ADMIN in account.roles - wanted.roles:
        _another_admin(connection, account)
    _update(connection, account_id, now, **_values(wanted))
    if (wanted.roles, wanted.actor_id) != (account.roles, account.actor_id):
        end_sessions(connection, account_id)
    audit.record(connection, who, "account.change", now, detail=_detail(account_id, wanted.roles))


def switch(connection: Connection, who: Principal, account_id: int, now: datetime, *, on: bool) -> None:
    """Let somebody in again, or no longer. Raises AccountError for the last admin."""
    account = _existing(connection, account_id)
    if not on:
        _another_admin(connection, account)
    _update(connection, account_id, now, active=on)
    end_sessions(connection, account_id)
    audit.record(connection, who, "account.on" if on else "account.off", now, detail=_detail(account_id))


def set_password(  # as `add`
    connection: Connection,
    who: Principal,
    account_id: int,
    password_hash: str,
    now: datetime,
    *,
    must_change: bool = False,
) -> None:
    """A new password: one's own, or (`must_change`) one that an admin hands over. Raises AccountError."""
    _has_password(connection, account_id)
    _update(connection, account_id, now, password_hash=password_hash, must_change_password=must_change)
    end_sessions(connection, account_id)
    action: Action = "account.password_reset" if must_change else "account.password"
    audit.record(connection, who, action, now, detail=_detail(account_id))


def prepare_totp(connection: Connection, account_id: int, sealed: str, now: datetime) -> None:
    """A secret that is shown as a picture, and counts once a code of it was given. Raises AccountError."""
    _has_password(connection, account_id)
    _update(connection, account_id, now, totp_pending=sealed)


def confirm_totp(  # as `add`
    connection: Connection, who: Principal, account_id: int, now: datetime, *, step: int, recovery: list[str]
) -> None:
    """From now on the login asks for a code. `step`: of the code that was just given; `recovery`: hashes."""
    pending = sa.select(AccountRow.totp_pending).where(AccountRow.id == account_id).scalar_subquery()
    values = {"totp_sealed": pending, "totp_pending": None, "totp_used": step, "recovery": recovery}
    _update(connection, account_id, now, **values)
    end_sessions(connection, account_id)
    audit.record(connection, who, "account.second_factor", now, detail=_detail(account_id))


def reset_totp(connection: Connection, who: Principal, account_id: int, now: datetime) -> None:
    """The second step begins anew: the telephone is lost. Raises AccountError."""
    _has_password(connection, account_id)
    _update(connection, account_id, now, totp_sealed=None, totp_pending=None, recovery=[])
    end_sessions(connection, account_id)
    audit.record(connection, who, "account.second_factor_reset", now, detail=_detail(account_id))


def take_totp_step(connection: Connection, account_id: int, step: int) -> bool:
    """Use a code up; False when another login was faster with the same one."""
    statement = sa.update(AccountRow).where(AccountRow.id == account_id, AccountRow.totp_used < step)
    return connection.execute(statement.values(totp_used=step)).rowcount == 1


def take_recovery_code(connection: Connection, account_id: int, hashed: str) -> bool:
    """Use a recovery code up; False when there is no such code, or not any more."""
    query = sa.select(AccountRow.recovery).where(AccountRow.id == account_id).with_for_update()
    left: list[str] = list(connection.execute(query).scalar_one_or_none() or [])
    if hashed not in left:
        return False
    left.remove(hashed)
    connection.execute(sa.update(AccountRow).where(AccountRow.id == account_id).values(recovery=left))
    return True


def end_sessions(connection: Connection, account_id: int, *, but: int | None = None) -> None:
    """Log out everywhere, or everywhere else (`but`: the session that stays)."""
    stays = () if but is None else (SessionRow.id != but,)
    connection.execute(sa.delete(SessionRow).where(SessionRow.account_id == account_id, *stays))


def _values(wanted: Wanted) -> dict[str, Any]:
    return {"name": wanted.name, "roles": sorted(wanted.roles), "actor_id": wanted.actor_id}


def _update(connection: Connection, account_id: int, now: datetime, **values: Any) -> None:
    connection.execute(sa.update(AccountRow).where(AccountRow.id == account_id).values(changed_at=now, **values))


def _existing(connection: Connection, account_id: int) -> Account:
    account = by_id(connection, account_id)
    if account is None:
        raise AccountError("gone")
    return account


def _has_password(connection: Connection, account_id: int) -> None:
    if _existing(connection, account_id).is_external:
        raise AccountError("login_from_elsewhere")


def _another_admin(connection: Connection, account: Account) -> None:
    """Somebody else must be left to give out accounts. Locks all of them, so that two admins don't both leave."""
    rows = connection.execute(sa.select(AccountRow.__table__).where(AccountRow.active).with_for_update())
    others = [other for other in map(of_row, rows) if other.id != account.id and Role.ADMIN in other.roles]
    if account.active and Role.ADMIN in account.roles and not others:
        raise AccountError("last_admin")


def _detail(account_id: int, roles: frozenset[Role] = frozenset()) -> str:
    return f"account={account_id}" + (f",roles={'+'.join(sorted(roles))}" if roles else "")
