"""New keys for what is encrypted: every sealed text is sealed anew, and every look-up hash made anew if wished.

Runs while the service is stopped on SQLite; on PostgreSQL in one transaction that locks the tables meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.identifiers import Vault
from bot.storage.account_models import AccountRow
from bot.storage.linking_models import LinkCodeRow
from bot.storage.models import AddressRow, Base, InboxRow, OutboxRow, PartyRow

SEALED: tuple[type[Base], ...] = (AddressRow, InboxRow, OutboxRow, PartyRow)  # tables with a column `sealed`


@dataclass(frozen=True)
class Rotated:
    """How many texts were sealed anew, hashes made anew, and codes in letters ended by that."""

    sealed: int
    hashed: int
    codes_ended: int


def rotate(connection: Connection, old: Vault, new: Vault | None) -> Rotated:
    """Seal everything with the newest key of `old`; with `new` also hash everything anew.

    `new`: a vault of the same keys and another hash key. Raises SealError when a text can't be opened: then nothing is
    changed.

    Codes in letters are only kept as hashes, so a new hash key ends them: send new letters. The recovery codes of
    colleagues too: each makes new ones at `/desk/me`.
    """
    sealed = sum(_seal_anew(connection, table, old) for table in SEALED) + _seal_totp_anew(connection, old)
    if new is None:
        return Rotated(sealed, 0, 0)
    hashed = _hash_addresses(connection, new) + _hash_parties(connection, new)
    codes = connection.execute(sa.delete(LinkCodeRow)).rowcount
    connection.execute(sa.update(AccountRow).values(recovery=[]))
    return Rotated(sealed, hashed, codes)


def _seal_anew(connection: Connection, table: Any, vault: Vault) -> int:
    rows = connection.execute(sa.select(table.id, table.sealed).where(table.sealed.is_not(None))).all()
    for row in rows:
        vault.open(row.sealed)
        connection.execute(sa.update(table).where(table.id == row.id).values(sealed=vault.rotate(row.sealed)))
    return len(rows)


def _seal_totp_anew(connection: Connection, vault: Vault) -> int:
    """The secrets of the second step. One that was shown but not confirmed is shown anew."""
    query = sa.select(AccountRow.id, AccountRow.totp_sealed).where(AccountRow.totp_sealed.is_not(None))
    rows = connection.execute(query).all()
    for row in rows:
        sealed = vault.seal_text(vault.open_text(str(row.totp_sealed)))
        connection.execute(sa.update(AccountRow).where(AccountRow.id == row.id).values(totp_sealed=sealed))
    connection.execute(sa.update(AccountRow).values(totp_pending=None))
    return len(rows)


def _hash_addresses(connection: Connection, vault: Vault) -> int:
    """Lanes keep their old name: it only has to be the same for all that is of one person."""
    rows = connection.execute(sa.select(AddressRow.id, AddressRow.sealed, AddressRow.bsuid_lookup)).all()
    for row in rows:
        address = vault.open(row.sealed)
        values: dict[str, Any] = {"lookup": vault.lookup(address.channel, address.value)}
        if row.bsuid_lookup is not None:
            values["bsuid_lookup"] = vault.lookup(address.channel, address.bsuid) if address.bsuid else None
        connection.execute(sa.update(AddressRow).where(AddressRow.id == row.id).values(**values))
    return len(rows)


def _hash_parties(connection: Connection, vault: Vault) -> int:
    rows = connection.execute(sa.select(PartyRow.id, PartyRow.sealed)).all()
    for row in rows:
        key = vault.open(row.sealed)
        reference = vault.lookup(key.channel, key.value)
        connection.execute(sa.update(PartyRow).where(PartyRow.id == row.id).values(reference=reference))
    return len(rows)
