"""A year of surveys with an invented population, in a few minutes: `make simulate`.

The real conversation, timers, queues and waves on a SQLite file of its own, with a clock that is moved. People answer,
skip, stop, block, come back, ask something in between, call for help, delete everything; the service is restarted in
the middle of its work. What was sent is written down by the stand-in for the platforms, and checked by that alone:
nobody over the limits, nobody at night, nobody asked twice, nobody after a stop; and each funnel adds up.
"""

from __future__ import annotations

import argparse
import heapq
import logging
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot import content as texts
from bot import escalation, outbox, pushes, survey_figures, survey_waves, timers
from bot.clock import Clock
from bot.contacts import Consent, Thread
from bot.conversation import Conversation
from bot.identifiers import Vault
from bot.inbox import insert, to_row
from bot.locales import AMSTERDAM, LANGUAGES
from bot.messages import Address, InboundMessage, Kind, OutboundMessage
from bot.outbox import Pace
from bot.pushes import PushRules
from bot.settings import ROOT, new_keys
from bot.storage import lanes
from bot.storage.migrate import upgrade
from bot.storage.models import AddressRow, ContactRow, InboxRow, OutboxRow, PartyRow, TicketRow, TicketState, TimerRow
from bot.storage.store import Store
from bot.storage.survey_models import SurveyInvitationRow, SurveyWaveRow
from bot.survey_answers import Surveyor
from bot.survey_waves import Plan
from bot.understanding import Outcome, Understanding
from bot.working_days import DeskHours

START = datetime(2026, 1, 5, 7, tzinfo=UTC)
RULES = PushRules()
PACES = {"telegram": Pace(1e6, 0, 10_000), "whatsapp": Pace(1e6, 0, 10_000)}
CRISIS = "ik wil niet meer leven"
ASKED = ("survey.ask", "survey.remind", "survey.remind_started")
MONTHLY = ("social_life", "programme", "work", "wellbeing", "taking_part", "initiatives")


class MovedClock(Clock):
    """Stands where it is put."""

    def __init__(self) -> None:
        super().__init__()
        self.at = START

    def now(self) -> datetime:
        return self.at


class Understander:
    """A cry for help is one; anything else is a question without an answer."""

    def understand(self, text: str, language: str) -> Understanding:
        return Understanding(Outcome.CRISIS if text == CRISIS else Outcome.ESCALATE, language)


@dataclass
class Someone:
    """An invented person, by what the platforms know."""

    contact_id: int
    address: Address
    zeal: float  # how likely to answer
    gone: bool = False
    blocked: bool = False
    stopped_at: datetime | None = None
    never_at: datetime | None = None
    crisis_at: datetime | None = None
    got: list[tuple[datetime, tuple[str, ...], str]] = field(default_factory=list)


