"""What a newcomer says about a ticket: a reply to what was asked back, "this does not help", "not needed any more"."""

from __future__ import annotations

from datetime import timedelta

from bot.actions import (
    Action,
    AddToTicket,
    Choice,
    CountOutcome,
    RateTicket,
    ReopenTicket,
    Reply,
    Say,
    TakeReply,
    WithdrawTicket,
)
from bot.locales import fold
from bot.policy.situation import OpenTicketFacts, Situation

MENU = Choice("menu", "button.menu")
WITHDRAW = Choice("withdraw", "button.withdraw")
SHORTLY = timedelta(days=3)  # after an answer: later "this does not help" may be about anything
MAX_WORDS = 40  # in a longer message the words may be about something else
MAX_TEXT = 2000  # characters that are kept of a reply
LABEL = 44  # characters of a question on a button


def in_words(situation: Situation) -> list[Action]:
    """Free text that belongs to a ticket; nothing where it belongs to none."""
    text = situation.message.text.strip()[:MAX_TEXT]
    asked = [ticket for ticket in situation.tickets if ticket.asked and not ticket.unseen]
    if asked and text:
        return _reply(situation, asked[-1], text)
    ticket = answered_now(situation)
    if ticket is not None and says_unhelpful(text, situation):
        return [AddToTicket(ticket.id, text), *reopen(situation, ticket)]
    return []


def waits_unseen(situation: Situation) -> bool:
    """Whether a question of the desk is on its way to the newcomer, and nothing of theirs waits for an answer."""
    waits = any(ticket.waits and not ticket.urgent and not ticket.asked for ticket in situation.tickets)
    return not waits and any(ticket.unseen for ticket in situation.tickets)


def _reply(situation: Situation, ticket: OpenTicketFacts, text: str) -> list[Action]:
    """The newcomer answers the question of the desk. All words count: nobody but a person can say which don't."""
    route = situation.route_again(ticket)
    said = Reply((Say("ticket.replied", {"moment": route.promise_at}),), (WITHDRAW, MENU))
    counted = CountOutcome("ticket.replied", language=situation.language)
    return [situation.remember(), TakeReply(ticket.id, text, route), said, counted]


def answered_now(situation: Situation) -> OpenTicketFacts | None:
    """The ticket whose answer was the last thing said: its buttons are the ones on the screen."""
    rated = {
        option.token.rpartition(":")[2] for option in situation.thread.offered if option.token.startswith("rated:")
    }
    return next((ticket for ticket in situation.tickets if ticket.answered and str(ticket.id) in rated), None)


def says_unhelpful(text: str, situation: Situation) -> bool:
    """Whether a message holds one of the phrases of `commands.yaml` for "this does not help"."""
    words = fold(text)
    if not words or len(words.split()) > MAX_WORDS:
        return False
    phrases = [phrase for phrase, token in situation.content.commands.items() if token == "unhelpful"]
    return any(f" {phrase} " in f" {words} " for phrase in phrases)


def reopen(situation: Situation, ticket: OpenTicketFacts) -> list[Action]:
    """The answer of a person did not help: it is open again, and the newcomer hears the new moment."""
    route = situation.route_again(ticket)
    said = Reply((Say("ticket.reopened", {"moment": route.promise_at}),), (MENU,))
    return [situation.remember(), RateTicket(ticket.id, helped=False), ReopenTicket(ticket.id, route), said]


def recent(situation: Situation) -> OpenTicketFacts | None:
    """The ticket that was answered last, if that was shortly ago."""
    answered = [
        t for t in situation.tickets if t.answered and t.answered_at and t.answered_at > situation.now - SHORTLY
    ]
    return max(answered, key=lambda ticket: (ticket.answered_at or situation.now, ticket.id), default=None)


def on_withdraw(situation: Situation, arguments: list[str]) -> list[Action]:
    """A question is not needed any more. Which one is asked first: an old button may mean an old question.

    One of somebody in danger stays: a person looks at it in any case.
    """
    waiting = [ticket for ticket in situation.tickets if ticket.waits and not ticket.urgent]
    if not arguments:
        if not waiting:
            return [situation.remember(), Reply((Say("withdraw.nothing"),), (MENU,))]
        choices = [_which(ticket) for ticket in waiting]
        keep = Choice("menu", "button.withdraw_none")
        return [situation.remember(), Reply((Say("withdraw.ask"),), (*choices, keep))]
    ticket = next((ticket for ticket in waiting if ticket.id == int(arguments[0])), None)
    if ticket is None:
        return [situation.remember(), Reply((Say("withdraw.nothing"),), (MENU,))]
    return [
        situation.remember(),
        WithdrawTicket(ticket.id),
        Reply((Say("withdraw.done"),), (MENU,)),
        CountOutcome("ticket.withdrawn", language=situation.language),
    ]


def _which(ticket: OpenTicketFacts) -> Choice:
    words = " ".join(ticket.words.split())
    short = words if len(words) <= LABEL else f"{words[:LABEL].rstrip()}…"
    return Choice(f"withdraw:{ticket.id}", "button.withdraw_one", params={"words": short})
