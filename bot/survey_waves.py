"""Waves of a survey: draft, testing, live, closed. Who is asked, when each invitation is let go, and how it went.

Invitations wait in a table of their own and are let go a few at a time, only while few wait to be sent: so however
many there are, the replies to people who wrote are never behind them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import outbox, timers
from bot.contacts import Consent
from bot.content.surveys import Survey
from bot.errors import WegwijsError
from bot.locales import AMSTERDAM, LANGUAGES
from bot.policy.survey_facts import Ending
from bot.storage.models import AddressRow, ContactRow, OutboxRow, PartyRow, TimerRow
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyConsentRow, SurveyInvitationRow, SurveyWaveRow
from bot.survey_answers import TRIAL, Asked, Said, Surveyor, fill, gender_of, insert, type_of
from bot.survey_window import way
from bot.surveys import NEXT_LOOK, latest_address

IN_FLIGHT = 20  # invitations between letting go and sent; with replies at 80 messages a minute nobody notices
LOOKED_AT = 100  # at once: most of a large wave may wait for a window
TRY_AGAIN = timedelta(hours=1)  # an invitation that was let go and not handled comes up again
OPEN = ("waiting", "asked", "started")
MAX_BUDGET = 100_000 * 1_000_000  # a typing error must not cost a fortune
_CHUNK = 500
_PHASES = {
    "brede_intake": "intake",
    "waiting_for_lessons": "pip",
    "lessons": "trajectory",
    "finished": "done",
    "exam": "trajectory",  # the municipality's file has no phase of its own for the exam
}


class WaveError(WegwijsError):
    """A step that a wave can't take now. `words` names the explanation on its page."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True)
class Plan:
    """What somebody asks for a new wave. Raises WaveError where it can't be."""

    survey: str
    sample_size: int | None
    part: int
    budget: int | None = None  # for templates, in millionths of a euro; None: none go

    def check(self, surveyor: Surveyor) -> None:
        survey = surveyor.content.surveys.surveys.get(self.survey)
        if survey is None:
            raise WaveError("no_survey")
        if self.sample_size is not None and not 1 <= self.sample_size <= 1_000_000:
            raise WaveError("sample_size")
        if not 0 <= self.part < survey.schedule.rotate:
            raise WaveError("part")
        if self.budget is not None and not 0 <= self.budget <= MAX_BUDGET:
            raise WaveError("budget")


def draft(connection: Connection, surveyor: Surveyor, plan: Plan, author: str, now: datetime) -> int:
    """A new wave; returns its id. Its code is the survey, the month and a number."""
    plan.check(surveyor)
    base = f"{plan.survey}-{now.astimezone(AMSTERDAM):%Y-%m}"
    taken = sa.select(sa.func.count()).where(SurveyWaveRow.code.like(f"{base}%"))
    number = connection.execute(taken).scalar_one() + 1
    values: dict[str, Any] = {
        "code": f"{base}-{number}",
        "survey": plan.survey,
        "state": "draft",
        "sample_size": plan.sample_size,
        "part": plan.part,
        "budget": plan.budget,
        "seed": secrets.randbelow(2**31),
        "items": [],
        "previewed": [],
        "created_by": author[:64],
        "created_at": now,
    }
    return connection.execute(sa.insert(SurveyWaveRow).values(**values).returning(SurveyWaveRow.id)).scalar_one()


def get(connection: Connection, wave_id: int, *, lock: bool = False) -> sa.Row[Any] | None:
    query = sa.select(SurveyWaveRow.__table__).where(SurveyWaveRow.id == wave_id)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def listed(connection: Connection) -> Sequence[sa.Row[Any]]:
    """All waves, the newest first."""
    return connection.execute(sa.select(SurveyWaveRow.__table__).order_by(SurveyWaveRow.id.desc())).all()


def _in_state(connection: Connection, wave_id: int, *states: str) -> sa.Row[Any]:
    wave = get(connection, wave_id, lock=True)
    if wave is None:
        raise WaveError("gone")
    if wave.state not in states:
        raise WaveError("not_now")
    return wave


def _change(connection: Connection, wave_id: int, **values: Any) -> None:
    connection.execute(sa.update(SurveyWaveRow).where(SurveyWaveRow.id == wave_id).values(**values))


