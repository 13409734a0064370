"""Somebody who waits in a rush is told that the message is here."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import busy
from bot.locales import LANGUAGES
from bot.messages import InboundMessage, Kind
from bot.storage.models import OutboxRow
from tests.talk import Talk


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_waits_is_told_once_in_a_while(service, language):
    talk = Talk(service, "telegram").agrees(language)
    for number in range(2):
        asyncio.run(service.inbox.accept(InboundMessage(f"rush:{number}", talk.address, Kind.TEXT, "?")))

    def told():
        service.store.write(lambda c: busy.tell(c, service.content, service.clock.now()))
        keys = sa.select(OutboxRow.payload).where(OutboxRow.key.like("busy:%"))
        return [row["text"] for row in service.store.read(lambda c: c.execute(keys).scalars().all())]

    assert told() == []
    service.clock.forward(timedelta(seconds=40))
    (line,) = told()
    assert line.split(".")[0] == service.content.replies[language]["service.busy"].split(".")[0]
    assert len(told()) == 1
    service.clock.forward(timedelta(minutes=10))
    assert len(told()) == 2
