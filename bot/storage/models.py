"""The tables. What each keeps of a person, and for how long, stands in `docs/privacy.md`.

Actor, party and ticket are Open Klant's actor, partij and internetaak: `docs/open-klant.md`.
"""

from __future__ import annotations

from datetime import date, datetime, time
from enum import IntEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage import (  # noqa: F401  # so that all tables are known where one is
    account_models,
    desk_models,
    fact_models,
    follow_up_models,
    linking_models,
    survey_models,
)
from bot.storage.base import Base as Base  # noqa: PLC0414  # others take it from here
from bot.storage.types import BigId


class LaneState(IntEnum):
    """Where a row of a queue stands. Indexes below name these numbers literally: SQLite matches no bound ones."""

    READY = 0
    RUNNING = 1
    DONE = 2
    DEAD = 3  # gave up; shown to people
    UNKNOWN = 4  # outbox: may have arrived; never repeated by itself
    HELD = 5  # outbox: WhatsApp's window is shut; goes on when the person writes


class ContactRow(Base):
    __tablename__ = "contact"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    language: Mapped[str | None] = mapped_column(sa.String(8))
    group: Mapped[str | None] = mapped_column("resident_group", sa.String(16))
    consent: Mapped[str] = mapped_column(sa.String(16), default="new")
    consent_at: Mapped[datetime | None]
    stopped: Mapped[bool] = mapped_column(default=False)
    thread: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class AddressRow(Base):
    """Where a contact can be reached. `lane` is the queue of everything from and to this person."""

    __tablename__ = "address"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(sa.String(24))
    lookup: Mapped[str] = mapped_column(sa.String(32), unique=True)
    bsuid_lookup: Mapped[str | None] = mapped_column(sa.String(32), unique=True)
    lane: Mapped[str] = mapped_column(sa.String(32), index=True)
    sealed: Mapped[str] = mapped_column(sa.Text)
    window_until: Mapped[datetime | None]
    blocked_at: Mapped[datetime | None]
    used_at: Mapped[datetime]


class InboxRow(Base):
    """What came in. After it is done only the key stays, so that a repeat is known."""

    __tablename__ = "inbox"
    __table_args__ = (
        sa.Index("inbox_open", "lane", "id", sqlite_where=sa.text("state < 2"), postgresql_where=sa.text("state < 2")),
        sa.Index(
            "inbox_one_running",
            "lane",
            unique=True,
            sqlite_where=sa.text("state = 1"),
            postgresql_where=sa.text("state = 1"),
        ),
        sa.Index(
            "inbox_ready", "id", "due_at", sqlite_where=sa.text("state = 0"), postgresql_where=sa.text("state = 0")
        ),
        sa.Index("inbox_attention", "state", sqlite_where=sa.text("state > 2"), postgresql_where=sa.text("state > 2")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(120), unique=True)
    lane: Mapped[str] = mapped_column(sa.String(32))
    channel: Mapped[str] = mapped_column(sa.String(24))
    sealed: Mapped[str | None] = mapped_column(sa.Text)
    body: Mapped[dict[str, Any] | None]
    received_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    lease: Mapped[str | None] = mapped_column(sa.String(32))
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(200))


