"""The storage side of surveys: what a decision may look at, and what it decided.

The only module, with `bot/survey_waves.py`, that knows both sides of the wall: a contact, and the pseudonym that its
answers hang on. The pseudonym is a keyed hash; without the key of the settings nobody can go from one to the other.
Everything takes a connection and commits nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import pushes
from bot.actions import EndSurvey, Invite, KeepAnswer, Postpone, RefuseSurveys, StartSurvey
from bot.contacts import Contact
from bot.locales import AMSTERDAM
from bot.messages import InboundMessage, Kind, Push
from bot.policy.survey_facts import Ending, SurveyFacts
from bot.pushes import PushRules
from bot.storage.models import AddressRow
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyConsentRow, SurveyInvitationRow, SurveyWaveRow
from bot.survey_answers import TRIAL, Asked, Said, Surveyor, answers_of, background, fill, insert, keep, others
from bot.survey_window import spend, way

BUSY = timedelta(minutes=30)  # somebody who wrote so lately is in the middle of something
LATER = timedelta(hours=2)
NEXT_LOOK = timedelta(hours=12)  # at whether a window opened: each is open for longer, so none is missed


_INVITATION: list[Any] = [
    SurveyInvitationRow.__table__,
    SurveyWaveRow.code,
    SurveyWaveRow.survey,
    SurveyWaveRow.state.label("wave_state"),
    SurveyWaveRow.closes_on,
]


def find(connection: Connection, surveyor: Surveyor, contact_id: int, invitation: int) -> Asked | None:
    """An invitation of this very contact."""
    query = sa.select(*_INVITATION).join(SurveyWaveRow, SurveyWaveRow.id == SurveyInvitationRow.wave_id)
    mine = (SurveyInvitationRow.id == invitation, SurveyInvitationRow.contact_id == contact_id)
    row = connection.execute(query.where(*mine)).one_or_none()
    return Asked(row, surveyor.pseudonym(contact_id)) if row else None


def facts(
    connection: Connection, surveyor: Surveyor, contact: Contact, message: InboundMessage, now: datetime
) -> SurveyFacts | None:
    """What a decision on this message may know of a survey; None where it is about none."""
    invitation = _which(connection, surveyor, contact, message, now)
    asked = find(connection, surveyor, contact.id, invitation) if invitation else None
    if asked is None or asked.row.survey not in surveyor.content.surveys.surveys:
        return None
    row = asked.row
    answers = answers_of(connection, asked)
    timer = message.kind is Kind.TIMER
    found = SurveyFacts(
        invitation=row.id,
        survey=row.survey,
        is_open=row.wave_state == ("testing" if row.trial else "live") and not _is_over(row, now),
        state=row.state,
        background=background(connection, asked.respondent, contact.id, now),
        answers=answers,
        is_reminded=row.reminded_at is not None,
        is_dull=timer and _is_dull(row, message),
        others=others(connection, surveyor, asked) if contact.thread.pulse else None,
        for_all=row.trial,
    )
    if not timer or found.is_dull or not found.is_open:
        return found
    return _when(connection, surveyor, contact, row, now, found)


def _which(
    connection: Connection, surveyor: Surveyor, contact: Contact, message: InboundMessage, now: datetime
) -> int | None:
    if message.kind is Kind.TIMER:
        number = message.extra.get("invitation")
        return number if isinstance(number, int) and message.extra.get("timer") == "survey" else None
    token = message.token if message.kind is Kind.TAP else ""
    parts = token.split(":")
    if len(parts) > 2 and parts[0] == "survey" and parts[2].isascii() and parts[2].isdigit():
        return int(parts[2]) if len(parts[2]) < 15 else None
    words = message.text.lower().split()
    if len(words) == 2 and words[0] == "test":
        return _trial(connection, surveyor, contact.id, words[1], now)
    return contact.thread.pulse.invitation if contact.thread.pulse else None


def _trial(connection: Connection, surveyor: Surveyor, contact_id: int, code: str, now: datetime) -> int | None:
    """Somebody of the staff tries a wave out: an invitation of its own, that counts for nothing, from the start."""
    trial = (SurveyWaveRow.trial_code == code, SurveyWaveRow.state == "testing")
    wave = connection.execute(sa.select(SurveyWaveRow.id, SurveyWaveRow.code).where(*trial)).one_or_none()
    if wave is None:
        return None
    mine = (
        SurveyAnswerRow.respondent == surveyor.pseudonym(contact_id),
        SurveyAnswerRow.wave == TRIAL.format(wave.code),
    )
    connection.execute(sa.delete(SurveyAnswerRow).where(*mine))
    values = {"wave_id": wave.id, "contact_id": contact_id, "state": "asked", "trial": True, "made_at": now}
    row = insert(connection, SurveyInvitationRow).values(**values, started=False, delivered=False, channel="")
    again = {"state": "asked", "started": False}
    statement = row.on_conflict_do_update(index_elements=["wave_id", "contact_id"], set_=again)
    return int(connection.execute(statement.returning(SurveyInvitationRow.id)).scalar_one())


def _is_over(row: sa.Row[Any], now: datetime) -> bool:
    return row.closes_on is not None and now.astimezone(AMSTERDAM).date() > row.closes_on


def _is_dull(row: sa.Row[Any], message: InboundMessage) -> bool:
    """Whether a timer's ground is gone: already asked, already reminded, or settled."""
    asks = message.extra.get("step") == "ask"
    if asks:
        return bool(row.state != "waiting")
    return row.state not in ("asked", "started") or row.reminded_at is not None


