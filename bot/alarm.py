"""Somebody in danger waits: the people on duty hear it at once, again and again, until one of them takes it.

The mail holds a number and a link. Whoever takes the question quiets the alarm for an hour, whoever is at it as long as
that claim lasts; an answer ends it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import mailing
from bot.mailing import WEBHOOK, Mail
from bot.storage.desk_models import ClaimRow
from bot.storage.models import TicketRow, TicketState

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)  # time enough to read it and call, and nobody waits an hour for a change of shift
TAKEN_FOR = timedelta(hours=1)  # whoever takes it and doesn't answer: it rings again


@dataclass(frozen=True)
class Duty:
    """Who is on duty. The second address hears it too after so many messages that nobody reacted to.

    `webhook`: whether every message is posted to an address of the settings too.
    """

    first: str = ""
    second: str = ""
    second_after: int = 3
    desk_url: str = ""
    language: str = "nl"
    webhook: bool = False

    def on_duty(self, times: int) -> Iterator[tuple[str, str]]:
        """Who hears the message with this number, counted from 1: which of them it is, and the address."""
        if self.first:
            yield "first", self.first
        if self.second and (times > self.second_after or not self.first):
            yield "second", self.second
        if self.webhook:
            yield WEBHOOK, WEBHOOK


NOBODY = Duty()


def ring(connection: Connection, ticket_id: int, times: int, duty: Duty, now: datetime) -> None:
    """Tell the people on duty that an urgent question waits, for the `times`-th time."""
    log.error("urgent ticket %s waits", ticket_id)  # also in the log, for whoever watches the machine
    link = f"{duty.desk_url}/desk/tickets/{ticket_id}"
    params = {"ticket": ticket_id, "link": link, "times": times, "minutes": int(EVERY.total_seconds() // 60)}
    for which, address in duty.on_duty(times):
        key = f"urgent:{ticket_id}:{now.isoformat()}:{which}"
        mail = Mail("urgent", address, duty.language, params)
        mailing.put(connection, mail, key=key, now=now, expires_at=now + EVERY)  # by then there is a newer one


def is_taken(connection: Connection, ticket_id: int, now: datetime) -> bool:
    """Whether somebody took this question upon them a short while ago, or is answering it now."""
    claimed = sa.select(ClaimRow.ticket_id).where(ClaimRow.ticket_id == ticket_id, ClaimRow.until > now)
    if connection.execute(claimed).first() is not None:
        return True
    taken_at = connection.execute(sa.select(TicketRow.taken_at).where(TicketRow.id == ticket_id)).scalar_one_or_none()
    return taken_at is not None and now < taken_at + TAKEN_FOR


def take(connection: Connection, ticket_id: int, by: str, now: datetime) -> bool:
    """Somebody takes an urgent question upon them. False when it isn't open or isn't urgent."""
    found = connection.execute(
        sa.update(TicketRow)
        .where(TicketRow.id == ticket_id, TicketRow.urgent, TicketRow.state == TicketState.OPEN)
        .values(taken_at=now, taken_by=by[:64])
        .returning(TicketRow.id)
    ).one_or_none()
    return found is not None
