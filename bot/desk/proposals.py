"""Proposals for answers in the database, and what follows when one is live: everybody who asked it gets it, once.

A question that was answered or closed by hand: the person gets the checked answer as a notice. One that is still open
is not answered blindly: somebody promised an answer and may be writing it now, and the person would get two. There the
answer is put first among the candidates, so that whoever has the question sends it with one choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot import pushes
from bot.actions import Part, Say, Show
from bot.content.proposal import Proposal, Words
from bot.desk.gaps import as_example
from bot.desk.handover import lock_contacts
from bot.desk.telling import Teller, tell
from bot.locales import AMSTERDAM, LANGUAGES, clean
from bot.messages import Push
from bot.pushes import PushRules
from bot.storage.follow_up_models import ProposalRow, ProposalTicketRow
from bot.storage.models import TicketEntryRow, TicketRow, TicketState

BATCH = 200  # tickets a sweep
WAITING = (TicketState.OPEN, TicketState.ASKED)  # somebody at the desk has it
_FIELDS = ("topic", "group", "owner", "source_title", "source_url")
_WORDS = ("title", "question", "short", "more")
_EXAMPLES = tuple(f"{language}_examples" for language in LANGUAGES)


@dataclass(frozen=True)
class Saved:
    """A proposal in the database."""

    id: int
    form: dict[str, str]
    author: str
    changed_at: datetime
    live_at: datetime | None
    asked: int  # tickets that still wait for it
    told: int
    offered: int

    @property
    def topic(self) -> str:
        return self.form["topic"]


def fields() -> list[str]:
    """The names of the fields of the form."""
    return [*_FIELDS, *(f"{language}_{name}" for language in LANGUAGES for name in (*_WORDS, "examples"))]


def from_form(form: dict[str, str]) -> Proposal:
    """What was filled in, cleaned: no control characters, no space at the ends of lines."""
    filled = {name: _tidy(form.get(name, "")) for name in fields()}
    words = {
        language: Words(
            title=filled[f"{language}_title"],
            question=filled[f"{language}_question"],
            short=filled[f"{language}_short"],
            more=filled[f"{language}_more"],
            examples=tuple(line for line in filled[f"{language}_examples"].split("\n") if line),
        )
        for language in LANGUAGES
    }
    return Proposal(
        topic=filled["topic"],
        group=filled["group"],
        owner=filled["owner"],
        source_title=filled["source_title"],
        source_url=filled["source_url"],
        words=words,
    )


def _tidy(text: str) -> str:
    return "\n".join(line.strip() for line in clean(text).strip().split("\n"))


def save(
    connection: Connection, form: dict[str, str], tickets: Sequence[int], author: str, now: datetime
) -> int | None:
    """Keep a proposal; the same topic again changes it and adds the tickets. None when it is live already."""
    values = {"form": {name: form.get(name, "") for name in fields()}, "author": author[:64], "changed_at": now}
    topic = _tidy(form["topic"])
    known = connection.execute(
        sa.select(ProposalRow.id, ProposalRow.live_at).where(ProposalRow.topic == topic).with_for_update()
    ).one_or_none()
    if known is not None and known.live_at is not None:
        return None
    if known is None:
        made = sa.insert(ProposalRow).values(topic=topic, created_at=now, told=0, offered=0, **values)
        proposal_id: int = connection.execute(made.returning(ProposalRow.id)).scalar_one()
    else:
        proposal_id = known.id
        connection.execute(sa.update(ProposalRow).where(ProposalRow.id == proposal_id).values(**values))
    there = connection.execute(sa.select(TicketRow.id).where(TicketRow.id.in_(tickets))).scalars()
    rows = [{"proposal_id": proposal_id, "ticket_id": ticket_id} for ticket_id in there]
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(ProposalTicketRow).values(rows).on_conflict_do_nothing())
    return proposal_id


def forget(connection: Connection, contact_id: int) -> None:
    """Take the questions of somebody who is erased out of the examples. What an editor rewrote is the editor's."""
    asked = (
        sa.select(TicketEntryRow.text)
        .join(TicketRow, TicketRow.id == TicketEntryRow.ticket_id)
        .where(TicketRow.contact_id == contact_id, TicketEntryRow.kind == "question")
    )
    theirs = {as_example(text).casefold() for text in connection.execute(asked).scalars()}
    if not theirs:
        return
    for row in connection.execute(sa.select(ProposalRow.id, ProposalRow.form)).all():
        form = row.form | {name: _without(row.form.get(name, ""), theirs) for name in _EXAMPLES}
        if form != row.form:
            connection.execute(sa.update(ProposalRow).where(ProposalRow.id == row.id).values(form=form))


def _without(examples: str, theirs: set[str]) -> str:
    return "\n".join(line for line in examples.splitlines() if line.strip().casefold() not in theirs)