def _when(  # noqa: PLR0917  # one invitation
    connection: Connection, surveyor: Surveyor, contact: Contact, row: sa.Row[Any], now: datetime, found: SurveyFacts
) -> SurveyFacts:
    """The facts, with when an invitation or its reminder goes, and how."""
    address = latest_address(connection, contact.id)
    if address is None or address.blocked_at is not None:
        return found
    at = _goes_at(connection, surveyor, contact, address, now)
    if at != now:
        return replace(found, goes_at=_in_time(at, row))
    by = way(connection, surveyor, row, address, contact.language or "", now)
    if by.waits:
        return replace(found, goes_at=_in_time(_by_day(now + NEXT_LOOK, surveyor.rules), row), waits=by.waits)
    return replace(found, goes_at=now, template_cost=by.cost)


def _in_time(at: datetime | None, row: sa.Row[Any]) -> datetime | None:
    """None when a wave is over by then."""
    is_late = at is not None and row.closes_on is not None and at.astimezone(AMSTERDAM).date() > row.closes_on
    return None if is_late else at


def _goes_at(
    connection: Connection, surveyor: Surveyor, contact: Contact, address: sa.Row[Any], now: datetime
) -> datetime | None:
    """When an invitation or its reminder may go; None: never."""
    refused = sa.select(SurveyConsentRow.state).where(SurveyConsentRow.contact_id == contact.id)
    if connection.execute(refused).scalar_one_or_none() == "stopped":
        return None
    kind = Push.PULSE
    at = pushes.may_push(connection, contact.id, kind, now, surveyor.rules).at
    if at is None:
        return None
    if at == now and (address.used_at > now - BUSY or contact.thread.writing):
        at = _by_day(now + LATER, surveyor.rules)
    at = max(at, _own_limit(connection, surveyor, contact.id, now))
    return max(at, _by_day(at, surveyor.rules))


def _by_day(at: datetime, rules: PushRules) -> datetime:
    return pushes.next_moment(at, rules, []).at or at


def latest_address(connection: Connection, contact_id: int) -> sa.Row[Any] | None:
    """Where a person wrote last: a timer's message goes there."""
    query = sa.select(AddressRow.__table__).where(AddressRow.contact_id == contact_id)
    return connection.execute(query.order_by(AddressRow.used_at.desc()).limit(1)).one_or_none()


def _own_limit(connection: Connection, surveyor: Surveyor, contact_id: int, now: datetime) -> datetime:
    """When the surveys' own limit has room again: so many a week and a month, invitations and reminders together."""
    limits = surveyor.content.surveys.definition.limits
    rows = connection.execute(
        sa.select(SurveyInvitationRow.invited_at, SurveyInvitationRow.reminded_at).where(
            SurveyInvitationRow.contact_id == contact_id, SurveyInvitationRow.trial.is_(False)
        )
    ).all()
    sent = sorted(moment for row in rows for moment in row if moment is not None)
    at = now
    for days, most in ((7, limits.per_week), (30, limits.per_month)):
        recent = [moment for moment in sent if moment > now - timedelta(days=days)]
        if len(recent) >= most:
            at = max(at, recent[-most] + timedelta(days=days))
    return at


def invite(connection: Connection, surveyor: Surveyor, said: Said, action: Invite, key: str) -> None:
    """The invitation or reminder goes with this turn: count it, and set the day of the reminder."""
    now = said.now
    pushes.book(connection, said.contact_id, action.push, now, surveyor.rules)
    row = connection.execute(
        sa.select(SurveyWaveRow.survey)
        .join(SurveyInvitationRow, SurveyInvitationRow.wave_id == SurveyWaveRow.id)
        .where(SurveyInvitationRow.id == action.invitation)
    ).one()
    if action.push is Push.REMINDER:
        values: dict[str, Any] = {"reminded_at": now, "due_at": None}
    else:
        days = surveyor.content.surveys.surveys[row.survey].reminder_after_days
        due_at = now + timedelta(days=days) if days else None
        values = {"state": "asked", "invited_at": now, "due_at": due_at, "outbox_key": key}
        values |= {"channel": said.channel, "language": said.language, "waits": ""}
    _change(connection, action.invitation, **values)
    if action.cost:
        spend(connection, action.invitation, action.cost)


def _change(connection: Connection, invitation: int, **values: Any) -> None:
    connection.execute(sa.update(SurveyInvitationRow).where(SurveyInvitationRow.id == invitation).values(**values))