class OutboxRow(Base):
    """What waits to be sent, and what became of it. The words go when the provider has taken the message."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("outbox_open", "lane", "id", sqlite_where=sa.text("state < 2"), postgresql_where=sa.text("state < 2")),
        sa.Index(
            "outbox_one_running",
            "lane",
            unique=True,
            sqlite_where=sa.text("state = 1"),
            postgresql_where=sa.text("state = 1"),
        ),
        sa.Index(
            "outbox_ready",
            "channel",
            "priority",
            "id",
            sqlite_where=sa.text("state = 0"),
            postgresql_where=sa.text("state = 0"),
        ),
        sa.Index("outbox_provider", "channel", "provider_id"),
        sa.Index("outbox_address", "address_id", "state"),  # what waits for somebody; and what goes when they go
        sa.Index("outbox_attention", "state", sqlite_where=sa.text("state > 2"), postgresql_where=sa.text("state > 2")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(160), unique=True)
    lane: Mapped[str] = mapped_column(sa.String(32))
    channel: Mapped[str] = mapped_column(sa.String(24))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id", ondelete="SET NULL"), index=True)
    address_id: Mapped[int | None] = mapped_column(sa.ForeignKey("address.id", ondelete="SET NULL"))
    sealed: Mapped[str | None] = mapped_column(sa.Text)  # only for the last words to somebody who was erased
    priority: Mapped[int] = mapped_column(sa.SmallInteger, default=0)  # 0 replies, 1 notices, 2 invitations
    payload: Mapped[dict[str, Any] | None]
    callback: Mapped[str | None] = mapped_column(sa.String(120))  # Telegram: the tap that this message answers
    kind: Mapped[str | None] = mapped_column(
        sa.String(16)
    )  # template, nudge or invitation (a template for a survey): of our own accord, counted with its cost
    created_at: Mapped[datetime]
    state: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    lease: Mapped[str | None] = mapped_column(sa.String(32))
    lease_until: Mapped[datetime | None]
    provider_id: Mapped[str | None] = mapped_column(sa.String(64))
    delivery: Mapped[str | None] = mapped_column(sa.String(16))  # accepted, sent, delivered, read, failed
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(200))


class EarlyReceiptRow(Base):
    """A delivery receipt that came before we had stored the provider's id. Taken up when that is done."""

    __tablename__ = "early_receipt"

    channel: Mapped[str] = mapped_column(sa.String(24), primary_key=True)
    provider_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(16))
    code: Mapped[str] = mapped_column(sa.String(40), default="")
    received_at: Mapped[datetime] = mapped_column(index=True)


class TimerRow(Base):
    """Something to do for a contact at a moment. When due it becomes a message of that contact."""

    __tablename__ = "timer"
    __table_args__ = (
        sa.Index("timer_due", "due_at", sqlite_where=sa.text("state = 0"), postgresql_where=sa.text("state = 0")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(120), unique=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(24))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    due_at: Mapped[datetime]
    state: Mapped[int] = mapped_column(sa.SmallInteger, default=0)


class PaceRow(Base):
    """How fast a channel may send: the moment up to which its allowance is used. One row holds over all machines."""

    __tablename__ = "pace"

    channel: Mapped[str] = mapped_column(sa.String(24), primary_key=True)
    used_until: Mapped[datetime]


class MessageRow(Base):
    """The conversation, for the person who answers and for "see my data". Deleted after the retention time."""

    __tablename__ = "message"
    __table_args__ = (sa.Index("message_contact", "contact_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"))
    inbound: Mapped[bool]
    text: Mapped[str] = mapped_column(sa.Text)
    keys: Mapped[list[Any]] = mapped_column(default=list)
    at: Mapped[datetime] = mapped_column(index=True)


class TicketState(IntEnum):
    OPEN = 0
    ANSWERED = 1
    CLOSED = 2
    ASKED = 3  # the newcomer was asked something back: no promise runs, a timer does


class TicketRow(Base):
    """A question for a person (Open Klant: internetaak)."""

    __tablename__ = "ticket"
    __table_args__ = (
        sa.Index("ticket_state", "state", "promise_at"),
        sa.Index("ticket_made", "created_at", "answered_at"),
        sa.Index("ticket_closed", "closed_at"),
        sa.Index("ticket_answered", "answered_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    state: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    urgent: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(sa.String(24))
    language: Mapped[str] = mapped_column(sa.String(8))
    candidates: Mapped[list[Any]] = mapped_column(default=list)
    owner: Mapped[str] = mapped_column(sa.String(64))
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("actor.id", ondelete="SET NULL"), index=True)
    promises_missed: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    promise_at: Mapped[datetime]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    helped: Mapped[bool | None]
    taken_at: Mapped[datetime | None]  # urgent: somebody takes it upon them, the alarm is quiet for a while
    taken_by: Mapped[str | None] = mapped_column(sa.String(64))
    asked_at: Mapped[datetime | None]  # when the newcomer was asked something back
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None] = mapped_column(sa.String(24))
    reopened: Mapped[int] = mapped_column(sa.SmallInteger, default=0)  # how often an answer did not help


class TicketEntryRow(Base):
    """What was asked, added and answered on a ticket."""

    __tablename__ = "ticket_entry"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))  # question, answer, ask (back), note, withdrawn
    author: Mapped[str] = mapped_column(sa.String(64))
    text: Mapped[str] = mapped_column(sa.Text)
    translation: Mapped[str | None] = mapped_column(sa.Text)  # what the newcomer read, where a machine translated it
    language: Mapped[str | None] = mapped_column(sa.String(8))  # of the translation
    at: Mapped[datetime]


