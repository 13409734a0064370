"""What changed in the questions that somebody may see, since a page showed them. Numbers only, no words of people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.roles import Principal
from bot.storage.models import TicketEntryRow, TicketRow, TicketState

MAX_TEXT = 64  # characters of a state as a page gives it back


@dataclass(frozen=True)
class OpenTicket:
    """What a change of an open ticket shows in: whose it is, how urgent, and the last thing written on it."""

    id: int
    actor_id: int | None
    urgent: bool
    last_entry: int


@dataclass(frozen=True)
class State:
    """The open questions of one person, small enough to stand in a page. As text: "newest-number-mark"."""

    newest: int = 0
    number: int = 0
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.newest}-{self.number}-{self.mark}"


@dataclass(frozen=True)
class News:
    """What is different. All zero and `changed`: something about the same questions, such as one more message."""

    new: int
    gone: int
    changed: bool


def open_tickets(connection: Connection) -> tuple[OpenTicket, ...]:
    """Every open ticket, in the order of their numbers."""
    entries = sa.select(sa.func.max(TicketEntryRow.id)).where(TicketEntryRow.ticket_id == TicketRow.id)
    last = sa.func.coalesce(entries.scalar_subquery(), 0)
    query = sa.select(TicketRow.id, TicketRow.actor_id, TicketRow.urgent, last).where(
        TicketRow.state == TicketState.OPEN
    )
    return tuple(sorted((OpenTicket(*row) for row in connection.execute(query)), key=lambda ticket: ticket.id))


def state_of(tickets: Iterable[OpenTicket], principal: Principal) -> State:
    """The state of the tickets that this person may see."""
    seen = [ticket for ticket in tickets if principal.sees_tickets_of(ticket.actor_id)]
    mark = hashlib.sha256(repr(seen).encode()).hexdigest()[:12]
    return State(max((ticket.id for ticket in seen), default=0), len(seen), mark)


def read_state(text: str) -> State:
    """The state that a page was made with; an empty one when the text is none."""
    newest, _, rest = text[:MAX_TEXT].partition("-")
    number, _, mark = rest.partition("-")
    if not (newest.isascii() and newest.isdigit() and number.isascii() and number.isdigit()):
        return State()
    return State(int(newest), int(number), mark)


def since(shown: State, tickets: Iterable[OpenTicket], principal: Principal) -> News:
    """What this person would find new on the page. A question that was opened again counts as new by the numbers."""
    seen = [ticket for ticket in tickets if principal.sees_tickets_of(ticket.actor_id)]
    new = sum(ticket.id > shown.newest for ticket in seen)
    gone = shown.number + new - len(seen)
    return News(new + max(0, -gone), max(0, gone), state_of(seen, principal) != shown)
