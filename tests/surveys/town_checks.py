"""What a year of surveys may never do, checked by what the platforms saw; and whether each funnel adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa

from bot import pushes, survey_figures
from bot.locales import AMSTERDAM
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from bot.survey_figures import Funnel
from tests.surveys.town import PRICE, RULES, STEP, Got, Someone, Town

SOON = STEP  # what was on its way when somebody said stop


def mistakes(town: Town) -> Iterator[str]:
    """Every rule that was broken."""
    waves = dict(_pairs(town, SurveyInvitationRow.id, SurveyInvitationRow.wave_id))
    for name, one in town.people.items():
        yield from (f"{name}: {fault}" for fault in _alone(one, waves, town.stopped))
    by_contact = sorted(town.people.values(), key=lambda one: one.contact_id)
    for contact_id, chats in groupby(by_contact, key=lambda one: one.contact_id):
        yield from (f"contact {contact_id}: {fault}" for fault in _together(town, list(chats), waves))
    for wave, budget, spent in town.store.read(_budgets):
        paid = sum(got.cost for one in town.people.values() for got in one.got if waves[got.invitation] == wave)
        lost = town.figures["templates not delivered"] * PRICE
        if spent > (budget or 0) or paid - lost > (budget or 0):
            yield f"wave {wave}: {paid} paid and {spent} counted of {budget}"


def _pairs(town: Town, *columns: object) -> list[tuple[int, int]]:
    return [tuple(row) for row in town.store.read(lambda c: c.execute(sa.select(*columns)).all())]


def _budgets(connection: sa.Connection) -> list[tuple[int, int | None, int]]:
    rows = connection.execute(sa.select(SurveyWaveRow.id, SurveyWaveRow.budget, SurveyWaveRow.spent))
    return [tuple(row) for row in rows]


def _alone(one: Someone, waves: dict[int, int], stopped: dict[int, datetime]) -> Iterator[str]:
    """What holds for each chat by itself."""
    for got in one.got:
        if not _by_day(got.at):
            yield f"asked at {got.at}"
        if one.never_at and got.at > one.never_at + SOON:
            yield f"asked at {got.at}, after never"
        if one.gone_at and got.at > one.gone_at + SOON:
            yield f"asked at {got.at}, after all was deleted"
        if any(at + SOON < got.at < at + timedelta(days=RULES.calm_days) for at in one.upset):
            yield f"asked at {got.at}, in the days after bad news"
        if any(len(b) == 2 and b[0] + SOON < got.at < b[1] for b in one.blocks):
            yield f"sent at {got.at} to somebody who had blocked us"
        if got.at > stopped.get(waves[got.invitation], got.at):
            yield f"asked at {got.at}, after the wave was stopped"
    yield from (f"spoken to at {at}" for at in one.pushed if not _by_day(at))


def _together(town: Town, chats: list[Someone], waves: dict[int, int]) -> Iterator[str]:
    """What holds for a person with all chats, from when they were known to be one."""
    since = max((one.merged_at for one in chats if one.merged_at), default=None)
    got = sorted((g for one in chats for g in one.got if since is None or g.at > since), key=lambda g: g.at)
    moments = [g.at for g in got]
    limits = town.content.surveys.definition.limits
    pushed = sorted(moments + [at for one in chats for at in one.pushed if since is None or at > since])
    for every, days, most in (
        (moments, 7, limits.per_week),
        (moments, 30, limits.per_month),
        (pushed, 7, RULES.per_week),
    ):
        for at in every:
            if sum(at <= other < at + timedelta(days=days) for other in every) > most:
                yield f"more than {most} in {days} days from {at}"
    asked = Counter((waves[g.invitation], _is_reminder(g)) for g in got)
    yield from (f"wave {wave}: asked {n} times" for (wave, _), n in asked.items() if n > 1)


def _is_reminder(got: Got) -> bool:
    return any(key.startswith("survey.remind") for key in got.keys)


def _by_day(at: datetime) -> bool:
    local = at.astimezone(AMSTERDAM)
    return RULES.quiet_until <= local.time() < RULES.quiet_from and not pushes.is_day_off(local.date(), RULES)


def funnels(town: Town) -> tuple[Counter[str], list[str]]:
    """All waves together, and what does not add up in any."""
    total: Counter[str] = Counter()
    faults: list[str] = []
    for wave in town.store.read(lambda c: c.execute(sa.select(SurveyWaveRow.__table__)).all()):
        found = town.store.read(lambda c, w=wave: survey_figures.funnel(c, w))
        faults += [f"{wave.code}: {fault}" for fault in found.mistakes()]
        total.update(_line(found))
        total["spent on templates, in cents"] += wave.spent // 10_000
    seen = Counter(_kind(got) for one in town.people.values() for got in one.got)
    total.update({f"{kind} that the platforms saw": seen[kind] for kind in ("invitations", "templates", "reminders")})
    total["let go and never sent"] = len(town.unsent)
    if total["invited"] + total["reminded"] != seen.total() + len(town.unsent):
        faults.append(f"{total['invited']} invited and {total['reminded']} reminded, but {seen.total()} seen")
    return total, faults + _orphans(town)


def _line(found: Funnel) -> dict[str, int]:
    stages = {"in the sample": found.sampled, "invited": found.invited, "delivered": found.delivered}
    stages |= {"read": found.read, "began": found.started, "reminded": found.reminded}
    waits = {f"never asked, for want of a {name}": number for name, number in found.waits.items()}
    return {**stages, **{f"ended as {name}": number for name, number in found.states.items()}, **waits}


def _kind(got: Got) -> str:
    if got.cost:
        return "templates"
    return "reminders" if _is_reminder(got) else "invitations"


def _orphans(town: Town) -> list[str]:
    """Answers of nobody who is still here: of somebody erased, or on the pseudonym of a chat that was joined."""
    here = {town.surveyor.pseudonym(one.contact_id) for one in town.people.values() if one.gone_at is None}
    query = sa.select(SurveyAnswerRow.respondent).distinct()
    left = set(town.store.read(lambda c: c.execute(query).scalars().all())) - here
    return [f"{len(left)} respondents are nobody's any more"] if left else []