def previewed(connection: Connection, wave_id: int, language: str) -> None:
    """Somebody looked at a draft in a language: all are needed before it goes on."""
    wave = get(connection, wave_id, lock=True)
    if wave is not None and wave.state == "draft" and language not in wave.previewed:
        _change(connection, wave_id, previewed=[*wave.previewed, language])


def begin_test(connection: Connection, wave_id: int) -> str:
    """From draft to testing; returns the code that staff write in the chat."""
    wave = _in_state(connection, wave_id, "draft")
    if set(wave.previewed) != set(LANGUAGES):
        raise WaveError("preview_first")
    code = f"w{secrets.randbelow(90000) + 10000}"
    _change(connection, wave_id, state="testing", trial_code=code)
    return code


def trials(connection: Connection, wave_id: int) -> int:
    """How many of the staff went through to the end."""
    where = (SurveyInvitationRow.wave_id == wave_id, SurveyInvitationRow.trial, SurveyInvitationRow.state == "done")
    return connection.execute(sa.select(sa.func.count()).where(*where)).scalar_one()


def go_live(connection: Connection, surveyor: Surveyor, wave_id: int, now: datetime) -> int:
    """From testing to live: draw the sample and let the trial go. Returns how many are asked."""
    wave = _in_state(connection, wave_id, "testing")
    if not trials(connection, wave_id):
        raise WaveError("test_first")
    trial = (SurveyInvitationRow.wave_id == wave_id, SurveyInvitationRow.trial)
    connection.execute(sa.delete(SurveyInvitationRow).where(*trial))
    connection.execute(sa.delete(SurveyAnswerRow).where(SurveyAnswerRow.wave == TRIAL.format(wave.code)))
    surveys = surveyor.content.surveys
    survey = surveys.surveys[wave.survey]
    by_event = survey.schedule.after is not None
    chosen = [] if by_event else sample(connection, survey, wave)
    for chunk in _chunks(chosen):
        connection.execute(sa.insert(SurveyInvitationRow), places(connection, wave_id, chunk, now, now))
    days = 365 if by_event else survey.closes_after_days + _days_to_send(len(chosen))
    items = [[key, surveys.items[key].version] for key in survey.items]
    closes_on = now.astimezone(AMSTERDAM).date() + timedelta(days=days)
    _change(connection, wave_id, state="live", live_at=now, closes_on=closes_on, items=items, trial_code=None)
    return len(chosen)


def _days_to_send(people: int) -> int:
    """One a second at most, in eleven hours of six days: what a large sample needs on top."""
    return people // 30_000


