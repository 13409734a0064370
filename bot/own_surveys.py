"""What is kept of a person around surveys, for that person: whether they want them, what they were asked, and when.

No answer is here: those hang on no person (docs/privacy.md).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.survey_models import (
    BadNewsRow,
    PushRow,
    SurveyConsentRow,
    SurveyInvitationRow,
    SurveyPhaseRow,
    SurveyWaveRow,
)

_INVITATION: list[Any] = [
    SurveyInvitationRow.state,
    SurveyInvitationRow.trial,
    SurveyInvitationRow.made_at,
    SurveyInvitationRow.due_at,
    SurveyInvitationRow.invited_at,
    SurveyInvitationRow.reminded_at,
    SurveyInvitationRow.delivered,
    SurveyInvitationRow.read,
    SurveyInvitationRow.started,
    SurveyInvitationRow.waits,
    SurveyInvitationRow.channel,
    SurveyInvitationRow.language,
    SurveyInvitationRow.type,
    SurveyInvitationRow.gender,
    SurveyInvitationRow.cost.label("cost_in_millionths_of_a_euro"),
]


def collect(connection: Connection, contact_id: int) -> dict[str, Any]:
    """Consent, invitations, the day of bad news, what was last seen of the file, and messages of our own accord."""
    consent = sa.select(SurveyConsentRow.state, SurveyConsentRow.at).where(SurveyConsentRow.contact_id == contact_id)
    seen = sa.select(SurveyPhaseRow.phase, SurveyPhaseRow.talked_on.label("progress_talk"))
    news = sa.select(BadNewsRow.at).where(BadNewsRow.contact_id == contact_id)
    asked = (
        sa.select(SurveyWaveRow.survey, SurveyWaveRow.code.label("wave"), *_INVITATION)
        .join(SurveyWaveRow, SurveyWaveRow.id == SurveyInvitationRow.wave_id)
        .where(SurveyInvitationRow.contact_id == contact_id)
        .order_by(SurveyInvitationRow.id)
    )
    pushes = sa.select(PushRow.kind, PushRow.at).where(PushRow.contact_id == contact_id).order_by(PushRow.id)
    return {
        "consent": _one(connection, consent),
        "invitations": _all(connection, asked),
        "bad_news_at": connection.execute(news).scalar_one_or_none(),
        "last_seen_of_the_file": _one(connection, seen.where(SurveyPhaseRow.contact_id == contact_id)),
        "messages_of_our_own_accord": _all(connection, pushes),
    }


def _one(connection: Connection, query: Any) -> dict[str, Any] | None:
    row = connection.execute(query).one_or_none()
    return row._asdict() if row else None


def _all(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [row._asdict() for row in connection.execute(query)]
