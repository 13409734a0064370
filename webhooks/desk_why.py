"""Why the service thought of a topic: shown with a ticket, to whoever asks for it."""

from __future__ import annotations

import asyncio

from bot.desk.tickets import TicketPage
from bot.service import Service
from bot.understanding.engine import Engine
from bot.understanding.explain import Reason, explain


def can_explain(service: Service) -> bool:
    """Whether the understanding in use can say why."""
    return isinstance(service.conversation.understander, Engine)


async def why(service: Service, page: TicketPage) -> Reason | None:
    """What carried the best topic of the first question; nothing where its text is gone. Takes a second at most."""
    engine = service.conversation.understander
    question = next((entry for entry in page.entries if entry.kind == "question"), None)
    if question is None or not isinstance(engine, Engine):
        return None
    return await asyncio.to_thread(explain, engine, question.text, page.summary.language)
