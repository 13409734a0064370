"""Whether an invitation to a survey may go by a template, outside WhatsApp's window, and what that costs.

A template costs money, so each wave has a budget, and none of it when nobody set one. What a template costs is taken
from the budget in the transaction that lets it go, under the lock of the wave, so that no two can take the last of it;
what was not delivered is given back (`bot/outbox.py`). A reminder is worth no template.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import outbox
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from bot.survey_answers import Surveyor

TEMPLATE = "survey"
# Why an invitation waits, as the page of a wave counts it.
WINDOW, LANGUAGE, BUDGET = "window", "language", "budget"
REASONS = (WINDOW, LANGUAGE, BUDGET)


@dataclass(frozen=True)
class Way:
    """How an invitation goes: as an ordinary message, by template for `cost` millionths of a euro, or not now."""

    cost: int | None = None
    waits: str = ""


def way(  # noqa: PLR0917  # one invitation and where it goes
    connection: Connection,
    surveyor: Surveyor,
    invitation: sa.Row[Any],
    address: sa.Row[Any],
    language: str,
    now: datetime,
) -> Way:
    """How an invitation may go now. `invitation`: its `wave_id` and `state`. The wave stays locked until the end."""
    if not outbox.is_window_shut(address.channel, address.window_until, now):
        return Way()
    query = sa.select(SurveyWaveRow.budget, SurveyWaveRow.spent).where(SurveyWaveRow.id == invitation.wave_id)
    wave = connection.execute(query.with_for_update()).one()
    if invitation.state != "waiting" or not wave.budget:
        return Way(waits=WINDOW)
    if language not in surveyor.templates.get(address.channel, frozenset()):
        return Way(waits=LANGUAGE)
    if wave.spent + surveyor.template_price > wave.budget:
        return Way(waits=BUDGET)
    return Way(cost=surveyor.template_price)


def spend(connection: Connection, invitation: int, cost: int) -> None:
    """A template goes: take its price from the budget of its wave."""
    mine = SurveyInvitationRow.id == invitation
    connection.execute(sa.update(SurveyInvitationRow).where(mine).values(cost=cost))
    wave = sa.select(SurveyInvitationRow.wave_id).where(mine).scalar_subquery()
    spent = sa.update(SurveyWaveRow).where(SurveyWaveRow.id == wave).values(spent=SurveyWaveRow.spent + cost)
    connection.execute(spent)
