"""One message, from the inbox to what follows from it, in one transaction. The only module that knows the order.

Understanding runs before the transaction. Inside it: the lease is checked, the contact is read, the policy decides,
each action is carried out, the inbox row is done. Nothing is sent here. So every step can be repeated after a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.engine import Connection

from bot import actions as act
from bot import alarm, around, escalation, merging, opening, outbox, own_data, people, surveys
from bot.alarm import NOBODY, Duty
from bot.clock import Clock
from bot.contacts import Consent, Contact
from bot.content import Content
from bot.desk import linking, notices, prepared, proposals, routing
from bot.desk.telling import Teller
from bot.hearing import Heard, hear_all
from bot.identifiers import Vault
from bot.inbox import insert, to_row
from bot.link_codes import LinkFacts
from bot.messages import CAPABILITIES, InboundMessage, Kind
from bot.people import Person
from bot.policy import Situation, asks_what_is_kept, decide, needs_understanding
from bot.pushes import PushRules
from bot.replies import render
from bot.storage import lanes
from bot.storage.fixed import Row
from bot.storage.models import InboxRow, LaneState
from bot.storage.store import Store
from bot.survey_answers import Said, Surveyor
from bot.understanding import Outcome, Understander, Understanding
from bot.understanding.apart import Apart
from bot.working_days import DeskHours, promise

log = logging.getLogger(__name__)


@dataclass
class Turn:
    """What one message is doing: grows while the actions are carried out."""

    connection: Connection
    row: Row
    message: InboundMessage
    person: Person
    contact: Contact
    promise: datetime
    now: datetime
    replies: int = 0
    erased: bool = False
    unlogged: bool = False  # its words belong to a survey
    said: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


class Conversation:
    """Handles inbox rows. Holds what does not change from message to message."""

    def __init__(
        self,
        *,
        content: Content,
        understander: Understander,
        vault: Vault,
        clock: Clock,
        hours: DeskHours,
        duty: Duty = NOBODY,
        here: str = "",
        rules: PushRules = PushRules(),  # noqa: B008  # frozen
        surveyor: Surveyor | None = None,
    ) -> None:
        self.rules = rules
        self.content, self.vault, self.clock, self.hours = content, vault, clock, hours
        self.understander, self.duty, self.here, self.surveyor = understander, duty, here, surveyor

    def handle(self, store: Store, row: Row) -> None:
        """Take one claimed inbox row to its end, step by step. Raises what the database raises."""
        heard = store.read(lambda connection: self.hear(connection, row))
        understanding = self.understand(heard) if heard.language else None
        if store.write(lambda connection: self.close(connection, row, heard.message, understanding)):
            store.scrub()

    def hear(self, connection: Connection, row: Row) -> Heard:
        """Read a claimed row, and whether its words must be understood: then in which language they were chosen."""
        heard = self.hear_all(connection, [row])[row.id]
        if isinstance(heard, Exception):
            raise heard
        return heard

    def hear_all(self, connection: Connection, rows: Sequence[Row]) -> dict[int, Heard | Exception]:
        """`hear` for all rows of a claim, by their id. What is wrong with one of them stands in its place."""
        return hear_all(connection, rows, self.vault, self._language_of)

    def _language_of(self, contact: Contact, message: InboundMessage) -> str:
        """The language in which somebody's words must be understood; empty: a button or command says it all."""
        situation = self._situation(contact, message, self.clock.now(), None)
        return situation.language if needs_understanding(situation) else ""

    def understand(self, heard: Heard, *, hurry: bool = False) -> Understanding:
        """What the words of a message mean: takes processor time and no database. `hurry`: many wait."""
        return self._known(self.understander.understand(heard.message.text, heard.language, hurry=hurry))

    async def aunderstand(self, heard: Heard, minds: Executor, *, hurry: bool = False) -> Understanding:
        """The same in a thread of `minds`, or without one where another process does the work."""
        if isinstance(self.understander, Apart):
            return self._known(await self.understander.aunderstand(heard.message.text, heard.language, hurry=hurry))
        understand = partial(self.understand, heard, hurry=hurry)
        return await asyncio.get_running_loop().run_in_executor(minds, understand)

    def _known(self, understood: Understanding) -> Understanding:
        """Only topics that this content has: a model of other content must not stop a conversation."""
        topics = self.content.topics
        candidates = tuple(candidate for candidate in understood.candidates if candidate.topic in topics)
        also = tuple(topic for topic in understood.also if topic in topics)
        needs = understood.outcome in (Outcome.ANSWER, Outcome.CLARIFY)
        outcome = Outcome.ESCALATE if needs and not candidates else understood.outcome
        return replace(understood, outcome=outcome, candidates=candidates, also=also)

    def _situation(
        self, contact: Contact, message: InboundMessage, now: datetime, understanding: Understanding | None
    ) -> Situation:
        desk = promise(now, self.hours)
        return Situation(contact, message, self.content, now, desk, understanding=understanding)

    def close(
        self, connection: Connection, row: Row, message: InboundMessage, understanding: Understanding | None
    ) -> bool:
        """The closing transaction, short; tells whether the person was erased: then `store.scrub` follows."""
        if not lanes.still_mine(connection, InboxRow, row.id, row.lease, state=LaneState.DONE, body=None, sealed=None):
            log.warning("inbox row %s was taken over by another worker", row.id)
            return False
        now = self.clock.now()
        found = people.find(connection, self.vault, message.address, lock=True)
        if found is None and message.kind in (Kind.BLOCKED, Kind.UNBLOCKED, Kind.TIMER):
            return False  # somebody who was erased blocks the bot: no ground to keep them again
        if found is not None and not merging.take_turn(connection, row, found.lane, found.first_lanes):
            return False
        person = people.find_or_create(connection, self.vault, message.address, row.lane, now, found=found)
        if found is not None:
            self._follow(connection, found.contact.id, person.contact.id)
        there = around.look(connection, person.contact.id, person.address_id)
        if message.kind is not Kind.TIMER:
            person = people.wrote(connection, person, message, row.received_at, is_held=there.held)
            counted = person.contact.thread.counted(row.received_at)
            person = replace(person, contact=replace(person.contact, thread=counted))
        contact = _with_code(person.contact, message)
        situation = self._situation(contact, message, now, understanding)
        asks = asks_what_is_kept(situation)
        situation = replace(
            situation,
            link=self._link_facts(connection, contact, now),
            own=routing.own_route(connection, contact.id, now) if there.linked else None,
            tickets=escalation.tickets_of(connection, contact.id) if there.tickets else (),
            closed_until=opening.closed_until(there.closed_until, now),
            kept_facts=people.kept_facts(connection, person.contact.id) if asks else (),
            survey=surveys.facts(connection, self.surveyor, person.contact, message, now) if self.surveyor else None,
        )
        turn = Turn(connection, row, message, person, contact, situation.promise, now)
        for action in decide(situation):
            _APPLY[type(action)](self, turn, action)
        self._finish(turn)
        return turn.erased

    def _follow(self, connection: Connection, before: int, after: int) -> None:
        """Two chats became one person: answers to surveys follow, on their own side of the wall."""
        if self.surveyor is not None and before != after:
            surveys.join(connection, self.surveyor, gone=before, stays=after)

    def _link_facts(self, connection: Connection, contact: Contact, now: datetime) -> LinkFacts | None:
        return linking.look(connection, contact.thread.link, contact.id, now) if contact.thread.link else None

    def _finish(self, turn: Turn) -> None:
        """Keep the contact as it is now, and the words of both sides where there is consent."""
        if turn.erased:
            return
        seen_at = None if turn.message.kind is Kind.TIMER else turn.row.received_at
        people.save(turn.connection, turn.contact, seen_at=seen_at)
        if turn.contact.consent is not Consent.GIVEN or turn.unlogged:
            return
        heard = [(turn.message.text, ())] if turn.message.text and turn.message.kind is Kind.TEXT else []
        people.log_messages(turn.connection, turn.contact.id, heard, turn.said, turn.now)

    def _reply(self, turn: Turn, action: act.Reply) -> None:
        language = action.language or turn.contact.language or "nl"
        channel = turn.message.address.channel
        messages = render(action, language, self.content, CAPABILITIES[channel], turn.now)
        person = turn.person
        recipient = outbox.Recipient(person.lane, channel, turn.contact.id, person.address_id, reach=person.reach)
        if turn.erased:
            recipient = outbox.Recipient(turn.person.lane, channel, sealed=self.vault.seal(turn.message.address))
        kind = "invitation" if action.template else None
        if turn.message.kind is Kind.TIMER and not kind and outbox.is_held(turn.connection, recipient, turn.now):
            return  # late it would be untrue, and its options would replace those on the screen
        priority = outbox.INVITATION if action.push else 0
        for message in messages:
            turn.replies += 1
            key = f"reply:{turn.row.key}:{turn.replies}"
            callback = turn.message.extra.get("callback") if turn.replies == 1 else None
            put = partial(outbox.put, turn.connection, recipient, message, key=key, now=turn.now)
            put(priority=priority, callback=callback, kind=kind)
            turn.said.append((message.text, message.keys))
        turn.contact = replace(turn.contact, thread=replace(turn.contact.thread, offered=messages[-1].options))

    def _choose_language(self, turn: Turn, action: act.ChooseLanguage) -> None:
        turn.contact = replace(turn.contact, language=action.language)

    def _ask_consent(self, turn: Turn, _: act.AskConsent) -> None:
        turn.contact = replace(turn.contact, consent=Consent.ASKED)

    def _give_consent(self, turn: Turn, _: act.GiveConsent) -> None:
        turn.contact = replace(turn.contact, consent=Consent.GIVEN)
        people.consented(turn.connection, turn.contact.id, turn.now)

    def _refuse_consent(self, turn: Turn, _: act.RefuseConsent) -> None:
        turn.contact = replace(turn.contact, consent=Consent.REFUSED, thread=type(turn.contact.thread)())

    def _choose_group(self, turn: Turn, action: act.ChooseGroup) -> None:
        turn.contact = replace(turn.contact, group=action.group)

    def _remember(self, turn: Turn, action: act.Remember) -> None:
        turn.contact = replace(turn.contact, thread=action.thread)

    def _open_ticket(self, turn: Turn, action: act.OpenTicket) -> None:
        people.save(turn.connection, turn.contact)
        opened = escalation.open_ticket(turn.connection, turn.contact.id, action.question, action.route, turn.now)
        if action.question.reason == "crisis":
            alarm.ring(turn.connection, opened, 1, self.duty, turn.now)

    def _ask(self, turn: Turn, action: act.Ask) -> None:
        again = replace(turn.message, key=f"again:{turn.row.id}", kind=Kind.TEXT, text=action.text, token="", extra={})
        insert(turn.connection, [to_row(again, self.vault, turn.now)])

    def _add_to_ticket(self, turn: Turn, action: act.AddToTicket) -> None:
        escalation.add_entry(turn.connection, action.ticket_id, "question", escalation.NEWCOMER, action.text, turn.now)

    def _take_reply(self, turn: Turn, action: act.TakeReply) -> None:
        escalation.take_reply(turn.connection, action.ticket_id, action.text, action.route, turn.now)

    def _withdraw(self, turn: Turn, action: act.WithdrawTicket) -> None:
        escalation.withdraw(turn.connection, action.ticket_id, turn.contact.id, turn.now)

    def _close_ticket(self, turn: Turn, action: act.CloseTicket) -> None:
        escalation.close(turn.connection, action.ticket_id, turn.contact.id, "no_reply", turn.now)

    def _send_prepared(self, turn: Turn, action: act.SendPrepared) -> None:
        people.save(turn.connection, turn.contact)
        prepared.send(turn.connection, action.ticket_id, action.prepared_id, self.content, turn.now)
        turn.contact = replace(turn.contact, thread=people.thread_of(turn.connection, turn.contact.id))

    def _reopen(self, turn: Turn, action: act.ReopenTicket) -> None:
        if escalation.reopen(turn.connection, action.ticket_id, action.route, turn.now):
            alarm.ring(turn.connection, action.ticket_id, 1, self.duty, turn.now)

    def _rate(self, turn: Turn, action: act.RateTicket) -> None:
        escalation.rate(turn.connection, action.ticket_id, turn.contact.id, turn.now, helped=action.helped)

    def _move_promise(self, turn: Turn, action: act.MovePromise) -> None:
        escalation.move_promise(turn.connection, action.ticket_id, turn.promise, turn.now)

    def _remind_urgent(self, turn: Turn, action: act.RemindUrgent) -> None:
        times = action.times
        if not alarm.is_taken(turn.connection, action.ticket_id, turn.now):
            times += 1
            alarm.ring(turn.connection, action.ticket_id, times, self.duty, turn.now)
        escalation.set_urgent_timer(turn.connection, action.ticket_id, turn.contact.id, turn.now, times=times)

    def _count(self, turn: Turn, action: act.CountOutcome) -> None:
        channel = turn.message.address.channel
        people.count(turn.connection, turn.now, channel, action.language, action.outcome, action.topic)

    def _stop(self, turn: Turn, _: act.Stop) -> None:
        turn.contact = replace(turn.contact, stopped=True)
        self._survey(turn, act.RefuseSurveys())

    def _resume(self, turn: Turn, _: act.Resume) -> None:
        turn.contact = replace(turn.contact, stopped=False)

    def _send_own_data(self, turn: Turn, _: act.SendOwnData) -> None:
        people.save(turn.connection, turn.contact)
        token = own_data.make_link(turn.connection, turn.contact.id, turn.now)
        link = f"{self.here}/my-data/{token}"
        self._reply(turn, act.Reply((act.Say("data.link", {"link": link}),), (act.Choice("menu", "button.menu"),)))

    def _unlogged(self, turn: Turn, _: act.Unlogged) -> None:
        turn.unlogged = True

    def _survey(self, turn: Turn, action: Any) -> None:
        """What was decided of a survey; without a surveyor no survey was ever in sight."""
        if self.surveyor is None:
            return
        said = Said(turn.contact.id, turn.contact.language or "nl", turn.message.address.channel, turn.now)
        next_key = f"reply:{turn.row.key}:{turn.replies + 1}"
        surveys.carry_out(turn.connection, self.surveyor, said, action, next_key)

    def _erase(self, turn: Turn, _: act.Erase) -> None:
        if self.surveyor is not None:
            surveys.erase(turn.connection, self.surveyor, turn.contact.id)
        proposals.forget(turn.connection, turn.contact.id)
        people.erase(turn.connection, turn.contact.id, turn.person.lane)
        turn.erased = True

    def _link_party(self, turn: Turn, action: act.LinkParty) -> None:
        """The two chats of a person may become one here: what follows in this turn is of the one that stays."""
        people.save(turn.connection, turn.contact)
        linking.link(turn.connection, action.code, turn.contact.id, turn.now)
        turn.person = people.reread(turn.connection, turn.person)
        self._follow(turn.connection, turn.contact.id, turn.person.contact.id)
        turn.contact = turn.person.contact

    def _count_try(self, turn: Turn, _: act.CountTry) -> None:
        lately = linking.count_try(turn.connection, turn.contact.id, turn.now)
        if lately >= linking.TRIES_OF_ALL:
            log.error("%s wrong codes in an hour: codes are not looked at until it is quiet again", lately)

    def _tell_news(self, turn: Turn, action: act.TellNews) -> None:
        teller = Teller(self.content, self.hours, turn.now)
        notices.tell_now(turn.connection, action.kind, turn.contact.id, teller, self.rules)

    def _mark_blocked(self, turn: Turn, action: act.MarkBlocked) -> None:
        at = turn.now if action.blocked else None
        outbox.mark_blocked(turn.connection, turn.person.address_id, at)
        turn.person = replace(turn.person, reach=replace(turn.person.reach, blocked_at=at))


