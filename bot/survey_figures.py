"""Figures of a wave: what to expect before it goes out, and how far it came. No answer of one person."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.locales import AMSTERDAM
from bot.storage.fact_models import PublishedRow
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from bot.survey_window import REASONS

RESPONSE = 0.29  # of the study of 2024: 149 of 518
SPREAD = {
    "scale5": 1.2,
    "scale11": 2.7,
}  # standard deviations in the study: 1.00-1.41 and 2.55-2.71
Z95 = 1.96
STATUSES = ("answered", "skipped", "broken_off", "not_asked")
ENDINGS = (
    "waiting",
    "asked",
    "started",
    "done",
    "broken_off",
    "declined",
    "never",
    "silent",
    "not_reached",
    "erased",
    "merged",  # two chats of one person were both asked: this place is the second
)


@dataclass(frozen=True)
class Expected:
    """What a sample is likely to give."""

    people: int
    answers: int
    half_width: Mapping[str, float | None]  # 95 % interval of a mean on each scale; None with too few answers
    half_width_percent: float | None  # of a share, at its widest (50 %)


def expect(people: int, population: int, response: float = RESPONSE) -> Expected:
    """Half the width of 95 % intervals, with the correction for a finite population."""
    answers = round(people * response)
    if answers < 2:
        return Expected(people, answers, dict.fromkeys(SPREAD), None)
    finite = math.sqrt(max(0.0, (population - answers) / (population - 1))) if population > 1 else 0.0
    error = Z95 * finite / math.sqrt(answers)
    return Expected(people, answers, {k: round(sd * error, 2) for k, sd in SPREAD.items()}, round(50 * error, 1))


@dataclass(frozen=True)
class Funnel:
    """How far a wave came. `states` are people, `items` rows of answers."""

    states: Mapping[str, int]
    invited: int
    delivered: int
    read: int
    started: int
    reminded: int
    never_sent: int
    items: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)  # of those never asked: for what, by `survey_window.REASONS`

    @property
    def sampled(self) -> int:
        return sum(self.states.values())

    @property
    def ended(self) -> int:
        """Who began and is through with it: each has a row for every item."""
        return self.states["done"] + self.states["broken_off"]

    def mistakes(self) -> Iterator[str]:
        """What does not add up; nothing, always."""
        if self.invited + self.never_sent != self.sampled:
            yield f"invited {self.invited} and never sent {self.never_sent} are not {self.sampled}"
        stages = (self.invited, self.delivered, self.read, self.started, self.ended)
        if list(stages) != sorted(stages, reverse=True):
            yield "invited, delivered, read, started, ended: {}, {}, {}, {}, {}".format(*stages)
        if self.reminded > self.invited:
            yield f"reminded {self.reminded} of {self.invited}"
        for item, statuses in self.items.items():
            if sum(statuses.values()) != self.ended and not self.states["started"]:
                yield f"{item}: {sum(statuses.values())} rows for {self.ended} people"


def funnel(connection: Connection, wave: sa.Row[Any]) -> Funnel:
    """The figures of a wave as they are now."""
    table = SurveyInvitationRow
    mine = (table.wave_id == wave.id, table.trial.is_(False))

    def count(*conditions: Any) -> int:
        return connection.execute(sa.select(sa.func.count()).where(*mine, *conditions)).scalar_one()

    query = sa.select(table.state, sa.func.count()).where(*mine).group_by(table.state)
    states: dict[str, int] = dict.fromkeys(ENDINGS, 0)
    states.update((row[0], row[1]) for row in connection.execute(query))
    waiting = sa.select(table.waits, sa.func.count()).where(*mine, table.invited_at.is_(None), table.waits != "")
    waits: dict[str, int] = dict.fromkeys(REASONS, 0)
    waits.update((row[0], row[1]) for row in connection.execute(waiting.group_by(table.waits)))
    items: dict[str, dict[str, int]] = {key: dict.fromkeys(STATUSES, 0) for key, _ in wave.items}
    rows = connection.execute(
        sa.select(SurveyAnswerRow.item, SurveyAnswerRow.status, sa.func.count())
        .where(SurveyAnswerRow.wave == wave.code)
        .group_by(SurveyAnswerRow.item, SurveyAnswerRow.status)
    )
    for item, status, number in rows:
        items.setdefault(item, dict.fromkeys(STATUSES, 0))[status] = number
    return Funnel(
        states=states,
        invited=count(table.invited_at.is_not(None)),
        delivered=count(table.delivered),
        read=count(table.read),
        started=count(table.started),
        reminded=count(table.reminded_at.is_not(None)),
        never_sent=count(table.invited_at.is_(None)),
        items=items,
        waits=waits,
    )


STAGES = ("sampled", "invited", "delivered", "read", "started", "done")


def invitations(connection: Connection, waves: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each person in the samples of these waves (their codes), without anything that says who.

    Each row is a dictionary, and JSON but for its two days:

    - `wave`: its code; `live_on`, `closed_on`: days (Dutch), None where it did not come so far;
    - groups of the day on which the person got the place: `type`, `gender` (the words of `survey_answer`), and the
      `language` and `channel` in which they were invited, or answered (both "" where nobody was invited);
    - stages, a bool each and each implied by the one behind it: `sampled` (always), `invited`, `delivered` (Telegram:
      it accepted the message), `read` (WhatsApp's receipt; on Telegram only who reacted: it tells nothing of
      reading), `started`, `done`;
    - `ending`: one of `ENDINGS`; `erased` and `merged` are people of whom no answers are kept any more, so their
      `started` and `done` have no rows in `survey_answer`; leave them out where both are compared.

    How far each question came stands in `survey_answer` (`rows`): its `status` for each respondent and item. There is
    no key between the two on purpose. The order of the rows is that of their values: it tells nothing of the order
    in which people were asked.
    """
    wave, row = SurveyWaveRow, SurveyInvitationRow
    found = connection.execute(
        sa.select(
            wave.code,
            wave.live_at,
            wave.closed_at,
            row.invited_at.is_not(None).label("invited"),
            *(getattr(row, name) for name in ("delivered", "read", "started", "state")),
            *(getattr(row, name) for name in ("type", "gender", "language", "channel")),
        )
        .join(row, row.wave_id == wave.id)
        .where(wave.code.in_(waves), row.trial.is_(False))
        .order_by(wave.code, row.type, row.gender, row.language, row.channel, row.state, row.started, row.read)
    )
    return [
        {
            "wave": one.code,
            "live_on": _day(one.live_at),
            "closed_on": _day(one.closed_at),
            "type": one.type,
            "gender": one.gender,
            "language": one.language if one.invited else "",
            "channel": one.channel if one.invited else "",
            "sampled": True,
            "invited": bool(one.invited),
            "delivered": one.delivered,
            "read": one.read,
            "started": one.started,
            "done": one.state == "done",
            "ending": one.state,
        }
        for one in found
    ]


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(AMSTERDAM).date() if moment is not None else None


