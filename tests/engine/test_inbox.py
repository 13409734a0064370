"""Accepting: kept before anybody is told, once per provider id, in order per person. On both databases."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from bot import people
from bot.errors import StoreUnavailableError
from bot.inbox import Inbox
from bot.messages import Address, InboundMessage, Kind
from bot.storage.models import AddressRow, InboxRow


def message(key: str, who: str = "1001", text: str = "Hallo", **address: str) -> InboundMessage:
    return InboundMessage(key, Address("telegram", who, **address), Kind.TEXT, text)


def rows(store):
    return store.read(lambda c: c.execute(sa.select(InboxRow.__table__).order_by(InboxRow.id)).all())


def test_a_repeat_changes_nothing(store, vault, clock):
    inbox = Inbox(store, vault, clock)

    async def accept():
        return [await inbox.accept(message("tg:1")), await inbox.accept(message("tg:1", text="other"))]

    assert asyncio.run(accept()) == [True, False]
    assert [row.body["text"] for row in rows(store)] == ["Hallo"]


def test_the_same_message_twice_at_once_is_new_once(store, vault, clock):
    inbox = Inbox(store, vault, clock)

    async def accept():
        return await asyncio.gather(*(inbox.accept(message(f"tg:{n // 2}")) for n in range(20)))

    assert asyncio.run(accept()).count(True) == 10
    assert len(rows(store)) == 10


def test_many_at_once_share_few_commits(store, vault, clock):
    inbox = Inbox(store, vault, clock)
    commits = []
    sa.event.listen(store.engine, "commit", lambda _: commits.append(1))

    async def accept():
        await asyncio.gather(*(inbox.accept(message(f"tg:{n}", who=str(n))) for n in range(100)))

    asyncio.run(accept())
    assert len(rows(store)) == 100
    assert len(commits) < 10


def test_the_address_is_not_readable_in_the_row(store, vault, clock):
    asyncio.run(Inbox(store, vault, clock).accept(message("tg:1", who="31612345678")))
    (row,) = rows(store)
    assert "31612345678" not in str(row)
    assert vault.open(row.sealed).value == "31612345678"


def test_a_user_id_and_a_number_that_came_together_are_one_lane(store, vault, clock):
    inbox = Inbox(store, vault, clock)
    both = Address("whatsapp", "whatsapp:+31612345678", "whatsapp:NL.1A2B", "whatsapp:+31612345678")
    store.write(lambda c: people.find_or_create(c, vault, both, "lane-of-both", clock.now()))
    hidden = Address("whatsapp", "whatsapp:NL.1A2B", "whatsapp:NL.1A2B")
    number = Address("whatsapp", "whatsapp:+31612345678")

    async def accept():
        for n, address in enumerate((hidden, number)):
            await inbox.accept(InboundMessage(f"wa:{n}", address, Kind.TEXT, "Hallo"))

    asyncio.run(accept())
    assert {row.lane for row in rows(store)} == {"lane-of-both"}
    assert store.read(lambda c: c.execute(sa.select(sa.func.count(AddressRow.id))).scalar_one()) == 1


def test_a_store_that_is_down_is_said_so_to_every_webhook(store, vault, clock, monkeypatch):
    inbox = Inbox(store, vault, clock)

    def broken(*_):
        raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr("bot.inbox.insert", broken)

    async def accept():
        return await asyncio.gather(*(inbox.accept(message(f"tg:{n}")) for n in range(3)), return_exceptions=True)

    assert [type(result) for result in asyncio.run(accept())] == [StoreUnavailableError] * 3
    monkeypatch.undo()
    assert asyncio.run(inbox.accept(message("tg:9")))  # and it goes on afterwards


def test_a_message_that_the_database_refuses_does_not_take_others_with_it(store, vault, clock, monkeypatch):
    from bot import inbox as module

    inbox, insert = Inbox(store, vault, clock), module.insert

    def refusing(connection, new):
        if any(row["key"] == "tg:bad" for row in new):
            raise ValueError("a value that the database refuses")
        return insert(connection, new)

    monkeypatch.setattr("bot.inbox.insert", refusing)

    async def accept():
        keys = ("tg:1", "tg:bad", "tg:2")
        return await asyncio.gather(*(inbox.accept(message(key)) for key in keys), return_exceptions=True)

    first, bad, second = asyncio.run(accept())
    assert (first, second) == (True, True)
    assert isinstance(bad, StoreUnavailableError)


@pytest.mark.parametrize("text", ["", "😀" * 2000, "مرحبا", "a" * 10_000, "line\nline"])
def test_any_text_comes_back_as_it_went_in(store, vault, clock, text):
    asyncio.run(Inbox(store, vault, clock).accept(message("tg:1", text=text)))
    assert rows(store)[0].body["text"] == text
