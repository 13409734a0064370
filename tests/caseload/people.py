"""Klantregisseurs and the people they guide, straight into the database."""

from __future__ import annotations

from datetime import time

import sqlalchemy as sa

from bot.desk.calendar import Slot
from bot.messages import Address
from bot.storage.models import AbsenceRow, ActorRow, ContactRow, PartyRow, SlotRow, TicketRow

TUESDAY, THURSDAY = Slot(1, time(9), time(11)), Slot(3, time(13), time(15))


def make_actor(service, code="kr-1", name="Sanne de Wit", slots=(TUESDAY, THURSDAY), absences=()):
    def make(connection):
        values = {"code": code, "name": name, "languages": ["nl"], "active": True, "imported_at": service.clock.now()}
        actor_id = connection.execute(sa.insert(ActorRow).values(**values).returning(ActorRow.id)).scalar_one()
        for s in slots:
            slot = {"weekday": s.weekday, "starts": s.starts, "ends": s.ends, "max_answers": s.max_answers}
            connection.execute(sa.insert(SlotRow).values(actor_id=actor_id, **slot))
        for first, last in absences:
            connection.execute(sa.insert(AbsenceRow).values(actor_id=actor_id, first_day=first, last_day=last))
        return actor_id

    return service.store.write(make)


def make_party(service, actor_id, key="P-1", contact_id=None, **values):
    vault = service.vault
    sealed, reference = vault.seal(Address("party", key)), vault.lookup("party", key)
    known = {"reference": reference, "sealed": sealed, "actor_id": actor_id, "contact_id": contact_id}
    facts = {"group": "asylum", "route": "", "phase": "", "language": "nl", "imported_at": service.clock.now()}
    row = sa.insert(PartyRow).values(**known, **(facts | values)).returning(PartyRow.id)
    return service.store.write(lambda c: c.execute(row).scalar_one())


def newest_contact(service):
    return service.store.read(lambda c: c.execute(sa.select(sa.func.max(ContactRow.id))).scalar_one())


def tickets(service):
    return service.store.read(lambda c: c.execute(sa.select(TicketRow.__table__).order_by(TicketRow.id)).all())


def rows(service, table):
    return service.store.read(lambda c: c.execute(sa.select(table.__table__)).all())
