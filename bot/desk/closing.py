"""A ticket is closed without an answer, with a reason.

The newcomer hears something kind where the reason calls for it.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from bot import escalation
from bot.actions import Say
from bot.desk import claims, drafts
from bot.desk.settling import WAITING, Deed, Outcome, Result, held_by_other, lock, refuse
from bot.desk.telling import Teller, tell
from bot.locales import clean

# Reasons that people choose from; the others (withdrawn, no_reply) come from the chat. What the newcomer hears of each.
REASONS: dict[str, str] = {
    "spoken": "ticket.closed_spoken",  # somebody called or met them
    "elsewhere": "ticket.closed_elsewhere",  # another organisation must answer
    "double": "",  # the same question is answered on another ticket
    "no_question": "",  # nothing was asked
    "other": "ticket.closed",
}
NEEDS_WORDS = {"other"}


def close(connection: Connection, deed: Deed, reason: str, note: str, teller: Teller) -> Result:
    """Close a ticket without an answer. `note` is for colleagues only.

    Raises ValueError for a reason that isn't on the list, and for one that needs words and has none.
    """
    words = clean(note).strip()
    if reason not in REASONS or (reason in NEEDS_WORDS and not words):
        raise ValueError("closing needs a reason")
    row = lock(connection, deed.ticket_id, deed.who)
    if row is None or row.state not in WAITING:
        return refuse(connection, row, "note", words, deed.author)
    busy = held_by_other(connection, deed)
    if busy is not None:
        return busy
    entry_id = escalation.add_entry(connection, row.id, "note", deed.author, words, deed.now)
    escalation.close(connection, row.id, row.contact_id, reason, deed.now)
    claims.release(connection, row.id)
    drafts.drop(connection, row.id, deed.who)
    if REASONS[reason]:
        key = f"closed:{row.id}:{entry_id}"
        tell(connection, row.contact_id, (Say(REASONS[reason]),), key, teller)
    deed.record(connection, "ticket.close", f"reason={reason}")
    return Result(Outcome.CLOSED)
