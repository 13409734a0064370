"""Telegram's webhook: check the secret, turn the update into our own message, keep it, and only then say 200.

What can't be read is logged by its id and acknowledged: Telegram would send it again for a day.
"""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any

from pydantic import BaseModel, Field
from starlette.routing import Route

from bot.errors import BadMessageError, StoreUnavailableError
from bot.locales import clean
from bot.messages import Address, InboundMessage, Kind
from bot.service import Service
from webhooks.door import Knock, Said, door

log = logging.getLogger(__name__)

MAX_TEXT = 4096
MAX_TOKEN = 64
ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"]
# Telegram's menu of commands, and what each stands for. Names and descriptions are in
# `content/<language>/telegram.yaml`.
COMMANDS = {
    "menu": "menu",
    "help": "menu",
    "language": "language",
    "person": "human",
    "data": "data",
    "delete": "erase",
    "stop": "stop",
}
_MEDIA = {
    "voice": Kind.VOICE,
    "audio": Kind.VOICE,
    "video_note": Kind.VIDEO,
    "video": Kind.VIDEO,
    "animation": Kind.STICKER,
    "photo": Kind.IMAGE,
    "document": Kind.DOCUMENT,
    "sticker": Kind.STICKER,
    "location": Kind.LOCATION,
    "venue": Kind.LOCATION,
    "contact": Kind.CARD,
}


class Person(BaseModel):
    id: int
    language_code: str | None = None


class Chat(BaseModel):
    id: int
    type: str


class Message(BaseModel):
    """A message; what it carries besides text is looked up by name in the update itself."""

    chat: Chat
    person: Person | None = Field(None, alias="from")
    text: str | None = None
    caption: str | None = None


class Tap(BaseModel):
    id: str
    person: Person = Field(alias="from")
    data: str


class Member(BaseModel):
    status: str


class Membership(BaseModel):
    chat: Chat
    new_chat_member: Member


class Update(BaseModel):
    """The parts of Telegram's update that concern us. Everything else is ignored, so new fields do no harm.

    Read by three small models and not by the library's: those take 190 µs an update, more than all the rest of
    accepting it (`docs/adr/0009-small-models-at-the-door.md`).
    """

    update_id: int = Field(ge=0, lt=2**63)
    message: Message | None = None
    callback_query: Tap | None = None
    my_chat_member: Membership | None = None


def routes(service: Service) -> list[Route]:
    """The door `POST /telegram`."""
    secret = service.settings.telegram_webhook_secret

    async def receive(knock: Knock) -> Said:
        given = knock.headers.get(b"x-telegram-bot-api-secret-token", b"")
        if not secret or not hmac.compare_digest(given, secret.encode()):
            return Said(403)
        if not service.settings.telegram:  # Telegram comes back with it for a day
            return Said(503, retry_after=300)
        message = read(knock.body)
        if message is None:
            return Said(200)
        try:
            await service.inbox.accept(message)
        except StoreUnavailableError:
            return Said(503, retry_after=5)
        return Said(200)

    return [door("/telegram", receive, service.settings)]


def read(body: bytes) -> InboundMessage | None:
    """The message of a webhook's body; None for what is no concern of ours or can't be read. Never raises."""
    update_id: Any = "?"
    try:
        data = json.loads(body)
        update_id = data.get("update_id") if isinstance(data, dict) else "?"
        return parse(Update.model_validate(data), data)
    except BadMessageError as error:
        log.info("telegram update %s is acknowledged and left: %s", _safe(update_id), error)
    except (ValueError, RecursionError) as error:  # no JSON, or not the form of an update
        log.warning("telegram update %s can't be read (%s)", _safe(update_id), type(error).__name__)
    return None


def _safe(update_id: Any) -> str:
    return str(update_id) if isinstance(update_id, int) else "without id"


def parse(update: Update, data: dict[str, Any]) -> InboundMessage:
    """Our own message of an update; `data` is the update as it came.

    Raises BadMessageError for a kind that is no concern of ours.
    """
    key = f"tg:{update.update_id}"
    if update.message is not None:
        return _message(key, update.message, data["message"])
    if update.callback_query is not None:
        return _tap(key, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(key, update.my_chat_member)
    raise BadMessageError("another kind of update")


def _private(chat: Chat) -> Address:
    if chat.type != "private":
        raise BadMessageError("not a private chat")
    return Address("telegram", str(chat.id))


def _hint(person: Person | None) -> str:
    return clean((person.language_code or "") if person else "")[:8]


def _message(key: str, message: Message, data: dict[str, Any]) -> InboundMessage:
    address = _private(message.chat)
    text = clean(message.text or message.caption or "")[:MAX_TEXT]
    kind, token, extra = _kind(message, text, data)
    return InboundMessage(key, address, kind, text, token, _hint(message.person), extra)


def _kind(message: Message, text: str, data: dict[str, Any]) -> tuple[Kind, str, dict[str, Any]]:
    media = next((kind for name, kind in _MEDIA.items() if data.get(name)), None)
    if media is not None or message.text is None:
        return media or Kind.OTHER, "", {}
    if text.startswith("/"):
        command, _, argument = text[1:].partition(" ")
        command = command.partition("@")[0].lower()
        if command == "start":
            return Kind.START, "", {"payload": argument[:MAX_TOKEN]}
        if command in COMMANDS:
            return Kind.TAP, COMMANDS[command], {}
    return Kind.TEXT, "", {}


def _tap(key: str, tap: Tap) -> InboundMessage:
    address = Address("telegram", str(tap.person.id))
    token, extra = clean(tap.data)[:MAX_TOKEN], {"callback": clean(tap.id)[:120]}
    return InboundMessage(key, address, Kind.TAP, "", token, _hint(tap.person), extra)


def _membership(key: str, change: Membership) -> InboundMessage:
    kind = Kind.BLOCKED if change.new_chat_member.status in ("kicked", "left") else Kind.UNBLOCKED
    return InboundMessage(key, _private(change.chat), kind)
