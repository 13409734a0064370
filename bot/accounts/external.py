"""Accounts of the municipality's own login (OpenID Connect): what its claims mean here. No HTTP.

An account is found by issuer and subject, which never change hands; made at the first login, and brought up to date at
each later one. Nobody gets in without a role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import audit
from bot.accounts import accounts
from bot.accounts.accounts import MAX_NAME, Account
from bot.errors import AccountError
from bot.locales import clean
from bot.roles import Principal, Role
from bot.storage.account_models import AccountRow


@dataclass(frozen=True)
class External:
    """Who somebody is, says the municipality's login. `actor_code` is None where it doesn't tell."""

    issuer: str
    subject: str
    name: str
    roles: frozenset[Role]
    actor_code: str | None = None


def read_claims(claims: Mapping[str, Any], roles_claim: str, mapping: Mapping[str, Role], actor_claim: str) -> External:
    """Who the claims of a checked ID token are. A claim may lie deeper: `realm_access.roles`."""
    given = _claim(claims, roles_claim)
    names = [given] if isinstance(given, str) else [name for name in given or () if isinstance(name, str)]
    name = next((str(claims[key]) for key in ("name", "preferred_username", "email") if claims.get(key)), "")
    roles = frozenset(mapping[name] for name in names if name in mapping)
    code = _claim(claims, actor_claim) if actor_claim else None
    return External(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=" ".join(clean(name).split())[:MAX_NAME] or "colleague",
        roles=roles,
        actor_code=str(code) if code is not None else None,
    )


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def arrive(connection: Connection, who: External, now: datetime) -> Account:
    """The account of somebody who comes from the municipality's login.

    Raises AccountError: `no_role` when none of the roles there means one here, `switched_off`.
    """
    row = connection.execute(
        sa.select(AccountRow.__table__)
        .where(AccountRow.issuer == who.issuer, AccountRow.subject == who.subject)
        .with_for_update()
    ).one_or_none()
    known = accounts.of_row(row) if row else None
    if known is not None and not known.active:
        raise AccountError("switched_off")
    if not who.roles:
        raise AccountError("no_role")
    return _make(connection, who, now) if known is None else _renew(connection, known, who, now)


def refuse(connection: Connection, who: External, now: datetime) -> None:
    """Somebody without a role (any more): whatever is still open of this account ends, and the refusal is written."""
    where = (AccountRow.issuer == who.issuer, AccountRow.subject == who.subject)
    account_id = connection.execute(sa.select(AccountRow.id).where(*where)).scalar_one_or_none()
    if account_id is not None:
        accounts.end_sessions(connection, account_id)
    detail = f"account={account_id}" if account_id is not None else "from=oidc"
    audit.record(connection, Principal("", frozenset()), "login.refused", now, detail=detail)


def _actor(connection: Connection, who: External, known: Account | None) -> int | None:
    """The klantregisseur: as the claim says, or else as an admin linked it. None without that role."""
    if Role.KLANTREGISSEUR not in who.roles:
        return None
    if who.actor_code is None:
        return known.actor_id if known else None
    try:
        return accounts.actor_by_code(connection, who.actor_code)
    except AccountError:
        return None  # not in the caseload (yet): sees no questions


def _make(connection: Connection, who: External, now: datetime) -> Account:
    values = {"name": who.name, "roles": sorted(who.roles), "actor_id": _actor(connection, who, None), "recovery": []}
    identity = {"issuer": who.issuer, "subject": who.subject, "created_at": now, "changed_at": now}
    statement = sa.insert(AccountRow).values(**values, **identity).returning(AccountRow.id)
    account = accounts.by_id(connection, connection.execute(statement).scalar_one())
    if account is None:
        raise AccountError("gone")
    audit.record(connection, account.principal, "account.add", now, detail=_detail(account))
    return account


def _renew(connection: Connection, known: Account, who: External, now: datetime) -> Account:
    actor_id = _actor(connection, who, known)
    if (who.name, who.roles, actor_id) == (known.name, known.roles, known.actor_id):
        return known
    values = {"name": who.name, "roles": sorted(who.roles), "actor_id": actor_id, "changed_at": now}
    connection.execute(sa.update(AccountRow).where(AccountRow.id == known.id).values(**values))
    if (who.roles, actor_id) != (known.roles, known.actor_id):
        accounts.end_sessions(connection, known.id)
    account = accounts.by_id(connection, known.id)
    if account is None:
        raise AccountError("gone")
    audit.record(connection, account.principal, "account.change", now, detail=_detail(account))
    return account


def _detail(account: Account) -> str:
    return f"account={account.id},roles={'+'.join(sorted(account.roles))},from=oidc"
