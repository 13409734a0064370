"""A small made-up population, so that the pages show something: invented people, invented questions. Loaded once."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Connection

from bot import escalation, people, working_days
from bot.accounts import accounts, passwords
from bot.contacts import Consent, Contact, Group, Question, Route
from bot.desk import linking
from bot.desk.caseload import PARTY
from bot.errors import AccountError
from bot.link_codes import written
from bot.messages import Address, InboundMessage, Kind
from bot.roles import Principal
from bot.service import Service
from bot.storage.models import ActorRow, MarkerRow, PartyRow, ScreenRow, SlotRow

PASSWORD = "demo"  # of the invented accounts, which count only where the chat page runs
DEMO = Path(__file__).parent / "demo.yaml"


def load_demo(service: Service) -> bool:
    """Put the people of `demo.yaml` into the database; False when they are there already or the simulator is off."""
    if not service.settings.simulator:
        return False
    population = yaml.safe_load(DEMO.read_text(encoding="utf-8"))

    def load(connection: Connection) -> bool:
        if connection.execute(sa.select(MarkerRow.value).where(MarkerRow.name == "demo")).first():
            return False
        connection.execute(sa.insert(MarkerRow).values(name="demo", value="1"))
        now = service.clock.now()
        for entry in population["klantregisseurs"]:
            _klantregisseur(connection, entry, now)
        for person in population["people"]:
            _person(connection, service, person, now)
        for line in population["figures"]:
            for _ in range(line["n"]):
                day = now - timedelta(days=line["days_ago"])
                people.count(connection, day, "console", line["language"], line["outcome"], line.get("topic", ""))
        return True

    return service.store.write(load)


def _klantregisseur(connection: Connection, entry: dict[str, Any], now: datetime) -> None:
    values = {name: entry[name] for name in ("code", "name", "languages")} | {"imported_at": now}
    actor_id = connection.execute(sa.insert(ActorRow).values(**values).returning(ActorRow.id)).scalar_one()
    for weekday, starts, ends in entry["slots"]:
        hours = {"starts": time.fromisoformat(starts), "ends": time.fromisoformat(ends), "max_answers": 10}
        connection.execute(sa.insert(SlotRow).values(actor_id=actor_id, weekday=weekday, **hours))


def _person(connection: Connection, service: Service, person: dict[str, Any], now: datetime) -> None:
    address = Address(person["channel"], person["phone"])
    lane = service.vault.lookup(address.channel, address.value)
    made = people.find_or_create(connection, service.vault, address, lane, now)
    group = Group(person["group"]) if person.get("group") else None
    contact = Contact(made.contact.id, person["language"], group, Consent.GIVEN)
    people.save(connection, contact)
    people.consented(connection, contact.id, now)
    if person.get("klantregisseur"):
        _party(connection, service, person, contact.id, now)
    for turn in person.get("said", []):
        at = now - timedelta(hours=turn["hours_ago"])
        inbound = "asks" in turn
        text = turn["asks"] if inbound else turn["gets"]
        people.log_message(connection, contact.id, text, (), at, inbound=inbound)
        screen = {
            "phone": person["phone"],
            "mine": inbound,
            "text": text,
            "options": [],
            "language": person["language"],
        }
        connection.execute(sa.insert(ScreenRow).values(**screen, at=at))
        people.wrote(connection, made, InboundMessage("", address, Kind.TEXT), at)
    for ticket in person.get("tickets", []):
        at = now - timedelta(hours=ticket["hours_ago"])
        candidates = tuple((topic, confidence) for topic, confidence in ticket.get("candidates", []))
        question = Question(ticket["text"], person["language"], candidates, ticket["reason"])
        promise = max(working_days.promise(at, service.settings.hours), now + timedelta(hours=2))
        route = Route(promise, *_actor(connection, ticket.get("actor")))
        escalation.open_ticket(connection, contact.id, question, route, at)


def _party(connection: Connection, service: Service, person: dict[str, Any], contact_id: int, now: datetime) -> None:
    """The person in the municipality's file; linked, unless they are to try a code."""
    key = f"DEMO-{person['phone']}"
    actor_id, _ = _actor(connection, person["klantregisseur"])
    values = {
        "reference": service.vault.lookup(PARTY, key),
        "sealed": service.vault.seal(Address(PARTY, key)),
        "actor_id": actor_id,
        "group": person.get("group") or Group.ASYLUM.value,
        "language": person["language"],
        "contact_id": None if person.get("to_link") else contact_id,
        "imported_at": now,
    }
    connection.execute(sa.insert(PartyRow).values(**values))


def link_code(service: Service) -> str:
    """A fresh code for the invented person who isn't linked yet, as in a letter; nothing when there is none."""
    now = service.clock.now()

    def make(connection: Connection) -> str:
        party = sa.select(PartyRow.id).where(PartyRow.contact_id.is_(None)).limit(1)
        party_id = connection.execute(party).scalar_one_or_none()
        if party_id is None:
            return ""
        code, _ = linking.make_codes(connection, [party_id], service.vault, now, days=1)[party_id]
        return written(code)

    return service.store.write(make)


def _actor(connection: Connection, code: str | None) -> tuple[int | None, str]:
    """The klantregisseur whom a question waits for, with the name; without a code the back-up desk."""
    query = sa.select(ActorRow.id, ActorRow.name).where(ActorRow.code == code)
    found = connection.execute(query).one_or_none()
    return (found.id, found.name) if found else (None, "")


def load_accounts(service: Service) -> int:
    """An invented account for each role, where the chat page runs; returns how many were made.

    Klantregisseurs are linked to those of the caseload with the same code.
    """
    if not service.settings.has_demo_accounts:
        return 0
    wanted = yaml.safe_load(DEMO.read_text(encoding="utf-8"))["accounts"]
    hashed = passwords.hash_of(PASSWORD)
    return service.store.write(lambda connection: sum(_account(connection, service, entry, hashed) for entry in wanted))


def _account(connection: Connection, service: Service, entry: dict[str, Any], hashed: str) -> bool:
    if accounts.by_login(connection, entry["login"]) is not None:
        return False
    try:
        actor_id = accounts.actor_by_code(connection, entry.get("actor", ""))
    except AccountError:
        actor_id = None  # no such klantregisseur in this database
    wanted = accounts.Wanted(entry["name"], accounts.roles_of(entry["roles"]), actor_id)
    who, now = Principal("demo", frozenset()), service.clock.machine_now()
    accounts.add(
        connection,
        who,
        entry["login"],
        wanted,
        now,
        password_hash=hashed,
        must_change_password=False,
        is_demo=True,
    )
    return True