def start(connection: Connection, said: Said, invitation: int) -> None:
    """The person agreed: kept as consent of its own. Who answers, got the message."""
    where = {"channel": said.channel, "language": said.language}
    _change(connection, invitation, state="started", started=True, delivered=True, read=True, **where)
    _consent(connection, said.contact_id, "given", said.now)


def _consent(connection: Connection, contact_id: int, state: str, now: datetime) -> None:
    row = insert(connection, SurveyConsentRow).values(contact_id=contact_id, state=state, at=now)
    new = {"state": state, "at": now}
    connection.execute(row.on_conflict_do_update(index_elements=["contact_id"], set_=new))


def carry_out(connection: Connection, surveyor: Surveyor, said: Said, action: Any, next_key: str) -> None:
    """What the policy decided. `next_key`: of the message that goes out with it."""
    if isinstance(action, Invite):
        invite(connection, surveyor, said, action, next_key)
    elif isinstance(action, Postpone):
        _change(connection, action.invitation, due_at=action.at, waits=action.waits)
    elif isinstance(action, StartSurvey):
        start(connection, said, action.invitation)
    elif isinstance(action, KeepAnswer):
        asked = find(connection, surveyor, said.contact_id, action.invitation)
        if asked is not None and action.item in surveyor.content.surveys.items:
            keep(connection, surveyor, asked, said, action.item, action.value)
    elif isinstance(action, EndSurvey):
        end(connection, surveyor, said, action)
    elif isinstance(action, RefuseSurveys):
        refuse(connection, surveyor, said)
    else:
        raise TypeError(type(action).__name__)


def end(connection: Connection, surveyor: Surveyor, said: Said, action: EndSurvey) -> None:
    """Settle an invitation. What was begun gets a row for every item: asked or not, each counts."""
    asked = find(connection, surveyor, said.contact_id, action.invitation)
    if asked is None or asked.row.state in set(Ending):
        return
    reacted = {"delivered": True, "read": True} if action.ending is Ending.DECLINED else {}
    _change(connection, action.invitation, state=action.ending, due_at=None, **reacted)
    if action.ending in (Ending.DONE, Ending.BROKEN_OFF):
        fill(connection, surveyor, asked, said)


def refuse(connection: Connection, surveyor: Surveyor, said: Said) -> None:
    """No survey any more, for good: whatever waits or runs for this person ends."""
    _consent(connection, said.contact_id, "stopped", said.now)
    rows = connection.execute(
        sa.select(SurveyInvitationRow.id, SurveyInvitationRow.state).where(
            SurveyInvitationRow.contact_id == said.contact_id,
            SurveyInvitationRow.state.in_(("waiting", "asked", "started")),
        )
    ).all()
    endings = {"waiting": Ending.NOT_REACHED, "asked": Ending.NEVER, "started": Ending.BROKEN_OFF}
    for row in rows:
        end(connection, surveyor, said, EndSurvey(row.id, endings[row.state]))


def join(connection: Connection, surveyor: Surveyor, *, gone: int, stays: int) -> None:
    """Two contacts became one (`bot/merging.py`): the answers of the one that is gone hang on the other's pseudonym.

    Else nobody could find them any more, and they would outlive the wish to be erased. Where both answered in one wave,
    the answers of the one that came further are kept: its place is the one that is left.
    """
    before, after = surveyor.pseudonym(gone), surveyor.pseudonym(stays)
    for wave, first, second in _answered_by(connection, before, after):
        loser = before if second >= first else after
        mine = SurveyAnswerRow.wave == wave
        connection.execute(sa.delete(SurveyAnswerRow).where(mine, SurveyAnswerRow.respondent == loser))
    moved = sa.update(SurveyAnswerRow).where(SurveyAnswerRow.respondent == before)
    connection.execute(moved.values(respondent=after))


def _answered_by(connection: Connection, one: str, other: str) -> list[tuple[str, int, int]]:
    """The waves with rows of both, and how many of each: who is through has one for every item."""
    count = sa.func.sum(sa.case((SurveyAnswerRow.respondent == one, 1), else_=0))
    theirs = sa.func.sum(sa.case((SurveyAnswerRow.respondent == other, 1), else_=0))
    query = sa.select(SurveyAnswerRow.wave, count, theirs).where(SurveyAnswerRow.respondent.in_([one, other]))
    rows = connection.execute(query.group_by(SurveyAnswerRow.wave).having(count > 0, theirs > 0))
    return [(row[0], int(row[1]), int(row[2])) for row in rows]


def erase(connection: Connection, surveyor: Surveyor, contact_id: int) -> None:
    """Delete the answers of a person who is erased. Called before the contact goes, while the way there is known.

    The invitation stays without the person, so that the figures of a wave still add up.
    """
    respondent = surveyor.pseudonym(contact_id)
    connection.execute(sa.delete(SurveyAnswerRow).where(SurveyAnswerRow.respondent == respondent))
    mine = SurveyInvitationRow.contact_id == contact_id
    gone = {"state": "erased", "contact_id": None, "due_at": None, "outbox_key": None}
    connection.execute(sa.update(SurveyInvitationRow).where(mine).values(**gone))
