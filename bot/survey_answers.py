"""Answers on their side of the wall: what a respondent answered, with which groups, and what others did.

Everything takes a connection and commits nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.content import Content
from bot.locales import AMSTERDAM
from bot.policy.survey_facts import Background, Others, is_asked
from bot.pushes import PushRules
from bot.scrub import NameWords, scrub
from bot.storage.models import ActorRow, PartyRow
from bot.storage.research_models import SurveyAnswerRow

MIN_OTHERS = 10  # fewer could be recognised, and say little
WORK = "has_work"  # the item whose last answer is the work status
TRIAL = "{}-trial"  # the wave under which staff's answers stand until it goes live
_TYPES = {"asylum": "asylum", "family": "family"}
_GENDERS = {"f": "women", "m": "men", "x": "non_binary"}
_PHASES = {"intake": "brede_intake", "pip": "waiting_for_lessons", "trajectory": "lessons", "done": "finished"}
_WORK = {"yes": "working", "no": "not_working"}
_AGES = ((20, "18-19"), (30, "20-29"), (40, "30-39"), (50, "40-49"), (60, "50-59"), (200, "60+"))


@dataclass(frozen=True)
class Surveyor:
    """What surveys need besides the database."""

    content: Content
    key: str  # of the pseudonyms; no other hash uses it
    rules: PushRules
    templates: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of invitations: languages by channel
    template_price: int = 0  # in millionths of a euro

    def pseudonym(self, contact_id: int) -> str:
        """The respondent of a contact in this programme: 32 hexadecimal digits."""
        message = f"{self.content.surveys.definition.programme}:{contact_id}".encode()
        return hmac.new(self.key.encode(), message, hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True)
class Asked:
    """The invitation that a message is about."""

    row: Any  # an invitation with its wave
    respondent: str

    @property
    def wave(self) -> str:
        return TRIAL.format(self.row.code) if self.row.trial else str(self.row.code)


def insert(connection: Connection, table: Any) -> Any:
    """The insert of the database at hand, which knows conflicts."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def background(connection: Connection, respondent: str, contact_id: int, now: datetime) -> Background:
    """The groups of a person, as the municipality's file and the person's own last answer about work say."""
    columns = (PartyRow.group, PartyRow.gender, PartyRow.birth_year, PartyRow.route, PartyRow.phase)
    party = connection.execute(sa.select(*columns).where(PartyRow.contact_id == contact_id)).one_or_none()
    work = connection.execute(
        sa.select(SurveyAnswerRow.value)
        .where(SurveyAnswerRow.respondent == respondent, SurveyAnswerRow.item == WORK)
        .where(SurveyAnswerRow.status == "answered")
        .order_by(SurveyAnswerRow.asked_on.desc(), SurveyAnswerRow.wave.desc())
        .limit(1)
    ).scalar_one_or_none()
    work_status = _WORK.get(work or "", "unknown")
    if party is None:
        return Background(work_status=work_status)
    return Background(
        type=type_of(party[0]),
        gender=gender_of(party.gender),
        age_group=age_group(party.birth_year, now.astimezone(AMSTERDAM).year),
        route=party.route or "unknown",
        phase=_PHASES.get(party.phase, "unknown"),
        work_status=work_status,
    )


def type_of(group: str | None) -> str:
    """The type of somebody's group in the municipality's file."""
    return _TYPES.get(group or "", "unknown")


def gender_of(code: str | None) -> str:
    """The group of a gender as the municipality's file writes it."""
    return _GENDERS.get(code or "", "unknown")


def age_group(birth_year: int | None, year: int) -> str:
    """The age group that somebody reaches this year, in the groups of the study of 2024."""
    age = year - birth_year if birth_year else 0
    return next((name for end, name in _AGES if age < end), "unknown") if age >= 18 else "unknown"


def answers_of(connection: Connection, asked: Asked) -> dict[str, str | None]:
    """What this respondent answered or skipped in this wave so far."""
    mine = (SurveyAnswerRow.respondent == asked.respondent, SurveyAnswerRow.wave == asked.wave)
    query = sa.select(SurveyAnswerRow.item, SurveyAnswerRow.value)
    query = query.where(*mine, SurveyAnswerRow.status.in_(("answered", "skipped")))
    return {row.item: row.value for row in connection.execute(query)}


