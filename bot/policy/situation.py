"""All that a decision may look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from bot.actions import Remember
from bot.contacts import Contact, Thread
from bot.content import Content
from bot.locales import AMSTERDAM, LANGUAGES
from bot.messages import InboundMessage
from bot.understanding import Outcome, Understanding


@dataclass(frozen=True)
class OpenTicketFacts:
    """A ticket of this contact that isn't closed."""

    id: int
    urgent: bool
    answered: bool
    promise_at: datetime


@dataclass(frozen=True)
class Situation:
    """One message, who sent it, what it means and what the clock says. Everything a decision may depend on."""

    contact: Contact
    message: InboundMessage
    content: Content
    now: datetime
    promise: datetime  # by when a question passed on now is answered
    understanding: Understanding | None = None  # None where the message has no words to understand
    tickets: tuple[OpenTicketFacts, ...] = ()
    kept_facts: tuple[tuple[str, Any], ...] = ()  # what is kept of this person, for "my data"

    @property
    def today(self) -> date:
        """The day in Nijmegen."""
        return self.now.astimezone(AMSTERDAM).date()

    @property
    def thread(self) -> Thread:
        return self.contact.thread

    @property
    def language(self) -> str:
        """The language to answer in: the chosen one; before that the one written in, or the app's."""
        if self.contact.language:
            return self.contact.language
        written = self.understanding.language if self.understanding else ""
        return next((code for code in (written, self.message.hint[:2]) if code in LANGUAGES), "nl")

    @property
    def is_crisis(self) -> bool:
        return self.understanding is not None and self.understanding.outcome is Outcome.CRISIS

    def remember(self, **changes: Any) -> Remember:
        """The thread with some things changed; `writing` ends with every message unless said otherwise."""
        return Remember(replace(self.thread, **({"writing": False} | changes)))
