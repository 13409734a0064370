"""An invented town whose people are asked: the real conversation, timers, queues and waves, with a clock that is moved.

What people do is in `town_life.py`; what the stand-in for the platforms saw is checked in `town_checks.py`, by that
alone. `python -m tests.surveys.simulate` lets a year pass.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot import dispatch, outbox, survey_waves, timers
from bot.clock import Clock
from bot.contacts import Consent, Thread
from bot.content import Content
from bot.conversation import Conversation
from bot.development_keys import new_keys
from bot.identifiers import Vault
from bot.inbox import insert, to_row
from bot.locales import LANGUAGES
from bot.messages import Address, InboundMessage, Kind, OutboundMessage, Receipt
from bot.pace import Pace
from bot.pushes import PushRules
from bot.storage import lanes
from bot.storage.migrate import upgrade
from bot.storage.models import AddressRow, ContactRow, InboxRow, OutboxRow, PartyRow, TimerRow
from bot.storage.store import Store, Work
from bot.storage.survey_models import SurveyInvitationRow
from bot.survey_answers import Surveyor
from bot.survey_waves import Plan
from bot.understanding import Outcome, Understanding
from bot.working_days import DeskHours

START = datetime(2026, 1, 5, 7, tzinfo=UTC)
STEP = timedelta(minutes=30)  # things happen at the full and the half hour
RULES = PushRules(holidays=frozenset({"eid_al_fitr", "eid_al_adha", "orthodox_christmas", "orthodox_easter"}))
PACES = {"telegram": Pace(1e6, 0, 10_000), "whatsapp": Pace(1e6, 0, 10_000)}
PRICE = 130_000  # of a template, in millionths of a euro
CRISIS = "ik wil niet meer leven"
ASKED = ("survey.ask", "survey.remind", "survey.remind_started", "survey.template")
IN_FLIGHT = 4  # sends at once, as the worker has them
LOST = 0.02  # of templates that WhatsApp takes and does not deliver


class OneThread(Store):
    """Writes and reads on the caller's thread; what happens at one moment is one commit, as the writer groups it."""

    _open: sa.Connection | None = None

    def start(self) -> None:
        """No thread."""

    def write(self, work: Work[Any]) -> Any:
        if self._open is None:
            self._open = self.engine.connect()
            self._open.begin()
        return work(self._open)

    def read(self, work: Work[Any]) -> Any:
        return self.write(work)

    def commit(self) -> None:
        if self._open is not None:
            self._open.commit()
            self._open.close()
            self._open = None

    def drop(self) -> None:
        """Killed before the commit: what was written since the last one never was."""
        if self._open is not None:
            self._open.rollback()
            self._open.close()
            self._open = None

    def scrub(self) -> None:
        self.commit()
        super().scrub()

    def close(self) -> None:
        self.commit()
        super().close()


class MovedClock(Clock):
    """Stands where it is put."""

    def __init__(self) -> None:
        super().__init__()
        self.at = START

    def now(self) -> datetime:
        return self.at


class Understander:
    """A cry for help is one; anything else is a question without an answer."""

    def understand(self, text: str, language: str, *, hurry: bool = False) -> Understanding:  # the interface
        return Understanding(Outcome.CRISIS if text == CRISIS else Outcome.ESCALATE, language)


@dataclass(frozen=True)
class Got:
    """A message about a survey that asked for something, as a platform saw it arrive."""

    at: datetime
    keys: tuple[str, ...]
    invitation: int
    cost: int = 0


@dataclass
class Someone:
    """An invented person, by what the platforms know."""

    contact_id: int
    address: Address
    zeal: float  # how likely to answer
    gone_at: datetime | None = None
    never_at: datetime | None = None
    merged_at: datetime | None = None  # with another chat, whose contact this one has since
    blocks: list[list[datetime]] = field(default_factory=list)  # from, and until
    upset: list[datetime] = field(default_factory=list)  # bad news and cries for help
    got: list[Got] = field(default_factory=list)
    pushed: list[datetime] = field(default_factory=list)  # other messages of our own accord

    @property
    def blocked(self) -> bool:
        return bool(self.blocks) and len(self.blocks[-1]) == 1