@dataclass
class Town:
    """Everything that a year needs."""

    folder: Path
    people_count: int
    chance: random.Random
    clock: MovedClock = field(default_factory=MovedClock)
    people: dict[str, Someone] = field(default_factory=dict)
    agenda: list[tuple[datetime, int, Someone, str, str]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        keys = new_keys()
        self.content = texts.load(ROOT / "content")
        self.vault = Vault([keys["secret_keys"]], keys["hash_key"])
        self.surveyor = Surveyor(self.content, keys["research_key"], RULES)
        self.open()

    def open(self) -> None:
        """Start the service, as after a crash: what ran is taken back."""
        self.store = Store(f"sqlite:///{self.folder / 'simulated.sqlite3'}")
        sa.event.listen(self.store.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        upgrade(self.store.engine)
        self.store.start()
        self.conversation = Conversation(
            content=self.content,
            understander=Understander(),
            vault=self.vault,
            clock=self.clock,
            hours=DeskHours(),
            surveyor=self.surveyor,
        )
        now = self.clock.now()
        for table in (InboxRow, OutboxRow):
            taken = self.store.write(lambda c, t=table: lanes.recover(c, t, now, everything=True))
            self.figures[f"rows taken back from the {table.__tablename__}"] += taken

    def restart(self) -> None:
        """Killed in the middle: rows are claimed and never finished."""
        now = self.clock.now()
        self.store.write(lambda c: len(lanes.claim(c, InboxRow, now, 3)))
        self.store.write(lambda c: len(outbox.claim(c, now, PACES, 3)))
        self.store.close()
        self.figures["restarts"] += 1
        self.open()

    # ---- People -------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Everybody agreed to the service, and the municipality knows most."""

        def write(connection: sa.Connection) -> None:
            for number in range(self.people_count):
                self._one(connection, number)

        self.store.write(write)

    def _one(self, connection: sa.Connection, number: int) -> None:
        chance, now = self.chance, self.clock.now()
        channel = "telegram" if chance.random() < 0.7 else "whatsapp"
        value = str(number) if channel == "telegram" else f"whatsapp:+3197{number:08}"
        address = Address(channel, value)
        lookup = self.vault.lookup(channel, value)
        talks = {"consent": Consent.GIVEN.value, "thread": Thread().to_json(), "stopped": False}
        person = {"language": chance.choice(LANGUAGES), "created_at": now, "seen_at": now, **talks}
        contact_id = connection.execute(sa.insert(ContactRow).values(**person).returning(ContactRow.id)).scalar_one()
        place = {"channel": channel, "lookup": lookup, "lane": lookup, "sealed": self.vault.seal(address)}
        old = now - timedelta(days=2)
        connection.execute(sa.insert(AddressRow).values(contact_id=contact_id, used_at=old, **place))
        if chance.random() < 0.9:
            known = {
                "reference": f"p{number}",
                "sealed": "-",
                "group": chance.choice(("asylum", "family")),
                "phase": chance.choices(("", "intake", "pip", "trajectory", "done"), (5, 5, 15, 60, 15))[0],
                "gender": chance.choice(("f", "m", None)),
                "birth_year": chance.choice((None, *range(1960, 2006))),
            }
            connection.execute(sa.insert(PartyRow).values(**known, contact_id=contact_id, imported_at=now))
        self.people[f"{channel}:{value}"] = Someone(contact_id, address, chance.betavariate(1.2, 2.4))

    def later(self, someone: Someone, wait: timedelta, what: str, text: str = "") -> None:
        heapq.heappush(self.agenda, (self.clock.now() + wait, next(self.numbers), someone, what, text))

    def brings(self, someone: Someone, kind: Kind, *, text: str = "", token: str = "") -> None:
        message = InboundMessage(f"sim:{next(self.numbers)}", someone.address, kind, text, token)
        self.store.write(lambda c: insert(c, [to_row(message, self.vault, self.clock.now())]) and None)

    def act(self, someone: Someone, what: str, text: str) -> None:
        """What somebody does at their moment."""
        if someone.gone:
            return
        if what == "block":
            someone.blocked = True
            self.brings(someone, Kind.BLOCKED)
        elif someone.blocked and what != "unblock":
            return
        elif what == "unblock":
            someone.blocked = False
            self.brings(someone, Kind.UNBLOCKED)
        elif what == "tap":
            self.brings(someone, Kind.TAP, token=text)
            if self.chance.random() < 0.03:  # a double tap
                self.brings(someone, Kind.TAP, token=text)
        else:
            self.brings(someone, Kind.TEXT, text=text)
        self.figures[what] += 1
        if what == "stop" or text == "survey:never":
            someone.never_at = someone.never_at or self.clock.now()
        if text == CRISIS:
            someone.crisis_at = self.clock.now()
        if text == "erase:yes":
            someone.gone = True

    def reacts(self, someone: Someone, message: OutboundMessage) -> None:
        """A message arrived: what this person will do with it, if anything."""
        chance = self.chance
        tokens = [option.token for option in message.options]
        if any(key in ASKED for key in message.keys):
            wait = timedelta(minutes=chance.choice((5, 40, 200, 900, 2500)))
            if chance.random() < someone.zeal:
                yes = [t for t in tokens if t.startswith(("survey:yes:", "survey:go:"))]
                self.later(someone, wait, "tap", yes[0])
            elif chance.random() < 0.1:
                pick = [t for t in tokens if t.startswith(("survey:no:", "survey:never", "survey:later:"))]
                self.later(someone, wait, "tap", chance.choice(pick))
            return
        values = [t for t in tokens if t.startswith("survey:a:")]
        controls = [t for t in tokens if t.startswith(("survey:skip:", "survey:back:", "survey:later:"))]
        if not any(t.startswith("survey:skip:") for t in tokens):
            return
        wait = timedelta(seconds=chance.randint(5, 300))
        done = [t for t in tokens if t.startswith("survey:enough:")]
        luck = chance.random()
        if luck < 0.04:
            return  # the phone goes into a pocket
        if luck < 0.12:
            self.later(someone, wait, "tap", chance.choice(controls))
        elif luck < 0.15:
            self.later(someone, wait, "question", "wanneer krijg ik een ander huis van de gemeente")
            self.later(someone, wait * 2, "text", "verder")
        elif done and luck < 0.6:
            self.later(someone, wait, "tap", done[0] if "survey.chosen" in message.keys else chance.choice(values))
        elif values:
            self.later(someone, wait, "tap", chance.choice(values))
        else:
            self.later(someone, wait, "text", chance.choice(("7", "10", "٣", "0", "99", "goed, meer lessen graag")))

    def life(self) -> None:
        """What happens in a day besides surveys."""
        for someone in self.chance.sample(list(self.people.values()), k=max(1, self.people_count // 250)):
            luck, wait = self.chance.random(), timedelta(minutes=self.chance.randint(0, 1400))
            if luck < 0.80:
                self.later(someone, wait, "question", "hoe laat is mijn les morgen")
            elif luck < 0.86:
                self.later(someone, wait, "block")
                self.later(someone, wait + timedelta(days=self.chance.randint(1, 60)), "unblock")
            elif luck < 0.88:
                self.later(someone, wait, "stop", "stop")
            elif luck < 0.90:
                self.later(someone, wait, "crisis", CRISIS)
            elif luck < 0.905:
                self.later(someone, wait, "tap", "erase:yes")
            elif luck < 0.93 and not someone.gone:
                now = self.clock.now()
                self.store.write(lambda c, s=someone, at=now: pushes.bad_news(c, s.contact_id, at) and None)
                someone.crisis_at = now
            elif not someone.gone:
                event, now = self.chance.choice(("brede_intake", "ticket_answered", "lessons_start")), self.clock.now()
                self.store.write(
                    lambda c, s=someone, e=event, at=now: survey_waves.happened(c, self.surveyor, s.contact_id, e, at)
                )

    # ---- The service ----------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Everything that is due now."""
        while True:
            now = self.clock.now()
            fired = self.store.write(lambda c, at=now: timers.fire_due(c, at))
            rows = self.store.write(lambda c, at=now: lanes.claim(c, InboxRow, at, 50))
            for row in rows:
                self.conversation.handle(self.store, row)
            sends = self.store.write(lambda c, at=now: outbox.claim(c, at, PACES, 50))
            for row in sends:
                self.send(row)
            self.figures["messages handled"] += len(rows)
            if not (fired or rows or sends):
                return

    def send(self, row: sa.Row[Any]) -> None:
        now = self.clock.now()
        sealed = self.store.read(lambda c: outbox.look(c, [row], now))[row.id]
        if sealed is None:
            self.store.write(lambda c: outbox.hold(c, row))
            return
        address = self.vault.open(sealed)
        message = OutboundMessage.from_json(row.payload)
        self.store.write(lambda c: outbox.sent(c, row, f"sim-{row.id}", now, PACES[row.channel]))
        self.figures["messages sent"] += 1
        someone = self.people[f"{address.channel}:{address.value}"]
        wave = next((o.token.split(":")[2] for o in message.options if o.token.count(":") > 1), "")
        someone.got.append((now, message.keys, wave))
        self.reacts(someone, message)

    def answer_crises(self) -> None:
        """The desk closes urgent tickets in the morning."""
        urgent = (TicketRow.urgent, TicketRow.state == TicketState.OPEN)

        def settle(connection: sa.Connection) -> None:
            rows = connection.execute(sa.select(TicketRow.id, TicketRow.contact_id).where(*urgent)).all()
            for row in rows:
                escalation.drop_timers(connection, row.id, row.contact_id)
            connection.execute(sa.update(TicketRow).where(*urgent).values(state=TicketState.CLOSED))

        self.store.write(settle)

    def wave(self, survey: str, part: int, size: int | None) -> None:
        """A wave through all its states, with a colleague's trial."""
        now = self.clock.now()

        def make(connection: sa.Connection) -> int:
            made = survey_waves.draft(connection, self.surveyor, Plan(survey, size, part), "simulation", now)
            for language in LANGUAGES:
                survey_waves.previewed(connection, made, language)
            survey_waves.begin_test(connection, made)
            return made

        made = self.store.write(make)
        tester = self.people_count + 1
        row = survey_waves.waiting(made, tester, now, now) | {"trial": True, "state": "done", "contact_id": None}
        self.store.write(lambda c: c.execute(sa.insert(SurveyInvitationRow).values(**row)) and None)
        self.figures["people drawn"] += self.store.write(lambda c: survey_waves.go_live(c, self.surveyor, made, now))
        self.figures["waves"] += 1

    def is_due(self) -> bool:
        """Whether there is anything to do at all: most half hours of a year are empty."""
        now = self.clock.now()
        waits = (
            sa.select(sa.literal(1)).where(SurveyInvitationRow.due_at <= now),
            sa.select(sa.literal(1)).where(TimerRow.state == sa.literal_column("0"), TimerRow.due_at <= now),
            sa.select(sa.literal(1)).where(SurveyWaveRow.state == "live", SurveyWaveRow.closes_on < now.date()),
        )
        query = sa.select(sa.or_(*(sa.exists(wait) for wait in waits)))
        return bool(self.store.read(lambda c: c.execute(query).scalar_one()))

    def tick(self) -> None:
        if not (self.agenda and self.agenda[0][0] <= self.clock.at) and not self.is_due():
            return
        while self.agenda and self.agenda[0][0] <= self.clock.at:
            _, _, someone, what, text = heapq.heappop(self.agenda)
            self.act(someone, what, text)
        while True:
            self.drain()
            now = self.clock.now()
            if not self.store.write(lambda c, at=now: survey_waves.release(c, self.surveyor, at)):
                return
            if self.chance.random() < 0.002:
                self.restart()

    def year(self, days: int) -> None:
        for key in ("after_intake", "answer_of_the_desk", "lessons_begun"):
            self.wave(key, 0, None)
        for day in range(days):
            if day % 30 == 0:
                turn = day // 30
                for offset in range(2):
                    survey = MONTHLY[(2 * turn + offset) % len(MONTHLY)]
                    self.wave(survey, turn // 3 % 4, max(20, self.people_count // 20))
            self.life()
            self.answer_crises()
            for minute in range(0, 24 * 60, 30):
                self.clock.at = START + timedelta(days=day, minutes=minute)
                self.tick()
            if self.chance.random() < 0.1:
                self.restart()
        self.clock.at = START + timedelta(days=days + 400)
        self.tick()


# ---- What was sent, checked -----------------------------------------------------------------------------------------


def mistakes(town: Town) -> Iterator[str]:
    """Every rule that was broken, by what the platforms saw."""
    limits = town.content.surveys.definition.limits
    for name, someone in town.people.items():
        asked = [(at, keys, wave) for at, keys, wave in someone.got if any(key in ASKED for key in keys)]
        moments = [at for at, _, _ in asked]
        yield from (f"{name}: asked at {at}" for at in moments if not _by_day(at))
        for days, most in ((7, min(RULES.per_week, limits.per_week)), (30, limits.per_month)):
            for at in moments:
                if sum(at <= other < at + timedelta(days=days) for other in moments) > most:
                    yield f"{name}: more than {most} in {days} days from {at}"
        per_wave = defaultdict(Counter)
        for _, keys, wave in asked:
            per_wave[wave]["ask" if "survey.ask" in keys else "remind"] += 1
        yield from (f"{name}: {dict(n)} in {w}" for w, n in per_wave.items() if max(n.values()) > 1)
        if someone.never_at:
            yield from (f"{name}: asked after never" for at in moments if at > someone.never_at + timedelta(minutes=30))


def _by_day(at: datetime) -> bool:
    local = at.astimezone(AMSTERDAM)
    return RULES.quiet_until <= local.time() < RULES.quiet_from and not pushes.is_day_off(local.date(), RULES)


def funnels(town: Town) -> tuple[Counter[str], list[str]]:
    """All waves together, and what does not add up in any."""
    total: Counter[str] = Counter()
    faults: list[str] = []
    with town.store.engine.connect() as connection:
        for wave in connection.execute(sa.select(SurveyWaveRow.__table__)).all():
            found = survey_figures.funnel(connection, wave)
            faults += [f"{wave.code}: {fault}" for fault in found.mistakes()]
            total.update(found.states)
            total.update({"in the sample": found.sampled, "invited": found.invited, "reminded": found.reminded})
            total.update({"delivered": found.delivered, "began": found.started})
    sent = Counter(
        "ask" if "survey.ask" in keys else "remind"
        for s in town.people.values()
        for _, keys, _ in s.got
        if any(key in ASKED for key in keys)
    )
    total.update({"invitations that the platforms saw": sent["ask"], "reminders that they saw": sent["remind"]})
    return total, faults


def main() -> int:
    parser = argparse.ArgumentParser(description="A year of surveys with an invented population.")
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder), options.people, random.Random(options.seed))  # invented people
        town.settle()
        town.year(options.days)
        total, faults = funnels(town)
        faults += mistakes(town)
        town.store.close()
    print(f"{options.people} people, {options.days} days, seed {options.seed}, {time.monotonic() - began:.0f} s")
    for name, number in (*town.figures.items(), *total.items()):
        print(f"  {name}: {number}")
    print(f"rules broken: {len(faults)}")
    for fault in faults[:20]:
        print(f"  {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
