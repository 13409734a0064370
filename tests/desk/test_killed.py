"""`kill -9` around an answer, in a process of its own: the newcomer gets it once, and what is unsure people see.

The place of the kill is chosen, not hit by luck; `make chaos` kills at random under load.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa

from bot import outbox
from bot.desk import prepared, proposals, resending, troubles
from bot.desk.settling import Outcome
from bot.pushes import PushRules
from bot.roles import EVERYTHING
from bot.storage.models import OutboxRow
from bot.storage.store import Store
from tests.conftest import make_service
from tests.desk.asking import SANNE, answer, ask, close, deed, page, teller
from tests.fakes import CollectingChannel, ScriptedUnderstander
from tests.talk import drain
from tests.webhooks.browser import make_account, make_browser, open_session, send

ASKERS = ("a", "bb")  # who asks, each with an address of its own length
TOPIC = "wait.bicycle"  # a proposal that goes live


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Provider(CollectingChannel):
    """What reached the platform stands in a file, which outlives the process."""

    def __init__(self, name, file):
        super().__init__(name)
        self.file, self.after = file, lambda _: None

    async def send(self, address, message, callback):
        provider_id = await super().send(address, message, callback)
        if is_answer(message):
            with self.file.open("a") as got:
                got.write(f"{address.value}\n")
            self.after(message)
        return f"{os.getpid()}-{provider_id}"


def is_answer(message):
    return bool({"ticket.answer", "gap.answered"} & set(message.keys))


class World:
    """The database and the platform; services come and go."""

    def __init__(self, made, folder):
        self._made, self.folder, self.service = made, folder, None

    def starts(self):
        settings, vault, clock, content = self._made
        store = Store(f"sqlite:///{self.folder / 'test.sqlite3'}")
        store.start()
        self.service = make_service(settings, store, vault, clock, content, ScriptedUnderstander())
        self.service.channels["telegram"] = Provider("telegram", self.folder / "got")
        self.service.worker.channels = self.service.channels
        asyncio.run(self.service.worker._recover(everything=True))
        return self.service

    def stops(self):
        self.service.store.close()

    def dies_while(self, work):
        """A process does it and is killed on the way."""
        self.stops()
        child = os.fork()
        if not child:
            try:
                work(self.starts())
            finally:
                os._exit(3)  # it lived on
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the place of the kill was never reached"
        assert os.WTERMSIG(status) == signal.SIGKILL
        self.starts()

    def got(self):
        file = self.folder / "got"
        return sorted(file.read_text().split()) if file.exists() else []


@pytest.fixture
def world(settings, vault, clock, content, tmp_path, upgraded_file):
    shutil.copyfile(upgraded_file, tmp_path / "test.sqlite3")
    made = World((settings, vault, clock, content), tmp_path)
    made.starts()
    yield made
    made.stops()


# ---- what is done, and done again by whoever does not know whether it went well


def one(service, ids):
    answer(service, ids[0])


def together(service, ids):
    browser = make_browser(service)
    open_session(browser, make_account(service, *EVERYTHING, login=f"sanne-{os.getpid()}"))
    ticks = {f"t_{number}": "1" for number in ids}
    send(browser, "/desk/together", all=",".join(map(str, ids)), send="text", text="Morgen om negen uur.", **ticks)


def prepared_goes_out(service, ids):
    service.store.write(lambda c: prepared.prepare(c, deed(service, ids[0]), service.content, text="Klaargezet"))
    service.clock.forward(timedelta(days=1))  # the slot of the back-up desk: nine o'clock
    drain(service)


def goes_live(service, ids):
    content, like = service.content, "pip.what"
    answers = {code: {**texts, TOPIC: texts[like]} for code, texts in content.answers.items()}
    service.content = replace(content, topics={**content.topics, TOPIC: content.topics[like]}, answers=answers)
    for number in ids:
        close(service, number, why="double")
    if not service.store.read(proposals.saved):
        form = {"topic": TOPIC}
        service.store.write(lambda c: proposals.save(c, form, ids, "Eva", service.clock.now()))
    service.store.write(lambda c: proposals.deliver(c, teller(service), PushRules()))


DEEDS = {"one": (one, 1), "together": (together, 2), "prepared": (prepared_goes_out, 1), "live": (goes_live, 2)}


def before_the_commit(service, monkeypatch, people):
    """All is written but nothing is sure; of a group the last one."""
    put, seen = outbox.put, set()

    def putting(connection, recipient, message, **more):
        put(connection, recipient, message, **more)
        seen.update([recipient.lane] if is_answer(message) else [])
        if len(seen) == people:
            die()

    monkeypatch.setattr(outbox, "put", putting)


def before_the_platform(service, monkeypatch, people):
    """The worker has it, the platform has nothing."""
    service.channels["telegram"].fail = lambda message: is_answer(message) and die()


def some_reached_the_platform(service):
    """Several are in flight, the second arrives, and the process is gone."""
    arrived = count(1)
    service.channels["telegram"].after = lambda _: next(arrived) == 2 and die()


def after_the_platform(service, monkeypatch, people):
    """The platform has it, and that stands nowhere."""
    service.channels["telegram"].after = lambda _: die()


PLACES = [before_the_commit, before_the_platform, after_the_platform]
CASES = [(name, place) for name in ("one", "prepared") for place in PLACES]  # each send is a row of its own
CASES += [(name, before_the_commit) for name in ("together", "live")]


@pytest.mark.parametrize(("name", "place"), CASES)
def test_nobody_gets_two_answers_or_none(world, monkeypatch, name, place):
    do, people = DEEDS[name]
    asked = [ask(world.service, who=who) for who in ASKERS[:people]]
    ids = [ticket_id for _, ticket_id in asked]

    def work(service):
        place(service, monkeypatch, people)
        do(service, ids)
        drain(service)

    world.dies_while(work)
    drain(world.service)
    do(world.service, ids)  # once more: nobody knows how far it came
    drain(world.service)
    addresses = sorted(talk.address.value for talk, _ in asked)
    unsure = world.service.store.read(lambda c: troubles.attention(c, SANNE))
    assert [trouble.kind for trouble in unsure] == (["unknown"] if place is not before_the_commit else [])
    if place is before_the_platform:  # no program can know that it did not arrive
        assert world.got() == []
        world.service.store.write(lambda c: resending.send_again(c, deed(world.service, unsure[0].ticket_id)))
        drain(world.service)
    assert world.got() == addresses


def contact_of(service, trouble):
    row = sa.select(OutboxRow.contact_id).where(OutboxRow.id == trouble.id)
    return service.store.read(lambda c: c.execute(row).scalar_one())


def send_again(service, trouble):
    """By the button that the desk has for it."""
    now = service.clock.now()
    if trouble.ticket_id:
        assert page(service, trouble.ticket_id).can_send_again
        return service.store.write(lambda c: resending.send_again(c, deed(service, trouble.ticket_id)))
    assert trouble.can_send_again
    return service.store.write(lambda c: resending.send_gap_again(c, trouble.id, SANNE, now))


@pytest.mark.parametrize("name", ["together", "live"])
def test_a_group_of_which_the_platform_has_some(world, name):
    """Nobody gets it twice by itself, and whoever may not have it stands at the desk with a button."""
    do, _ = DEEDS[name]
    asked = [ask(world.service, who="a" * number) for number in range(1, 7)]
    ids = [ticket_id for _, ticket_id in asked]
    addresses = {page(world.service, number).summary.contact_id: talk.address.value for talk, number in asked}

    def work(service):
        some_reached_the_platform(service)
        do(service, ids)
        asyncio.run(asyncio.wait_for(service.worker.run(), 60))

    world.dies_while(work)
    drain(world.service)
    do(world.service, ids)  # once more: nobody knows how far it came
    drain(world.service)
    got = world.got()
    assert len(got) == len(set(got)) >= 2
    unsure = world.service.store.read(lambda c: troubles.attention(c, SANNE))
    assert {trouble.kind for trouble in unsure} == {"unknown"}
    places = {addresses[contact_of(world.service, trouble)]: trouble for trouble in unsure}
    assert set(got) & set(places), "of some nobody knows that they arrived"
    assert set(addresses.values()) - set(got) <= set(places), "whoever has nothing stands at the desk"
    for address in set(places) - set(got):  # the desk asked them
        assert send_again(world.service, places[address]).outcome is Outcome.GOES_NOW
    drain(world.service)
    assert world.got() == sorted(addresses.values())