@dataclass
class Town:
    """Everything that a year needs. `reacts` is told of each message that somebody got."""

    folder: Path
    content: Content
    people_count: int
    chance: random.Random
    reacts: Callable[[Town, Someone, OutboundMessage], None]
    clock: MovedClock = field(default_factory=MovedClock)
    dies: float = 0.002  # how likely a batch of turns or sends is the last thing that the process does
    people: dict[str, Someone] = field(default_factory=dict)
    agenda: list[tuple[datetime, int, Someone, str, str]] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    unsent: set[int] = field(default_factory=set)  # invitations and reminders that were let go and never left
    stopped: dict[int, datetime] = field(default_factory=dict)  # waves that somebody stopped

    def __post_init__(self) -> None:
        keys = new_keys()
        self.vault = Vault([keys["secret_keys"]], keys["hash_key"])
        templates = {"whatsapp": frozenset({"nl", "ar"})}  # none in English
        self.surveyor = Surveyor(self.content, keys["research_key"], RULES, templates, PRICE)
        self.open()
        upgrade(self.store.engine)

    def open(self) -> None:
        """Start the service."""
        self.store = OneThread(f"sqlite:///{self.folder / 'simulated.sqlite3'}")
        sa.event.listen(self.store.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        self.conversation = Conversation(
            content=self.content,
            understander=Understander(),
            vault=self.vault,
            clock=self.clock,
            hours=DeskHours(),
            surveyor=self.surveyor,
        )

    def restart(self) -> None:
        """Killed in the middle: rows are claimed and never finished. Then the start of the only process."""
        now = self.clock.now()
        self.store.write(lambda c: len(lanes.claim(c, InboxRow, now, 3)))
        self._never_left(self.store.write(lambda c: dispatch.claim(c, now, PACES, 3)))
        self.store.commit()
        self._starts("restarts between two sends")

    def _starts(self, why: str) -> None:
        """The process is gone, with what it had not committed, and another one starts."""
        self.store.drop()
        self.store.close()
        self.open()
        now = self.clock.now()
        for table in (InboxRow, OutboxRow):
            taken = self.store.write(lambda c, t=table: lanes.recover(c, t, now, everything=True))
            self.figures[f"rows taken back from the {table.__tablename__}"] += taken
        self.figures[why] += 1

    def _never_left(self, rows: Sequence[sa.Row[Any]]) -> None:
        self.unsent.update(row.id for row in rows if row.priority == outbox.INVITATION)

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

    # ---- The service ----------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Everything that is due now."""
        while True:
            now = self.clock.now()
            fired = self.store.write(lambda c, at=now: timers.fire_due(c, at))
            rows = self.store.write(lambda c, at=now: lanes.claim(c, InboxRow, at, 50))
            if rows and self._is_killed():
                self._killed_in_a_turn(rows)
                continue
            for row in rows:
                self.conversation.handle(self.store, row)
            self.figures["messages handled"] += len(rows)
            is_last = self._is_killed()
            slots = IN_FLIGHT if is_last else 50
            sends = self.store.write(lambda c, at=now, slots=slots: dispatch.claim(c, at, PACES, slots))
            if sends and is_last:
                self._killed_in_a_send(sends)
                continue
            for row in sends:
                self.send(row)
            if not (fired or rows or sends):
                return

    def _is_killed(self) -> bool:
        return self.chance.random() < self.dies

    def _killed_in_a_turn(self, rows: Sequence[sa.Row[Any]]) -> None:
        """Some turns are committed; one wrote everything and was not. It is taken again, and counts once."""
        number = self.chance.randrange(len(rows))
        for row in rows[:number]:
            self.conversation.handle(self.store, row)
        self.store.commit()
        self.conversation.handle(self.store, rows[number])
        self._starts("killed before the commit of a turn")

    def _killed_in_a_send(self, sends: Sequence[sa.Row[Any]]) -> None:
        """Claimed, and perhaps the platform has it already; that it has was never committed. The others never left."""
        number = self.chance.randrange(len(sends))
        for row in sends[:number]:
            self.send(row)
        self.store.commit()
        row, has_it = sends[number], self.chance.random() < 0.5
        sealed = self._hands_over(row) if has_it else None
        self._starts(f"killed {'after' if sealed else 'before'} the platform had a message")
        self._never_left(sends[number + 1 :] if sealed else sends[number:])
        if sealed:
            self._arrives(row, sealed)

    def send(self, row: sa.Row[Any]) -> None:
        sealed = self._hands_over(row)
        if sealed:
            self._arrives(row, sealed)

    def _hands_over(self, row: sa.Row[Any]) -> str | None:
        """Give a message to the platform, and write that down. None where it must wait."""
        now = self.clock.now()
        sealed = self.store.read(lambda c: dispatch.look(c, [row], now))[row.id]
        if not sealed:
            self.store.write(lambda c: outbox.hold(c, row))
            self._never_left([row])
            return None
        self.store.write(lambda c: outbox.sent(c, row, f"sim-{row.id}", now, PACES[row.channel]))
        return sealed

    def _arrives(self, row: sa.Row[Any], sealed: str) -> None:
        """The platform has it: what the person sees, and does."""
        message = OutboundMessage.from_json(row.payload)
        self.figures["messages sent"] += 1
        address = self.vault.open(sealed)
        someone = self.people[f"{address.channel}:{address.value}"]
        if row.priority == outbox.INVITATION:
            self.unsent.discard(row.id)
            someone.got.append(Got(self.clock.now(), message.keys, self._invitation(row, message), message.cost))
            if row.channel == "whatsapp" and not self._is_delivered(row):
                return
        self.reacts(self, someone, message)

    def _invitation(self, row: sa.Row[Any], message: OutboundMessage) -> int:
        numbers = [option.token.split(":")[2] for option in message.options if option.token.count(":") > 1]
        if numbers:
            return int(numbers[0])
        query = sa.select(SurveyInvitationRow.id).where(SurveyInvitationRow.outbox_key == row.key)
        return int(self.store.read(lambda c: c.execute(query).scalar_one()))

    def _is_delivered(self, row: sa.Row[Any]) -> bool:
        """What WhatsApp tells of it: delivered, read, or failed after all."""
        states = ["delivered", "read"] if self.chance.random() < 0.7 else ["delivered"]
        if row.kind and self.chance.random() < LOST:
            states = ["failed"]
            self.figures["templates not delivered"] += 1
        for state in states:
            code = "63024" if state == "failed" else ""
            receipt = Receipt("whatsapp", f"sim-{row.id}", state, code)
            self.store.write(lambda c, r=receipt: outbox.receive(c, r, self.clock.now()))
        return states != ["failed"]

    def wave(self, survey: str, part: int, size: int | None, budget: int | None) -> None:
        """A wave through all its states, with a colleague's trial."""
        now = self.clock.now()

        def make(connection: sa.Connection) -> int:
            made = survey_waves.draft(connection, self.surveyor, Plan(survey, size, part, budget), "simulation", now)
            for language in LANGUAGES:
                survey_waves.previewed(connection, made, language)
            survey_waves.begin_test(connection, made)
            tester = survey_waves.waiting(made, 0, now, now) | {"trial": True, "state": "done", "contact_id": None}
            connection.execute(sa.insert(SurveyInvitationRow).values(**tester))
            return made

        made = self.store.write(make)
        self.figures["people drawn"] += self.store.write(lambda c: survey_waves.go_live(c, self.surveyor, made, now))
        self.figures["waves"] += 1

    def stop(self, wave_id: int) -> None:
        """The stop button of a researcher."""
        now = self.clock.now()
        self.store.write(lambda c: survey_waves.close(c, self.surveyor, wave_id, now))
        self.stopped[wave_id] = now
        self.figures["waves stopped"] += 1

    # ---- Time -----------------------------------------------------------------------------------------------------

    def tick(self, act: Callable[[Town, Someone, str, str], None]) -> None:
        """Everything that happens at this moment."""
        while self.agenda and self.agenda[0][0] <= self.clock.at:
            _, _, someone, what, text = heapq.heappop(self.agenda)
            act(self, someone, what, text)
        while True:
            self.drain()
            now, is_last = self.clock.now(), self._is_killed()
            if is_last:
                self.store.commit()
            if not self.store.write(lambda c, at=now: survey_waves.release(c, self.surveyor, at)):
                break
            if is_last:  # it was never committed that they were let go: they go once, later
                self._starts("killed while letting invitations go")
            elif self.chance.random() < 0.002:
                self.restart()
        self.store.commit()

    def next_moment(self) -> datetime:
        """The next full or half hour at which anything is due."""
        due = [self.agenda[0][0]] if self.agenda else []
        for query in (
            sa.select(sa.func.min(SurveyInvitationRow.due_at)),
            sa.select(sa.func.min(TimerRow.due_at)).where(TimerRow.state == sa.literal_column("0")),
        ):
            first = self.store.read(lambda c, q=query: c.execute(q).scalar_one())
            due += [first] if first is not None else []
        steps = -((START - min(due)) // STEP) if due else 1
        return max(START + STEP * steps, self.clock.at + STEP)
