"""The real server with a made-up population and a scripted understanding, as a process of its own for the browsers."""

from __future__ import annotations

import sys

import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Connection

from bot import demo
from bot.desk.grouping import Encode
from bot.service import Service, build
from bot.settings import load_settings
from bot.storage.models import ActorRow, TicketEntryRow, TicketRow
from bot.understanding import Candidate, Outcome, Understanding
from bot.understanding.encoders import Use
from tests.browser.population import OWN, population
from tests.fakes import ScriptedUnderstander
from webhooks.server import Server


class Unsure:
    """Understands nothing well enough to answer: every question goes to a person who wants one. The rest is talk.

    Questions that mean the same are put together by their words; by the real encoder where that is asked for, because
    it takes seconds to load.
    """

    def __init__(self, encode: Encode) -> None:
        self.encode = encode

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:  # the interface
        if not text.endswith(("?", "؟")):
            return Understanding(Outcome.SMALLTALK, language, (), "greeting")
        return Understanding(Outcome.ESCALATE, language, (Candidate("pip.what", 0.2), Candidate("wait.lessons", 0.1)))


def load(service: Service) -> None:
    """The people, the accounts, and who is whose klantregisseur: the questions of `OWN` are Sanne's."""
    made = population()
    week = [[weekday, "09:00", "11:00"] for weekday in range(5)]
    made["klantregisseurs"] = [
        {"code": code, "name": name, "languages": ["nl"], "slots": week}
        for code, name in (("KR01", "Sanne"), ("KR02", "Mehmet"))
    ]

    def own(connection: Connection) -> None:
        sanne = sa.select(ActorRow.id).where(ActorRow.code == "KR01").scalar_subquery()
        asked = sa.select(TicketEntryRow.ticket_id).where(TicketEntryRow.text.in_(OWN))
        change = sa.update(TicketRow).where(TicketRow.id.in_(asked)).values(actor_id=sanne, owner="Sanne")
        connection.execute(change)

    file = service.settings.data_dir / "population.yaml"
    file.write_text(yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")
    demo.DEMO = file
    demo.load_demo(service)
    demo.load_accounts(service)
    service.store.write(own)


if __name__ == "__main__":
    settings = load_settings()
    service = build(settings, understander=Unsure(Use().encode if "use" in sys.argv else ScriptedUnderstander().encode))
    load(service)
    sys.exit(Server(service).run())
