"""What the policy can decide. Data only: `bot/conversation.py` carries it out, one function an action."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.contacts import Group, Question, Route, Thread
from bot.messages import Push


@dataclass(frozen=True)
class Say:
    """A text of `content/<language>/replies.yaml`. Parameters are texts, numbers, dates or moments."""

    key: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Show:
    """A part of an answer: `short`, `more`, `asylum` or `family`."""

    topic: str
    part: str = "short"


@dataclass(frozen=True)
class Quote:
    """Words of a person at the desk, as they stand."""

    text: str


@dataclass(frozen=True)
class Everywhere:
    """A reply in every language below each other, for somebody whose language isn't known yet."""

    key: str


@dataclass(frozen=True)
class Notice:
    """The kind notice in a language that isn't served (`content/notices.yaml`)."""

    language: str


@dataclass(frozen=True)
class SurveyText:
    """Words of a survey: `title` or `why` of a survey, or the `question` of an item."""

    key: str
    part: str


Part = Say | Show | Quote | Everywhere | Notice | SurveyText


@dataclass(frozen=True)
class Choice:
    """An option to offer. The label is a reply's key, the question of a topic, or the value of a survey's item."""

    token: str
    label: str = ""
    topic: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    item: str = ""
    value: str = ""
    size: str = ""


@dataclass(frozen=True)
class ByTemplate:
    """A template that stands in for the words of a reply: its name, what fills it, its one button, and its price.

    `cost` in millionths of a euro.
    """

    name: str
    variables: tuple[str, ...]
    button: Choice
    cost: int


@dataclass(frozen=True)
class Reply:
    """One message to the person: its parts below each other, then the options. One a turn: WhatsApp costs money.

    `controls` are options without a number: buttons below the others, or words to write where there are no buttons.
    `push`: nobody asked for it, so it goes after everything that somebody waits for.
    """

    parts: tuple[Part, ...]
    choices: tuple[Choice, ...] = ()
    language: str | None = None  # when it differs from the contact's
    urgent: bool = False
    controls: tuple[Choice, ...] = ()
    push: Push | None = None
    template: ByTemplate | None = None


@dataclass(frozen=True)
class ChooseLanguage:
    language: str


@dataclass(frozen=True)
class AskConsent:
    """Consent was asked; nothing but the waiting question is kept until the answer."""


@dataclass(frozen=True)
class GiveConsent:
    pass


@dataclass(frozen=True)
class RefuseConsent:
    """A plain no: what was kept of the question is wiped."""


@dataclass(frozen=True)
class ChooseGroup:
    group: Group


@dataclass(frozen=True)
class Remember:
    """The thread as it must be before the next message."""

    thread: Thread


@dataclass(frozen=True)
class OpenTicket:
    """Pass a question on to a person.

    `question.reason`: no_answer, not_helped, asked (for a person), no_reply (the klantregisseur doesn't answer),
    crisis, withheld (the answer is past its date).
    """

    question: Question
    route: Route


@dataclass(frozen=True)
class Ask:
    """Take up a question that was kept: it comes back as a message of its own, right after this one."""

    text: str


@dataclass(frozen=True)
class AddToTicket:
    """More words to a ticket that is open."""

    ticket_id: int
    text: str


@dataclass(frozen=True)
class TakeReply:
    """What the newcomer answers to a question of the desk: the ticket is open again, with a new moment."""

    ticket_id: int
    text: str
    route: Route


@dataclass(frozen=True)
class WithdrawTicket:
    """The question is not needed any more, says the newcomer."""

    ticket_id: int


@dataclass(frozen=True)
class CloseTicket:
    """The newcomer was asked something back and never answered."""

    ticket_id: int


@dataclass(frozen=True)
class SendPrepared:
    """The time of a prepared answer has come: it goes out after a last look, or is held back."""

    ticket_id: int
    prepared_id: int


@dataclass(frozen=True)
class ReopenTicket:
    """The answer of the desk did not help."""

    ticket_id: int
    route: Route


@dataclass(frozen=True)
class RateTicket:
    ticket_id: int
    helped: bool


@dataclass(frozen=True)
class CountOutcome:
    """One line of figures: what became of a message. No words, no person."""

    outcome: str
    topic: str = ""
    language: str = ""


@dataclass(frozen=True)
class LinkParty:
    """A code from a letter is valid: this account is the person that it was made for. `code`: its hash."""

    code: str


@dataclass(frozen=True)
class CountTry:
    """A wrong code: after some of them no more are looked at for a while."""


@dataclass(frozen=True)
class TellNews:
    """Something can be told of our own accord, if it is still true: `phase` or `klantregisseur`."""

    kind: str


@dataclass(frozen=True)
class Stop:
    """The person wants no more messages on our own account."""


@dataclass(frozen=True)
class Resume:
    """The person writes again after a stop."""


@dataclass(frozen=True)
class Erase:
    """Delete all that is kept of this person."""


@dataclass(frozen=True)
class SendOwnData:
    """A link to everything that is kept of this person."""


@dataclass(frozen=True)
class MarkBlocked:
    blocked: bool


@dataclass(frozen=True)
class MovePromise:
    """A ticket's promised moment passed without an answer: it goes to the back-up desk with a new one."""

    ticket_id: int


@dataclass(frozen=True)
class RemindUrgent:
    """Somebody in danger still waits for a person: raise the alarm, and again after a while. `times`: alarms so far."""

    ticket_id: int
    times: int = 1


@dataclass(frozen=True)
class Invite:
    """Leave was asked for a survey, or a reminder of it went: counted as a push of this kind."""

    invitation: int
    push: Push
    cost: int = 0  # of a template, in millionths of a euro


@dataclass(frozen=True)
class Postpone:
    """An invitation may not go now; it comes up again at the moment given. `waits`: for what, where it is counted."""

    invitation: int
    at: datetime
    waits: str = ""


@dataclass(frozen=True)
class StartSurvey:
    """The person agreed to be asked: consent of its own, apart from the service's."""

    invitation: int


@dataclass(frozen=True)
class KeepAnswer:
    """An answer, or (without a value) that an item was skipped. Scrubbed before it is kept."""

    invitation: int
    item: str
    value: str | None


@dataclass(frozen=True)
class EndSurvey:
    """An invitation is settled: see `Ending` in `bot/policy/survey_facts.py`."""

    invitation: int
    ending: str


@dataclass(frozen=True)
class RefuseSurveys:
    """No survey any more, ever."""


@dataclass(frozen=True)
class Unlogged:
    """The words of this turn belong to a survey: they are kept nowhere else."""


Action = (
    Invite
    | Postpone
    | StartSurvey
    | KeepAnswer
    | EndSurvey
    | RefuseSurveys
    | Unlogged
    | Reply
    | ChooseLanguage
    | AskConsent
    | GiveConsent
    | RefuseConsent
    | ChooseGroup
    | Remember
    | OpenTicket
    | Ask
    | AddToTicket
    | TakeReply
    | WithdrawTicket
    | CloseTicket
    | SendPrepared
    | ReopenTicket
    | RateTicket
    | CountOutcome
    | Stop
    | Resume
    | Erase
    | MarkBlocked
    | SendOwnData
    | MovePromise
    | RemindUrgent
    | LinkParty
    | CountTry
    | TellNews
)
