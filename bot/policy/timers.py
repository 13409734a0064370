"""What a due timer of a contact means."""

from __future__ import annotations

from bot.actions import Action, CountOutcome, MovePromise, RemindUrgent, Reply, Say
from bot.policy.answering import MENU
from bot.policy.situation import Situation


def on_timer(situation: Situation) -> list[Action]:
    """A timer came due. One whose ground is gone (the ticket was answered) does nothing."""
    kind, ticket_id = situation.message.extra.get("timer"), situation.message.extra.get("ticket_id")
    ticket = next((ticket for ticket in situation.tickets if ticket.id == ticket_id and not ticket.answered), None)
    if ticket is None or not isinstance(ticket_id, int):
        return []
    if ticket.urgent:  # the person isn't told that help is late: they were told to call
        times = situation.message.extra.get("times", 1)
        return [RemindUrgent(ticket_id, times), CountOutcome("urgent.waits", language=situation.language)]
    if kind != "promise" or ticket.promise_at > situation.now:
        return []
    if situation.contact.stopped:  # asked for no messages of our own accord
        return [MovePromise(ticket_id)]
    return [MovePromise(ticket_id), Reply((Say("ticket.late", {"moment": situation.promise}),), (MENU,))]
