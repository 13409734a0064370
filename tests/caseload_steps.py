"""Steps of a dialogue that the municipality takes: codes, imports, absences, and a clock that is set to a moment.

`klantregisseurs` of a dialogue name who works here; the person of the dialogue is in the file as P-1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot import link_codes
from bot.contacts import Group
from bot.desk import caseload, linking
from bot.desk.actors_file import ActorEntry, read_absence, read_slot
from bot.desk.calendar import Calendar
from bot.desk.caseload_file import PersonLine
from bot.desk.telling import Teller
from bot.locales import AMSTERDAM, FSI, LRI, PDI, RLM, moment
from bot.service import Service
from bot.storage.models import PartyRow, TicketRow
from tests.talk import Talk

_MARKS = str.maketrans(dict.fromkeys((FSI, LRI, PDI, RLM)))


@dataclass
class Municipality:
    """Who works here and who is guided by whom, as the files say it."""

    service: Service
    actors: dict[str, ActorEntry] = field(default_factory=dict)
    person: PersonLine = field(default_factory=lambda: PersonLine(2, "P-1", "", Group.ASYLUM, "", "", "", None, None))

    @property
    def teller(self) -> Teller:
        return Teller(self.service.content, self.service.settings.hours, self.service.clock.now())

    def employs(self, people: dict[str, dict[str, Any]]) -> None:
        for code, facts in people.items():
            self.actors[code] = ActorEntry(code, facts["name"], 1, calendar=_calendar(facts))
        self._import_actors()

    def _import_actors(self) -> None:
        entries = list(self.actors.values())
        self.service.store.write(lambda c: caseload.apply_actors(c, caseload.plan_actors(c, entries), self.teller))

    def change(self, code: str, **facts: Any) -> None:
        self.actors[code] = replace(self.actors[code], **facts)
        self._import_actors()

    def has_in_file(self, **facts: Any) -> None:
        """The file with the person, once more."""
        self.person = replace(self.person, **facts)
        vault = self.service.vault

        def work(connection: sa.Connection) -> None:
            plan = caseload.plan_people(connection, [self.person], vault, "people.csv")
            assert plan.faults == []
            caseload.apply_people(connection, plan, self.teller)

        self.service.store.write(work)

    def letter(self) -> str:
        """A new letter for the person; returns the code in it."""
        service, now = self.service, self.service.clock.now()
        party = service.store.read(lambda c: c.execute(sa.select(PartyRow.id)).scalar_one())
        made = service.store.write(lambda c: linking.make_codes(c, [party], service.vault, now, 30))
        return link_codes.written(made[party][0])


def _calendar(facts: dict[str, Any]) -> Calendar:
    slots, absences = facts.get("slots", []), facts.get("absences", [])
    return Calendar(tuple(sorted(map(read_slot, slots))), tuple(sorted(map(read_absence, absences))))


def wall(text: str) -> datetime:
    """A moment as a clock in Nijmegen shows it: "2026-12-24 12:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def take(municipality: Municipality, talk: Talk, step: dict[str, Any]) -> list[Any] | None:
    """What comes of a step of the municipality; None when the step is none."""
    service = municipality.service
    if "linked_to" in step:
        municipality.has_in_file(klantregisseur=step["linked_to"], phase=step.get("phase", ""))
        return talk.says(municipality.letter())
    if "until" in step:
        service.clock.forward(wall(step["until"]).astimezone(UTC) - service.clock.now())
        return talk.waits()
    if "asks" in step:
        service.conversation.understander.means(step["asks"], "escalate")
        talk.says(step["asks"])
        return talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))
    if "moves_to" in step:
        municipality.has_in_file(klantregisseur=step["moves_to"])
    elif "comes_to_phase" in step:
        municipality.has_in_file(phase=step["comes_to_phase"])
    elif "leaves" in step:
        municipality.change(step["leaves"], active=False)
    elif "absent" in step:
        calendar = municipality.actors[step["absent"]["who"]].calendar
        away = (*calendar.absences, read_absence(step["absent"]["days"]))
        municipality.change(step["absent"]["who"], calendar=replace(calendar, absences=away))
    else:
        return None
    return talk.waits()


def check(service: Service, step: dict[str, Any], got: list[Any]) -> None:
    """Who has the newest ticket, and by when: as it stands there, and as the newcomer was told."""
    if not {"owner", "promised"} & set(step):
        return
    query = sa.select(TicketRow.__table__).order_by(TicketRow.id.desc()).limit(1)
    ticket = service.store.read(lambda c: c.execute(query).one())
    if "owner" in step:
        assert ticket.owner == step["owner"]
    if "promised" in step:
        assert ticket.promise_at == wall(step["promised"])
        assert ticket.promise_at > service.clock.now()
        for message in got[-1:]:
            told = moment(ticket.promise_at, message.language).translate(_MARKS)
            assert told in message.text.translate(_MARKS)
