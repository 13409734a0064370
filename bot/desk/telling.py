"""A message of our own accord to a newcomer, in their language, where it can reach them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import outbox, people
from bot.actions import Part, Reply
from bot.contacts import Consent
from bot.content import Content
from bot.desk.tickets import answer_language, reach
from bot.messages import CAPABILITIES
from bot.replies import render
from bot.storage.models import ContactRow
from bot.working_days import DeskHours

NOTICE = 1  # priority in the outbox: after the replies to people who wait at their phone


@dataclass(frozen=True)
class Teller:
    """What is needed to tell a newcomer something."""

    content: Content
    hours: DeskHours
    now: datetime


def tell(connection: Connection, contact_id: int, parts: tuple[Part, ...], key: str, teller: Teller) -> bool:
    """Send a notice of our own accord; False for who wants none, didn't agree, or can't be reached.

    It has no buttons, so that the numbers of the last message keep their meaning.
    """
    contact = connection.execute(
        sa.select(ContactRow.language, ContactRow.consent, ContactRow.stopped).where(ContactRow.id == contact_id)
    ).one_or_none()
    reached = reach(connection, contact_id)
    if contact is None or contact.stopped or contact.consent != Consent.GIVEN or reached is None:
        return False
    language = answer_language(contact.language, "")
    messages = render(Reply(parts), language, teller.content, CAPABILITIES[reached.channel], teller.now)
    recipient = outbox.Recipient(reached.lane, reached.channel, contact_id, reached.address_id)
    for number, message in enumerate(messages):
        place = f"{key}:{number}" if number else key
        outbox.put(connection, recipient, message, key=place, now=teller.now, priority=NOTICE)
        people.log_message(connection, contact_id, message.text, message.keys, teller.now, inbound=False)
    return True
