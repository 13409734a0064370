"""Questions that wait at the desk, asked as people ask them."""

from __future__ import annotations

import sqlalchemy as sa

from bot.desk import answering, closing, tickets
from bot.desk.settling import Deed
from bot.desk.telling import Teller
from bot.roles import EVERYTHING, Principal
from bot.storage.models import TicketRow
from bot.understanding import Candidate, Outcome, Understanding
from tests.talk import Talk

SANNE = Principal("Sanne", EVERYTHING)  # may see and do all
PIET = Principal("Piet", EVERYTHING)

ARABIC = "هل يمكن تغيير موعد الخميس؟"


def ask(service, text="Wie belt mij terug?", *, channel="telegram", language="nl", who="amina", written=""):
    """Somebody asks, gets no answer, and wants a person. Returns the talk and the ticket's id."""
    topics = list(service.content.topics)[:2]
    candidates = tuple(Candidate(topic, sure) for topic, sure in zip(topics, (0.62, 0.31), strict=True))
    found = Understanding(Outcome.ESCALATE, written or language, candidates)
    service.conversation.understander.script[text] = found
    talk = Talk(service, channel, who).agrees(language)
    talk.says(text)
    talk.taps(next(token for token in talk.tokens if token.startswith("pass:yes")))
    newest = sa.select(sa.func.max(TicketRow.id))
    return talk, service.store.read(lambda c: c.execute(newest).scalar_one())


def answer(service, ticket_id, text="U kunt morgen komen.", who=SANNE):
    content, now = service.content, service.clock.now()
    return service.store.write(
        lambda c: answering.answer(c, ticket_id=ticket_id, text=text, who=who, now=now, content=content)
    )


def answer_with_topic(service, ticket_id, topic, who=SANNE):
    content, now = service.content, service.clock.now()
    return service.store.write(
        lambda c: answering.answer_with_topic(c, ticket_id=ticket_id, topic=topic, who=who, now=now, content=content)
    )


def deed(service, ticket_id, who=SANNE):
    return Deed(ticket_id, who, service.clock.now())


def teller(service):
    return Teller(service.content, service.settings.hours, service.clock.now())


def close(service, ticket_id, reason="Gebeld", who=SANNE, why="other"):
    done = deed(service, ticket_id, who)
    return service.store.write(lambda c: closing.close(c, done, why, reason, teller(service)))


def page(service, ticket_id):
    return service.store.read(lambda c: tickets.ticket(c, ticket_id, SANNE))


def listed(service):
    return service.store.read(lambda c: tickets.open_tickets(c, SANNE))