def places(
    connection: Connection, wave_id: int, contact_ids: Sequence[int], due_at: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Invitations that wait, with the groups that these people belong to now. At most some hundreds at a time."""
    known = connection.execute(
        sa.select(ContactRow.id, ContactRow.language, PartyRow.group, PartyRow.gender)
        .outerjoin(PartyRow, PartyRow.contact_id == ContactRow.id)
        .where(ContactRow.id.in_(contact_ids))
    )
    return [
        waiting(wave_id, row.id, due_at, now)
        | {"language": row.language or "", "type": type_of(row[2]), "gender": gender_of(row.gender)}
        for row in known
    ]


def waiting(wave_id: int, contact_id: int, due_at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "wave_id": wave_id,
        "contact_id": contact_id,
        "state": "waiting",
        "due_at": due_at,
        "made_at": now,
        "trial": False,
        "started": False,
        "delivered": False,
        "channel": "",
    }


def _chunks(values: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(values)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def audience(connection: Connection, survey: Survey) -> list[int]:
    """Everybody whom a survey may be asked: agreed to the service, said no stop, and of its phases and types."""
    query = (
        sa.select(ContactRow.id)
        .outerjoin(PartyRow, PartyRow.contact_id == ContactRow.id)
        .outerjoin(SurveyConsentRow, SurveyConsentRow.contact_id == ContactRow.id)
        .where(ContactRow.consent == Consent.GIVEN.value, ContactRow.stopped.is_(False))
        .where(sa.func.coalesce(SurveyConsentRow.state, "given") != "stopped")
        .order_by(ContactRow.id)
    )
    who = survey.audience
    if who.phases:
        query = query.where(PartyRow.phase.in_({_PHASES[phase] for phase in who.phases if phase in _PHASES}))
    if who.types:
        query = query.where(PartyRow.group.in_(who.types))
    return list(connection.execute(query).scalars())


def sample(connection: Connection, survey: Survey, wave: sa.Row[Any]) -> list[int]:
    """The people of a wave: the part of the panel whose turn it is, then a draw by the wave's seed. Repeatable.

    The parts hang on the survey alone, so that each turn asks other people than the one before.
    """
    rotate = survey.schedule.rotate
    mine = [c for c in audience(connection, survey) if _rank(wave.survey, c) % rotate == wave.part]
    if wave.sample_size is None or wave.sample_size >= len(mine):
        return mine
    return sorted(sorted(mine, key=lambda contact_id: _rank(str(wave.seed), contact_id))[: wave.sample_size])


@dataclass(frozen=True)
class Reach:
    """How the people of a sample can be reached now; `cost` of a template to each who needs one, in millionths."""

    at_once: int = 0
    by_template: int = 0
    not_now: int = 0  # blocked us, or no template in their language
    cost: int = 0


def reach(connection: Connection, surveyor: Surveyor, chosen: Sequence[int], now: datetime) -> Reach:
    """What a wave could cost, to say it before it goes out."""
    ways: Counter[str] = Counter()
    for chunk in _chunks(chosen):
        last: dict[int, Any] = {}
        address = (AddressRow.channel, AddressRow.window_until, AddressRow.blocked_at, ContactRow.language)
        rows = sa.select(ContactRow.id, *address).join(ContactRow, ContactRow.id == AddressRow.contact_id)
        for row in connection.execute(rows.where(ContactRow.id.in_(chunk)).order_by(AddressRow.used_at)):
            last[row.id] = row
        ways.update(_way(surveyor, row, now) for row in last.values())
    return Reach(ways["at_once"], ways["by_template"], ways["not_now"], ways["by_template"] * surveyor.template_price)


def _way(surveyor: Surveyor, row: sa.Row[Any], now: datetime) -> str:
    if row.blocked_at is not None:
        return "not_now"
    if not outbox.is_window_shut(row.channel, row.window_until, now):
        return "at_once"
    return "by_template" if row.language in surveyor.templates.get(row.channel, ()) else "not_now"


def _rank(salt: str, contact_id: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}:{contact_id}".encode()).digest()[:8])


def happened(connection: Connection, surveyor: Surveyor, contact_id: int, event: str, now: datetime) -> int:
    """Something happened to a person: they get their place in every live wave that waits for it. Returns how many."""
    surveys = surveyor.content.surveys.surveys
    live = connection.execute(
        sa.select(SurveyWaveRow.id, SurveyWaveRow.survey).where(SurveyWaveRow.state == "live")
    ).all()
    placed = 0
    for wave in live:
        survey = surveys.get(wave.survey)
        if survey is None or survey.schedule.after != event:
            continue
        due_at = now + timedelta(days=survey.schedule.days)
        statement = insert(connection, SurveyInvitationRow).values(
            places(connection, wave.id, [contact_id], due_at, now)
        )
        again = statement.on_conflict_do_nothing(index_elements=["wave_id", "contact_id"])
        placed += connection.execute(again).rowcount
    return placed


def events_waited_for(connection: Connection, surveyor: Surveyor) -> set[str]:
    """The events after which a live wave asks."""
    live = sa.select(SurveyWaveRow.survey).where(SurveyWaveRow.state == "live").distinct()
    surveys = surveyor.content.surveys.surveys
    found = {surveys[key].schedule.after for key in connection.execute(live).scalars() if key in surveys}
    return {event for event in found if event is not None}


def release(connection: Connection, surveyor: Surveyor, now: datetime) -> int:
    """Let due invitations and reminders go, as many as there is room for; close what is over. Returns how many go."""
    over = (SurveyWaveRow.state == "live", SurveyWaveRow.closes_on < now.astimezone(AMSTERDAM).date())
    for wave_id in connection.execute(sa.select(SurveyWaveRow.id).where(*over)).scalars().all():
        close(connection, surveyor, wave_id, now)
    room = IN_FLIGHT - _in_flight(connection)
    if room < 1:
        return 0
    due = connection.execute(
        sa.select(
            SurveyInvitationRow.id,
            SurveyInvitationRow.wave_id,
            SurveyInvitationRow.contact_id,
            SurveyInvitationRow.state,
            ContactRow.language,
        )
        .join(SurveyWaveRow, SurveyWaveRow.id == SurveyInvitationRow.wave_id)
        .join(ContactRow, ContactRow.id == SurveyInvitationRow.contact_id)
        .where(SurveyInvitationRow.due_at <= now, SurveyWaveRow.state == "live")
        .where(SurveyInvitationRow.contact_id.is_not(None), SurveyInvitationRow.state.in_(OPEN))
        .order_by(SurveyInvitationRow.due_at, SurveyInvitationRow.id)
        .limit(LOOKED_AT)
        .with_for_update(skip_locked=True, of=SurveyInvitationRow)
    ).all()
    gone = 0
    for row in due:
        if gone == room:
            break
        waits = _waits(connection, surveyor, row, now)
        if waits:
            later = sa.update(SurveyInvitationRow).where(SurveyInvitationRow.id == row.id)
            connection.execute(later.values(due_at=now + NEXT_LOOK, waits=waits))
            continue
        step = "ask" if row.state == "waiting" else "remind"
        mine = SurveyInvitationRow.id == row.id
        connection.execute(sa.update(SurveyInvitationRow).where(mine).values(due_at=now + TRY_AGAIN))
        key = f"survey:{row.id}:{step}:{now.isoformat()}"
        payload = {"invitation": row.id, "step": step}
        timers.set_timer(connection, row.contact_id, "survey", payload, key=key, due_at=now)
        gone += 1
    return gone


def _waits(connection: Connection, surveyor: Surveyor, row: Any, now: datetime) -> str:
    """For what an invitation waits on this person's channel: looked at here, so that no message is made for nothing."""
    address = latest_address(connection, row.contact_id)
    return "" if address is None else way(connection, surveyor, row, address, row.language or "", now).waits


def _in_flight(connection: Connection) -> int:
    """What went and is not sent yet; as good as IN_FLIGHT when it is more, and then not counted to the end."""
    waiting = sa.select(TimerRow.id).where(TimerRow.kind == "survey", TimerRow.state == sa.literal_column("0"))
    sending = sa.select(OutboxRow.id).where(
        OutboxRow.state < sa.literal_column("2"), OutboxRow.priority == outbox.INVITATION
    )
    some = (query.limit(IN_FLIGHT).subquery() for query in (waiting, sending))
    return sum(connection.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one() for rows in some)


def close(connection: Connection, surveyor: Surveyor, wave_id: int, now: datetime) -> None:
    """Close a wave, by its day or by the stop button: nobody is asked any more, late answers are told so."""
    wave = _in_state(connection, wave_id, "live", "draft", "testing")
    _fill_begun(connection, surveyor, wave, now)
    for before, after in (("waiting", Ending.NOT_REACHED), ("asked", "silent"), ("started", Ending.BROKEN_OFF)):
        where = (SurveyInvitationRow.wave_id == wave_id, SurveyInvitationRow.state == before)
        connection.execute(sa.update(SurveyInvitationRow).where(*where).values(state=after, due_at=None))
    _change(connection, wave_id, state="closed", closed_at=now, trial_code=None)


def _fill_begun(connection: Connection, surveyor: Surveyor, wave: sa.Row[Any], now: datetime) -> None:
    begun = connection.execute(
        sa.select(SurveyInvitationRow.__table__, ContactRow.language)
        .join(ContactRow, ContactRow.id == SurveyInvitationRow.contact_id)
        .where(SurveyInvitationRow.wave_id == wave.id, SurveyInvitationRow.state == "started")
    ).all()
    for row in begun:
        asked = Asked(_Begun(wave.code, wave.survey, row.trial), surveyor.pseudonym(row.contact_id))
        fill(connection, surveyor, asked, Said(row.contact_id, row.language or "nl", row.channel, now))


@dataclass(frozen=True)
class _Begun:
    """What filling up needs of an invitation."""

    code: str
    survey: str
    trial: bool
