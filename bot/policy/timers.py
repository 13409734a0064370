"""What a due timer of a contact means."""

from __future__ import annotations

from bot.actions import Action, MovePromise, Reply, Say
from bot.policy.answering import MENU
from bot.policy.situation import Situation


def on_timer(situation: Situation) -> list[Action]:
    """A timer came due. One whose ground is gone (the ticket was answered) does nothing."""
    if situation.message.extra.get("timer") != "promise":
        return []
    ticket_id = situation.message.extra.get("ticket_id")
    late = (ticket for ticket in situation.tickets if not ticket.answered and ticket.promise_at <= situation.now)
    waits = any(ticket.id == ticket_id for ticket in late)
    if not waits or not isinstance(ticket_id, int):
        return []
    if situation.contact.stopped:  # asked for no messages of our own accord
        return [MovePromise(ticket_id)]
    return [MovePromise(ticket_id), Reply((Say("ticket.late", {"moment": situation.promise}),), (MENU,))]
