"""All that a decision may look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from bot.actions import Remember
from bot.contacts import Contact, Route, Thread
from bot.content import Content
from bot.link_codes import LinkFacts
from bot.locales import AMSTERDAM, LANGUAGES
from bot.messages import InboundMessage
from bot.policy.survey_facts import SurveyFacts
from bot.understanding import Outcome, Understanding

FOR_THE_DESK = {"no_reply", "crisis"}  # reasons: the klantregisseur doesn't answer; it can't wait


@dataclass(frozen=True)
class OpenTicketFacts:
    """A ticket of this contact that isn't closed."""

    id: int
    urgent: bool
    answered: bool
    promise_at: datetime
    actor_id: int | None = None  # None: at the back-up desk
    words: str = ""  # what was asked first
    asked: str = ""  # what the newcomer was asked back and hasn't answered yet
    unseen: bool = False  # that question is not sent yet: it waits behind a shut window
    answered_at: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether a person still has to answer it."""
        return not self.answered


@dataclass(frozen=True)
class Situation:
    """One message, who sent it, what it means and what the clock says. Everything a decision may depend on."""

    contact: Contact
    message: InboundMessage
    content: Content
    now: datetime
    promise: datetime  # by when the back-up desk answers a question passed on now
    own: Route | None = None  # the own klantregisseur, where there is one who has time
    understanding: Understanding | None = None  # None where the message has no words to understand
    link: LinkFacts | None = None  # of the code that came with the message, or was kept until there was consent
    tickets: tuple[OpenTicketFacts, ...] = ()
    closed_until: datetime | None = None  # the whole service is closed
    kept_facts: tuple[tuple[str, Any], ...] = ()  # what is kept of this person, for "my data"
    survey: SurveyFacts | None = None  # the invitation that is under way, or that the message is about

    @property
    def today(self) -> date:
        """The day in Nijmegen."""
        return self.now.astimezone(AMSTERDAM).date()

    def route(self, reason: str) -> Route:
        """Who takes a question that is passed on now: the own klantregisseur, else the back-up desk."""
        return self.own if self.own is not None and reason not in FOR_THE_DESK else Route(self.promise)

    def route_again(self, ticket: OpenTicketFacts) -> Route:
        """Who takes a ticket that is open again: who had it, if that is still the own klantregisseur."""
        mine = self.own is not None and ticket.actor_id == self.own.actor_id
        return self.own if self.own is not None and mine else Route(self.promise)

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
