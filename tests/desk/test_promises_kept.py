"""Whatever the order of questions, absences, deadlines, answers and restarts: nobody is forgotten or told twice.

A state machine does what people and time do, in any order, and looks after each step. Each run has its own database.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.desk import asking_back, handover, prepared
from bot.desk.settling import Deed, Outcome
from bot.desk.telling import Teller
from bot.messages import Kind
from bot.storage.desk_models import ClaimRow, PreparedRow
from bot.storage.models import AbsenceRow, ActorRow, OutboxRow, TicketEntryRow, TicketRow, TicketState, TimerRow
from bot.storage.store import Store
from tests.caseload.people import make_actor, make_party, newest_contact
from tests.conftest import make_service
from tests.desk.asking import SANNE, answer, close
from tests.fakes import ScriptedUnderstander, SetClock
from tests.talk import Talk

PEOPLE = ("amina", "maria-l", "somebody-else")
GRACE = timedelta(minutes=1)
EXAMPLES = int(os.environ.get("EXAMPLES", "6"))  # `EXAMPLES=200 pytest …` for a night


class Desk(RuleBasedStateMachine):
    """Three newcomers, two klantregisseurs and the back-up desk, over some weeks."""

    fixtures: tuple = ()

    def __init__(self):
        super().__init__()
        made, self._vault, self._settings, self._content, empty = self.fixtures
        self._folder = Path(tempfile.mkdtemp(prefix="wdesk-", dir=made))
        shutil.copyfile(empty, self._folder / "test.sqlite3")
        self._clock, self._number = SetClock(), 0
        self._start()
        self.talks, self.actors = [], [make_actor(self.service, code, name=code) for code in ("kr-1", "kr-2")]
        for number, who in enumerate(PEOPLE):
            self.talks.append(Talk(self.service, "telegram" if number else "whatsapp", who).agrees("nl"))
            owner = self.actors[number] if number < len(self.actors) else None
            make_party(self.service, owner, key=who, contact_id=newest_contact(self.service))

    def _start(self):
        self._store = Store(f"sqlite:///{self._folder / 'test.sqlite3'}")
        sa.event.listen(self._store.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        self._store.start()
        understander = ScriptedUnderstander()
        self.service = make_service(self._settings, self._store, self._vault, self._clock, self._content, understander)

    def teardown(self):
        try:
            self._everybody_got_every_answer_once()
        finally:
            self._store.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _everybody_got_every_answer_once(self):
        """Everybody writes once more, so that nothing is held up any longer: all answers are on their phones."""
        for talk in self.talks:
            talk.says("", Kind.UNBLOCKED)
            talk.says("bent u er nog")
        channels = self.service.channels.values()
        got = sum("ticket.answer" in sent.message.keys for channel in channels for sent in channel.sent)
        given = sa.select(sa.func.count()).select_from(TicketEntryRow).where(TicketEntryRow.kind == "answer")
        assert got == self._read(given)[0][0]

    def _read(self, query):
        return self.service.store.read(lambda c: c.execute(query).all())

    def _tickets(self, *states):
        return self._read(sa.select(TicketRow.__table__).where(TicketRow.state.in_(states)).order_by(TicketRow.id))

    def _waiting(self, data):
        found = self._tickets(TicketState.OPEN, TicketState.ASKED)
        return data.draw(st.sampled_from(found)) if found else None

    def _deed(self, ticket):
        return Deed(ticket.id, SANNE, self._clock.now())

    def _write(self, work):
        return self.service.store.write(work)

    def _all_wait(self):
        for talk in self.talks:
            talk.waits()

    # ---- what newcomers do

    @rule(number=st.integers(0, 2))
    def asks(self, number):
        self._number += 1
        talk = self.talks[number]
        talk.says(f"vraag nummer {self._number} van mij")
        yes = next((token for token in talk.tokens if token.startswith("pass:yes")), "")
        if yes:
            talk.taps(yes)

    @rule(
        number=st.integers(0, 2), words=st.sampled_from(["dit helpt niet", "ik wil dood", "stop", "wat is mijn plan"])
    )
    def says(self, number, words):
        self.talks[number].service.conversation.understander.means("ik wil dood", "crisis", "health.crisis")
        self.talks[number].says(words)

    @rule(number=st.integers(0, 2), kind=st.sampled_from([Kind.BLOCKED, Kind.UNBLOCKED]))
    def blocks(self, number, kind):
        self.talks[number].says("", kind)

    @rule(data=st.data())
    def taps_an_old_button(self, data):
        tickets = self._read(sa.select(TicketRow.id))
        if tickets:
            verb = data.draw(st.sampled_from(["rated:yes", "rated:no", "withdraw"]))
            talk = self.talks[data.draw(st.integers(0, 2))]
            talk.taps(f"{verb}:{data.draw(st.sampled_from(tickets)).id}")

    # ---- what the desk does

    @rule(data=st.data())
    def answers(self, data):
        ticket = self._waiting(data)
        if ticket:
            answer(self.service, ticket.id)
            again = answer(self.service, ticket.id, "Nog een keer")
            assert again.outcome in (Outcome.TAKEN, Outcome.UNREACHABLE)

    @rule(data=st.data())
    def prepares(self, data):
        ticket = self._waiting(data)
        if ticket:
            self._write(lambda c: prepared.prepare(c, self._deed(ticket), self._content, text="Klaargezet"))

    @rule(data=st.data())
    def asks_back(self, data):
        ticket = self._waiting(data)
        if ticket:
            self._write(lambda c: asking_back.ask_back(c, self._deed(ticket), "Waar?", self._content))

    @rule(data=st.data(), to=st.sampled_from([None, 0, 1]))
    def hands_over(self, data, to):
        ticket = self._waiting(data)
        if ticket:
            teller = Teller(self._content, self._settings.hours, self._clock.now())
            actor_id = None if to is None else self.actors[to]
            self._write(lambda c: handover.hand_over(c, self._deed(ticket), actor_id, "", teller))

    @rule(data=st.data(), why=st.sampled_from(["double", "spoken"]))
    def closes(self, data, why):
        ticket = self._waiting(data)
        if ticket:
            close(self.service, ticket.id, why=why)

    @rule(number=st.integers(0, 1), days=st.integers(1, 9))
    def is_away(self, number, days):
        today = self._clock.now().date()
        last = today + timedelta(days=days)
        values = {"actor_id": self.actors[number], "first_day": today, "last_day": last}
        teller = Teller(self._content, self._settings.hours, self._clock.now())

        def work(connection):
            handover.lock_contacts(connection, handover.waiting_for(connection, [self.actors[number]]))
            connection.execute(sa.insert(AbsenceRow).values(**values))
            handover.mend_promises(connection, self.actors[number], teller)

        self._write(work)

    @rule(number=st.integers(0, 1), active=st.booleans())
    def leaves_or_comes_back(self, number, active):
        teller = Teller(self._content, self._settings.hours, self._clock.now())

        def work(connection):
            connection.execute(sa.update(ActorRow).where(ActorRow.id == self.actors[number]).values(active=active))
            handover.mend_promises(connection, self.actors[number], teller)

        self._write(work)

    # ---- what time and machines do

    @rule(steps=st.integers(1, 6), hours=st.sampled_from([1, 7, 26]))
    def time_passes(self, steps, hours):
        for _ in range(steps):
            self._clock.forward(timedelta(hours=hours))
            self._all_wait()

    @rule()
    def starts_anew(self):
        """A restart in the middle: all that is known stands in the database."""
        sent = {name: channel.sent for name, channel in self.service.channels.items()}
        self._store.close()
        self._start()
        for name, channel in self.service.channels.items():
            channel.sent = sent[name]
        for talk in self.talks:
            talk.service = self.service

    # ---- what must hold after each step

    @invariant()
    def every_waiting_question_has_an_owner_and_a_next_moment(self):
        now = self._clock.now()
        timers = self._read(sa.select(TimerRow.__table__).where(TimerRow.state == 0))
        for ticket in self._tickets(TicketState.OPEN, TicketState.ASKED):
            assert ticket.owner
            assert ticket.promise_at > now or ticket.urgent
            kinds = {t.kind for t in timers if t.payload.get("ticket_id") == ticket.id and t.due_at > now - GRACE}
            wanted = "ask_close" if ticket.state == TicketState.ASKED else "urgent" if ticket.urgent else "promise"
            assert wanted in kinds, (ticket, kinds)

    @invariant()
    def what_is_settled_waits_for_nothing(self):
        settled = {ticket.id for ticket in self._tickets(TicketState.ANSWERED, TicketState.CLOSED)}
        timers = self._read(sa.select(TimerRow.payload).where(TimerRow.state == 0))
        assert not [t for t in timers if t.payload.get("ticket_id") in settled]
        for table in (PreparedRow, ClaimRow):
            assert not [row for row in self._read(sa.select(table.ticket_id)) if row.ticket_id in settled]

    @invariant()
    def every_answer_went_to_the_outbox_once(self):
        """One message of an answer for one entry, and never two entries without a "does not help" between them."""
        entries = self._read(sa.select(TicketEntryRow.__table__).where(TicketEntryRow.kind == "answer"))
        keys = {row.key for row in self._read(sa.select(OutboxRow.key).where(OutboxRow.key.like("answer:%")))}
        assert keys == {f"answer:{entry.ticket_id}:{entry.id}" for entry in entries}
        for ticket in self._read(sa.select(TicketRow.__table__)):
            given = [entry for entry in entries if entry.ticket_id == ticket.id]
            assert len(given) <= ticket.reopened + 1
            if ticket.state == TicketState.ANSWERED:
                assert given


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_nobody_is_forgotten_and_nobody_is_told_twice(tmp_path_factory, vault, content, upgraded_file, request):
    made = request.getfixturevalue("settings")
    Desk.fixtures = (tmp_path_factory.mktemp("machines"), vault, made, content, upgraded_file)
    machine = Desk.TestCase
    machine.settings = settings(
        max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    machine().runTest()
