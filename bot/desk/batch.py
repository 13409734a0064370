"""*My batch*: what somebody has to answer in this slot, what can wait, and what needs a look before anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from bot.desk import claims, prepared, tickets
from bot.desk.claims import Claim
from bot.desk.grouping import Grouper, Question
from bot.desk.prepared import Prepared
from bot.desk.routing import calendar_of
from bot.desk.tickets import TicketSummary
from bot.roles import Principal, Role
from bot.working_days import DeskHours, promise

WITHDRAWN_SHOWN = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """A ticket in the batch, who else is at it, and what is prepared for it."""

    ticket: TicketSummary
    claim: Claim | None
    prepared: Prepared | None

    @property
    def held(self) -> str:
        """Why what was prepared does not go out; empty when it does, or nothing was prepared."""
        return self.prepared.held if self.prepared else ""


@dataclass(frozen=True)
class Batch:
    """All that is open for somebody. `slot`: start and end of theirs, where they have slots."""

    slot: tuple[datetime, datetime] | None
    held: tuple[Line, ...]  # prepared answers that did not go out
    urgent: tuple[Line, ...]
    due: tuple[Line, ...]  # in this slot, or before the next
    later: tuple[Line, ...]
    waiting: tuple[Line, ...]  # prepared: they go out by themselves
    asked: tuple[Line, ...]  # the newcomer was asked something back
    withdrawn: tuple[TicketSummary, ...]
    signals: tuple[TicketSummary, ...]  # for a coordinator
    total: int


def read(connection: Connection, who: Principal, now: datetime, hours: DeskHours) -> Batch:
    """The batch of somebody, as it stands now."""
    opened, asked = tickets.open_tickets(connection, who), tickets.asked_back(connection, who)
    lines = _lines(connection, opened, who, now)
    slot, until = _slot(connection, who, now, hours)
    waits = [line for line in lines if line.prepared is None]
    return Batch(
        slot=slot,
        held=tuple(line for line in lines if line.held),
        urgent=tuple(line for line in waits if line.ticket.urgent),
        due=tuple(line for line in waits if not line.ticket.urgent and line.ticket.promise_at <= until),
        later=tuple(line for line in waits if not line.ticket.urgent and line.ticket.promise_at > until),
        waiting=tuple(line for line in lines if line.prepared is not None and not line.held),
        asked=tuple(_lines(connection, asked, who, now)),
        withdrawn=tuple(tickets.withdrawn(connection, who, now - WITHDRAWN_SHOWN)),
        signals=tuple(tickets.signals(connection)) if who.has(Role.COORDINATOR) else (),
        total=tickets.count_open(connection, who),
    )


def _lines(connection: Connection, found: Sequence[TicketSummary], who: Principal, now: datetime) -> list[Line]:
    ids = [ticket.id for ticket in found]
    others, made = claims.by_others(connection, ids, who, now), prepared.of(connection, ids, now)
    return [Line(ticket, others.get(ticket.id), made.get(ticket.id)) for ticket in found]


def _slot(
    connection: Connection, who: Principal, now: datetime, hours: DeskHours
) -> tuple[tuple[datetime, datetime] | None, datetime]:
    """The slot that runs or comes next, and until when a promise belongs to it: the slot after it.

    The back-up desk has no slots: for it counts what it would promise for a question of now.
    """
    if who.actor_id is None or who.has(Role.COORDINATOR, Role.DESK):
        return None, promise(now, hours)
    spans = calendar_of(connection, who.actor_id).spans(now)
    slot, after = next(spans, None), next(spans, None)
    return slot, after[0] if after else now + timedelta(days=365)


def together(lines: Sequence[Line], grouper: Grouper) -> list[tuple[Line, ...]]:
    """Lines whose questions mean the same, in the order of the list. Slow for words that it sees for the first time."""
    questions = [Question(line.ticket.first_words, line.ticket.candidates, line.ticket.language) for line in lines]
    return [tuple(lines[place] for place in group) for group in grouper.closely(questions)]