def saved(connection: Connection, proposal_id: int | None = None) -> list[Saved]:
    """The proposals, or one of them, the newest first."""
    asked = (
        sa.select(sa.func.count())
        .where(ProposalTicketRow.proposal_id == ProposalRow.id)
        .correlate(ProposalRow)
        .scalar_subquery()
    )
    query = sa.select(ProposalRow.__table__, asked.label("asked")).order_by(ProposalRow.changed_at.desc())
    query = query if proposal_id is None else query.where(ProposalRow.id == proposal_id)
    return [
        Saved(row.id, dict(row.form), row.author, row.changed_at, row.live_at, row.asked, row.told, row.offered)
        for row in connection.execute(query)
    ]


def deliver(connection: Connection, teller: Teller, rules: PushRules) -> int:
    """Give answers that went live to those who asked, a batch at a time; returns how many tickets were settled.

    A ticket is settled once: its row goes in the same transaction. Who may not be written to now keeps it for later.
    """
    today = teller.now.astimezone(AMSTERDAM).date()
    live = [topic for topic in teller.content.topics if not teller.content.is_withheld(topic, today)]
    rows: list[sa.Row[Any]] = list(
        connection.execute(
            sa.select(ProposalTicketRow.proposal_id, ProposalTicketRow.ticket_id, ProposalRow.topic)
            .add_columns(TicketRow.contact_id)
            .join(ProposalRow, ProposalRow.id == ProposalTicketRow.proposal_id)
            .join(TicketRow, TicketRow.id == ProposalTicketRow.ticket_id)
            .where(ProposalRow.topic.in_(live))
            .order_by(ProposalTicketRow.proposal_id, TicketRow.contact_id, ProposalTicketRow.ticket_id)
            .limit(BATCH)
        )
    )
    lock_contacts(connection, [row.contact_id for row in rows])
    fresh = sa.and_(ProposalRow.topic.in_(live), ProposalRow.live_at.is_(None))
    connection.execute(sa.update(ProposalRow).where(fresh).values(live_at=teller.now))
    still_open = set(
        connection.execute(
            sa.select(TicketRow.id).where(
                TicketRow.id.in_([row.ticket_id for row in rows]), TicketRow.state.in_(WAITING)
            )
        ).scalars()
    )
    desk_has = {(row.proposal_id, row.contact_id) for row in rows if row.ticket_id in still_open}
    told_by_desk = [row for row in rows if (row.proposal_id, row.contact_id) in desk_has]
    offered = sum(_offer(connection, row, is_open=row.ticket_id in still_open) for row in told_by_desk)
    return offered + sum(_tell(connection, row, teller, rules) for row in rows if row not in told_by_desk)


def _offer(connection: Connection, row: sa.Row[Any], *, is_open: bool) -> bool:
    """The desk has a question of this person: the answer stands first there, and the person hears it from the desk."""
    if is_open:
        ticket = TicketRow.id == row.ticket_id
        known = connection.execute(sa.select(TicketRow.candidates).where(ticket)).scalar_one()
        others = [candidate for candidate in known if candidate[0] != row.topic]
        connection.execute(sa.update(TicketRow).where(ticket).values(candidates=[[row.topic, 1.0], *others]))
    _done(connection, row, {"offered": ProposalRow.offered + 1} if is_open else {})
    return True


def _tell(connection: Connection, row: sa.Row[Any], teller: Teller, rules: PushRules) -> bool:
    """Give the answer to the person. False when it may go later, or went already for another ticket of theirs."""
    if _is_settled(connection, row):
        return False
    permission = pushes.book(connection, row.contact_id, Push.NOTICE, teller.now, rules)
    if permission.at is not None and not permission.now:
        return False
    parts: tuple[Part, ...] = (Say("gap.answered"), Show(row.topic))
    key = f"gap:{row.topic}:{row.contact_id}"
    told = permission.now and tell(connection, row.contact_id, parts, key, teller)
    _settle_others(connection, row)
    _done(connection, row, {"told": ProposalRow.told + 1} if told else {})
    return True


def _done(connection: Connection, row: sa.Row[Any], counted: dict[str, Any]) -> None:
    if counted:
        connection.execute(sa.update(ProposalRow).where(ProposalRow.id == row.proposal_id).values(**counted))
    mine = (ProposalTicketRow.proposal_id == row.proposal_id, ProposalTicketRow.ticket_id == row.ticket_id)
    connection.execute(sa.delete(ProposalTicketRow).where(*mine))


def _is_settled(connection: Connection, row: sa.Row[Any]) -> bool:
    """Whether this ticket's row is gone by now: the person asked twice, and the first one settled both."""
    where = (ProposalTicketRow.proposal_id == row.proposal_id, ProposalTicketRow.ticket_id == row.ticket_id)
    return connection.execute(sa.select(ProposalTicketRow.ticket_id).where(*where)).first() is None


def _settle_others(connection: Connection, row: sa.Row[Any]) -> None:
    """Who asked it twice gets it once."""
    theirs = sa.select(TicketRow.id).where(TicketRow.contact_id == row.contact_id, TicketRow.state.not_in(WAITING))
    where = (ProposalTicketRow.proposal_id == row.proposal_id, ProposalTicketRow.ticket_id.in_(theirs))
    connection.execute(sa.delete(ProposalTicketRow).where(*where))