class ActorRow(Base):
    """A klantregisseur (Open Klant: actor). `code` is the municipality's own key."""

    __tablename__ = "actor"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    email: Mapped[str | None] = mapped_column(sa.String(254))
    languages: Mapped[list[Any]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    imported_at: Mapped[datetime]


class SlotRow(Base):
    """A time in the week at which a klantregisseur answers, in Dutch time."""

    __tablename__ = "slot"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    actor_id: Mapped[int] = mapped_column(sa.ForeignKey("actor.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int] = mapped_column(sa.SmallInteger)  # Monday is 0
    starts: Mapped[time] = mapped_column(sa.Time)
    ends: Mapped[time] = mapped_column(sa.Time)
    max_answers: Mapped[int] = mapped_column(sa.SmallInteger)


class AbsenceRow(Base):
    """Days on which a klantregisseur does not answer, first and last included."""

    __tablename__ = "absence"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    actor_id: Mapped[int] = mapped_column(sa.ForeignKey("actor.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]


class PartyRow(Base):
    """A person in the municipality's system (Open Klant: partij). No name.

    `reference` is a keyed hash of the municipality's key, to find it again; `sealed` is the key itself, encrypted.
    """

    __tablename__ = "party"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(sa.String(32), unique=True)
    sealed: Mapped[str] = mapped_column(sa.Text)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("actor.id", ondelete="SET NULL"), index=True)
    group: Mapped[str] = mapped_column("resident_group", sa.String(16))
    route: Mapped[str] = mapped_column(sa.String(16), default="")
    phase: Mapped[str] = mapped_column(sa.String(16), default="")
    language: Mapped[str] = mapped_column(sa.String(8), default="")
    gender: Mapped[str | None] = mapped_column(sa.String(8))
    birth_year: Mapped[int | None] = mapped_column(sa.SmallInteger)
    talked_on: Mapped[date | None]  # the last progress talk
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id", ondelete="SET NULL"), unique=True)
    imported_at: Mapped[datetime] = mapped_column(index=True)
    welcomed_at: Mapped[datetime | None]
    told: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")  # the phases that were told about


class DataLinkRow(Base):
    """A link with which a person sees what is kept of them, for an hour. Only its hash is kept."""

    __tablename__ = "data_link"

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), unique=True)
    expires_at: Mapped[datetime]


class PromiseCountRow(Base):
    """Figures a day: promises kept and missed, of each klantregisseur and of the back-up desk."""

    __tablename__ = "promise_count"

    day: Mapped[date] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(sa.String(40), primary_key=True)  # an actor's code, or "back-up desk"
    outcome: Mapped[str] = mapped_column(sa.String(8), primary_key=True)  # kept, missed
    n: Mapped[int]


class OutcomeCountRow(Base):
    """Figures a day: what became of messages. No words, no person; kept when personal rows go."""

    __tablename__ = "outcome_count"

    day: Mapped[date] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(sa.String(24), primary_key=True)
    language: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    outcome: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    topic: Mapped[str] = mapped_column(sa.String(48), primary_key=True)
    n: Mapped[int]


class ScreenRow(Base):
    """The screen of an invented phone: what the chat page and the terminal show. Never holds a real person."""

    __tablename__ = "screen"
    __table_args__ = (sa.Index("screen_phone", "phone", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    phone: Mapped[str] = mapped_column(sa.String(64))
    mine: Mapped[bool]
    text: Mapped[str] = mapped_column(sa.Text)
    options: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(sa.String(8), default="")
    at: Mapped[datetime]


class MarkerRow(Base):
    """Small facts of the installation itself, such as how far the demo's clock was moved."""

    __tablename__ = "marker"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    value: Mapped[str] = mapped_column(sa.Text)