def _with_code(contact: Contact, message: InboundMessage) -> Contact:
    """A code stays until there is consent to use it."""
    code = message.extra.get("code")
    return replace(contact, thread=replace(contact.thread, link=code)) if code else contact


_APPLY: dict[type, Callable[[Conversation, Turn, Any], None]] = {
    act.Reply: Conversation._reply,  # noqa: SLF001  # one table, so that a new action without a function fails at once
    act.ChooseLanguage: Conversation._choose_language,  # noqa: SLF001
    act.AskConsent: Conversation._ask_consent,  # noqa: SLF001
    act.GiveConsent: Conversation._give_consent,  # noqa: SLF001
    act.RefuseConsent: Conversation._refuse_consent,  # noqa: SLF001
    act.ChooseGroup: Conversation._choose_group,  # noqa: SLF001
    act.Remember: Conversation._remember,  # noqa: SLF001
    act.OpenTicket: Conversation._open_ticket,  # noqa: SLF001
    act.Ask: Conversation._ask,  # noqa: SLF001
    act.AddToTicket: Conversation._add_to_ticket,  # noqa: SLF001
    act.TakeReply: Conversation._take_reply,  # noqa: SLF001
    act.WithdrawTicket: Conversation._withdraw,  # noqa: SLF001
    act.CloseTicket: Conversation._close_ticket,  # noqa: SLF001
    act.SendPrepared: Conversation._send_prepared,  # noqa: SLF001
    act.ReopenTicket: Conversation._reopen,  # noqa: SLF001
    act.RateTicket: Conversation._rate,  # noqa: SLF001
    act.MovePromise: Conversation._move_promise,  # noqa: SLF001
    act.RemindUrgent: Conversation._remind_urgent,  # noqa: SLF001
    act.CountOutcome: Conversation._count,  # noqa: SLF001
    act.Stop: Conversation._stop,  # noqa: SLF001
    act.Resume: Conversation._resume,  # noqa: SLF001
    act.Unlogged: Conversation._unlogged,  # noqa: SLF001
    act.Invite: Conversation._survey,  # noqa: SLF001
    act.Postpone: Conversation._survey,  # noqa: SLF001
    act.StartSurvey: Conversation._survey,  # noqa: SLF001
    act.KeepAnswer: Conversation._survey,  # noqa: SLF001
    act.EndSurvey: Conversation._survey,  # noqa: SLF001
    act.RefuseSurveys: Conversation._survey,  # noqa: SLF001
    act.Erase: Conversation._erase,  # noqa: SLF001
    act.MarkBlocked: Conversation._mark_blocked,  # noqa: SLF001
    act.SendOwnData: Conversation._send_own_data,  # noqa: SLF001
    act.LinkParty: Conversation._link_party,  # noqa: SLF001
    act.CountTry: Conversation._count_try,  # noqa: SLF001
    act.TellNews: Conversation._tell_news,  # noqa: SLF001
}
