"""A wave that is live, without the pages, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot import survey_waves
from bot.messages import OutboundMessage
from bot.service import Service
from bot.storage.models import AddressRow, PartyRow
from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from bot.survey_waves import Plan
from tests.talk import Talk


def live_wave(service: Service, survey: str, contacts: list[int], **values: Any) -> int:
    """A live wave with an invitation that waits for each of these contacts."""
    now, surveyor = service.clock.now(), service.conversation.surveyor
    assert surveyor is not None

    def make(connection: sa.Connection) -> int:
        wave = survey_waves.draft(connection, surveyor, Plan(survey, None, 0), "tester", now)
        items = [
            [key, surveyor.content.surveys.items[key].version] for key in surveyor.content.surveys.surveys[survey].items
        ]
        facts = {
            "state": "live",
            "items": items,
            "live_at": now,
            "closes_on": (now + timedelta(days=21)).date(),
        } | values
        connection.execute(sa.update(SurveyWaveRow).where(SurveyWaveRow.id == wave).values(**facts))
        for row in survey_waves.places(connection, wave, contacts, now, now):
            connection.execute(sa.insert(SurveyInvitationRow).values(**row))
        return wave

    return service.store.write(make)


def contact_of(talk: Talk) -> int:
    vault, address = talk.service.vault, talk.address
    lookup = vault.lookup(address.channel, address.value)
    query = sa.select(AddressRow.contact_id).where(AddressRow.lookup == lookup)
    return talk.service.store.read(lambda c: c.execute(query).scalar_one())


def knows(talk: Talk, **values: Any) -> None:
    """The municipality knows this person: type, phase and so on."""
    contact_id, now = contact_of(talk), talk.service.clock.now()
    known = {"reference": f"p{contact_id}", "sealed": "x", "group": "asylum", "phase": "trajectory", "imported_at": now}
    row = sa.insert(PartyRow).values(**known | values, contact_id=contact_id)
    talk.service.store.write(lambda c: c.execute(row) and None)


def release(service: Service) -> int:
    now, surveyor = service.clock.now(), service.conversation.surveyor
    return service.store.write(lambda c: survey_waves.release(c, surveyor, now))


def invite(talk: Talk, survey: str, background: dict[str, Any]) -> list[OutboundMessage]:
    """An hour later the invitation of a live wave arrives."""
    if background:
        knows(talk, **background)
    live_wave(talk.service, survey, [contact_of(talk)])
    talk.service.clock.forward(timedelta(hours=1))
    release(talk.service)
    return talk.waits()


def close_waves(service: Service) -> None:
    now, surveyor = service.clock.now(), service.conversation.surveyor

    def close(connection: sa.Connection) -> None:
        for wave in survey_waves.listed(connection):
            survey_waves.close(connection, surveyor, wave.id, now)

    service.store.write(close)


def answers_of(service: Service) -> dict[str, str]:
    """Every answer that is kept: the value, or the status of what has none."""
    query = sa.select(SurveyAnswerRow.item, SurveyAnswerRow.value, SurveyAnswerRow.status)
    rows = service.store.read(lambda c: c.execute(query).all())
    return {row.item: row.value if row.status == "answered" else row.status for row in rows}


def invitation_states(service: Service) -> list[str]:
    query = sa.select(SurveyInvitationRow.state).order_by(SurveyInvitationRow.id)
    return list(service.store.read(lambda c: c.execute(query).scalars()))
