"""Why the service thought of a topic: shown with a ticket, to whoever asks for it."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from bot.desk.tickets import TicketPage
from bot.service import Service
from bot.understanding.outcome import Reason


class Explaining(Protocol):
    """An understanding that can say why."""

    def explain(self, text: str, language: str) -> Reason:
        """What carried the best topic of a message."""
        ...


def can_explain(service: Service) -> bool:
    """Whether the understanding in use can say why."""
    return hasattr(service.conversation.understander, "explain")


async def why(service: Service, page: TicketPage) -> Reason | None:
    """What carried the best topic of the first question; nothing where its text is gone. Takes a second at most."""
    question = next((entry for entry in page.entries if entry.kind == "question"), None)
    if question is None or not can_explain(service):
        return None
    understander = cast("Explaining", service.conversation.understander)
    return await asyncio.to_thread(understander.explain, question.text, page.summary.language)