COLUMNS = (
    "respondent",
    "wave",
    "item",
    "version",
    "study",
    "value",
    "status",
    "asked_on",
    "language",
    "channel",
    "type",
    "gender",
    "age_group",
    "route",
    "phase",
    "work_status",
)


def rows(connection: Connection, wave: str) -> list[tuple[Any, ...]]:
    """The answers of a wave, one row each, in an order that says nothing of when they came."""
    columns = [getattr(SurveyAnswerRow, name) for name in COLUMNS]
    query = sa.select(*columns).where(SurveyAnswerRow.wave == wave)
    return [tuple(row) for row in connection.execute(query.order_by(SurveyAnswerRow.respondent, SurveyAnswerRow.item))]


def closed_waves(connection: Connection) -> list[str]:
    """The codes of waves that are over and have answers, or figures from when they had, in the order they began in."""
    has_answers = sa.exists().where(SurveyAnswerRow.wave == SurveyWaveRow.code)
    has_figures = sa.exists().where(PublishedRow.wave == SurveyWaveRow.code)
    closed = SurveyWaveRow.closed_at.is_not(None)
    query = sa.select(SurveyWaveRow.code).where(closed, sa.or_(has_answers, has_figures))
    return list(connection.execute(query.order_by(SurveyWaveRow.live_at, SurveyWaveRow.code)).scalars())


def closing_days(connection: Connection) -> dict[str, date]:
    """The day (Dutch) on which each wave closed, by its code."""
    rows = connection.execute(sa.select(SurveyWaveRow.code, SurveyWaveRow.closed_at))
    return {row.code: day for row in rows if (day := _day(row.closed_at)) is not None}


def write_csv(connection: Connection, waves: Sequence[str], path: Path) -> None:
    """The answers of these waves as a file that the figures are made from."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for wave in waves:
            writer.writerows(rows(connection, wave))
