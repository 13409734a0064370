"""How far each person of a wave came, for the figures: stages and groups, and nothing that says who."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot import outbox, survey_figures, survey_waves
from bot.messages import Receipt
from bot.storage.models import OutboxRow
from bot.storage.survey_models import SurveyWaveRow
from tests.surveys.helping import close_waves, contact_of, knows, live_wave, release
from tests.talk import Talk


def receives(service, talk, state):
    query = sa.select(OutboxRow.provider_id).where(OutboxRow.priority == 2, OutboxRow.channel == talk.channel)
    provider_id = service.store.read(lambda c: c.execute(query).scalar_one())
    receipt = Receipt(talk.channel, provider_id, state)
    service.store.write(lambda c: outbox.receive(c, receipt, service.clock.now()))


def invitations(service):
    codes = service.store.read(lambda c: c.execute(sa.select(SurveyWaveRow.code)).scalars().all())
    return service.store.read(lambda c: survey_figures.invitations(c, codes))


def stages(service):
    return {
        row["channel"] + row["language"]: "".join(name[0] for name in survey_figures.STAGES if row[name])
        for row in invitations(service)
    }


def test_each_person_of_a_wave_has_a_row_with_the_stages_and_groups(service):
    """One finished in Dutch, one read it and said no more in Arabic, one was never asked."""
    done = Talk(service, "telegram").agrees("nl")
    reads = Talk(service, "whatsapp").agrees("ar")
    never = Talk(service, "telegram", who="never-asked").agrees("en")
    knows(done, group="asylum", gender="f")
    live_wave(service, "social_life", [contact_of(talk) for talk in (done, reads, never)])
    never.says("stop")
    service.clock.forward(timedelta(hours=1))
    release(service)
    done.waits()
    reads.waits()
    assert stages(service) == {"": "s", "telegramnl": "sid", "whatsappar": "si"}
    for state in ("delivered", "read"):
        receives(service, reads, state)
    done.taps("survey:yes:1")
    for _ in range(3):
        done.says("4")
    assert stages(service) == {"": "s", "telegramnl": "sidrsd", "whatsappar": "sidr"}
    close_waves(service)
    rows = invitations(service)
    assert [row["ending"] for row in rows] == ["done", "silent", "not_reached"]
    assert {**rows[0], "wave": ""} == {
        "wave": "",
        "live_on": service.clock.now().date(),
        "closed_on": service.clock.now().date(),
        "type": "asylum",
        "gender": "women",
        "language": "nl",
        "channel": "telegram",
        **dict.fromkeys(survey_figures.STAGES, True),
        "ending": "done",
    }
    done.taps("erase:yes")
    assert [row["ending"] for row in invitations(service)] == ["erased", "silent", "not_reached"]
    assert service.store.read(_mistakes) == []


def _mistakes(connection):
    return [
        fault
        for wave in survey_waves.listed(connection)
        for fault in survey_figures.funnel(connection, wave).mistakes()
    ]
