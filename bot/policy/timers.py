"""What a due timer of a contact means."""

from __future__ import annotations

from bot.actions import (
    Action,
    CloseTicket,
    CountOutcome,
    MovePromise,
    Quote,
    RemindUrgent,
    Reply,
    Say,
    SendPrepared,
    TellNews,
)
from bot.policy import survey_asking
from bot.policy.answering import MENU, WITHDRAW
from bot.policy.situation import OpenTicketFacts, Situation

NEWS = ("phase", "klantregisseur")


def on_timer(situation: Situation) -> list[Action]:  # noqa: PLR0911  # one line a kind
    """A timer came due. One whose ground is gone (the ticket was answered) does nothing."""
    extra = situation.message.extra
    if extra.get("timer") == "survey":
        return survey_asking.on_timer(situation)
    kind, ticket_id = extra.get("timer"), extra.get("ticket_id")
    if kind in NEWS:
        return [TellNews(str(kind))]
    ticket = next((ticket for ticket in situation.tickets if ticket.id == ticket_id and ticket.waits), None)
    if ticket is None or not isinstance(ticket_id, int):
        return []
    if kind == "prepared":
        return [SendPrepared(ticket_id, int(extra.get("prepared_id", 0)))]
    if ticket.asked:
        return _asked_back(situation, ticket, str(kind))
    if ticket.urgent:  # the person isn't told that help is late: they were told to call
        times = situation.message.extra.get("times", 1)
        return [RemindUrgent(ticket_id, times), CountOutcome("urgent.waits", language=situation.language)]
    if kind != "promise" or ticket.promise_at > situation.now:
        return []
    if situation.contact.stopped:  # asked for no messages of our own accord
        return [MovePromise(ticket_id)]
    return [MovePromise(ticket_id), Reply((Say("ticket.late", {"moment": situation.promise}),), (WITHDRAW, MENU))]


def _asked_back(situation: Situation, ticket: OpenTicketFacts, kind: str) -> list[Action]:
    """Somebody was asked something and hasn't answered: a reminder, once, and a kind end."""
    quiet = situation.contact.stopped
    if kind == "ask_reminder":
        until = Say("ticket.ask_until", {"moment": ticket.promise_at})
        return [] if quiet else [Reply((Say("ticket.ask_reminder"), Quote(ticket.asked), until), (WITHDRAW, MENU))]
    if kind != "ask_close":
        return []
    said: list[Action] = [] if quiet else [Reply((Say("ticket.closed_no_reply"),), (MENU,))]
    return [CloseTicket(ticket.id), *said, CountOutcome("ticket.no_reply", language=situation.language)]