def others(connection: Connection, surveyor: Surveyor, asked: Asked) -> Others | None:
    """How others answered the first scale of this survey, over all waves; only when enough did."""
    surveys = surveyor.content.surveys
    item = next((k for k in surveys.surveys[asked.row.survey].items if surveys.items[k].scale is not None), None)
    if item is None:
        return None
    number = sa.cast(SurveyAnswerRow.value, sa.Integer)
    found = connection.execute(
        sa.select(sa.func.count(), sa.func.avg(number))
        .where(SurveyAnswerRow.item == item, SurveyAnswerRow.status == "answered")
        .where(SurveyAnswerRow.version == surveys.items[item].version)
        .where(SurveyAnswerRow.respondent != asked.respondent, ~SurveyAnswerRow.wave.like(TRIAL.format("%")))
    ).one()
    return Others(item, round(float(found[1]), 1), found[0]) if found[0] >= MIN_OTHERS else None


@dataclass(frozen=True)
class Said:
    """Where and in which language somebody answers."""

    contact_id: int
    language: str
    channel: str
    now: datetime

    @property
    def day(self) -> date:
        return self.now.astimezone(AMSTERDAM).date()


def keep(connection: Connection, surveyor: Surveyor, asked: Asked, said: Said, item: str, value: str | None) -> None:  # noqa: PLR0917  # one answer
    """Write an answer, or over the one before. Words are scrubbed first: the original is never written."""
    status = "answered" if value is not None else "skipped"
    if value is not None and surveyor.content.surveys.items[item].kind == "open":
        value = scrub(value, _name_words(connection, surveyor))
    about = background(connection, asked.respondent, said.contact_id, said.now)
    _write(connection, surveyor, asked, said, about, {item: (value, status)})


def _name_words(connection: Connection, surveyor: Surveyor) -> NameWords:
    names = connection.execute(sa.select(ActorRow.name)).scalars()
    surveys = surveyor.content.surveys
    return NameWords(surveys.name_cues, surveys.title_cues, tuple(names))


def _write(  # noqa: PLR0917  # the columns of one row, by where they come from
    connection: Connection,
    surveyor: Surveyor,
    asked: Asked,
    said: Said,
    about: Background,
    items: Mapping[str, tuple[str | None, str]],
) -> None:
    definition = surveyor.content.surveys.items
    common = {"wave": asked.wave, "respondent": asked.respondent, "asked_on": said.day}
    common |= {"language": said.language, "channel": said.channel, **vars(about)}
    for key, (value, status) in items.items():
        item = definition[key]
        own = {"version": item.version, "study": item.study or "", "value": value, "status": status}
        row = insert(connection, SurveyAnswerRow).values(**common, item=key, **own)
        statement = row.on_conflict_do_update(index_elements=["respondent", "wave", "item"], set_={**common, **own})
        connection.execute(statement)


def fill(connection: Connection, surveyor: Surveyor, asked: Asked, said: Said) -> None:
    """The items without an answer: not for this person, or not reached."""
    surveys = surveyor.content.surveys
    answers = answers_of(connection, asked)
    about = background(connection, asked.respondent, said.contact_id, said.now)
    rest = {
        key: (None, "broken_off" if is_asked(surveys, key, about, answers) else "not_asked")
        for key in surveys.surveys[asked.row.survey].items
        if key not in answers
    }
    _write(connection, surveyor, asked, said, about, rest)
    _drop_unreached(connection, surveyor, asked, answers)


def _drop_unreached(
    connection: Connection, surveyor: Surveyor, asked: Asked, answers: Mapping[str, str | None]
) -> None:
    """An answer behind a turn that was taken back ("back", and another way on) is no answer of this person."""
    surveys = surveyor.content.surveys
    stray = [
        key
        for key in answers
        if (condition := surveys.items[key].ask_if) and answers.get(condition.item) not in condition.values
    ]
    mine = (SurveyAnswerRow.respondent == asked.respondent, SurveyAnswerRow.wave == asked.wave)
    if stray:
        none = {"value": None, "status": "not_asked"}
        connection.execute(sa.update(SurveyAnswerRow).where(*mine, SurveyAnswerRow.item.in_(stray)).values(**none))
