"""Telegram's webhook: check the secret, turn the update into our own message, keep it, and only then say 200.

What can't be read is logged by its id and acknowledged: Telegram would send it again for a day.
"""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any

from fastapi import APIRouter, Request, Response
from telegram import CallbackQuery, ChatMemberUpdated, Message, Update

from bot.errors import BadMessageError, StoreUnavailableError
from bot.locales import clean
from bot.messages import Address, InboundMessage, Kind
from bot.service import Service

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
_MEDIA = (
    ("voice", Kind.VOICE),
    ("audio", Kind.VOICE),
    ("video_note", Kind.VIDEO),
    ("video", Kind.VIDEO),
    ("animation", Kind.STICKER),
    ("photo", Kind.IMAGE),
    ("document", Kind.DOCUMENT),
    ("sticker", Kind.STICKER),
    ("location", Kind.LOCATION),
    ("venue", Kind.LOCATION),
    ("contact", Kind.CARD),
)


def router(service: Service) -> APIRouter:
    """The route `POST /telegram`."""
    routes = APIRouter(tags=["webhooks"])
    secret = service.settings.telegram_webhook_secret

    @routes.post("/telegram")
    async def receive(request: Request) -> Response:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
            return Response(status_code=403)
        message = read(await request.body())
        if message is None:
            return Response()
        try:
            await service.inbox.accept(message)
        except StoreUnavailableError:
            return Response(status_code=503, headers={"retry-after": "5"})
        return Response()

    return routes


def read(body: bytes) -> InboundMessage | None:
    """The message of a webhook's body; None for what is no concern of ours or can't be read. Never raises."""
    update_id: Any = "?"
    try:
        data = json.loads(body)
        update_id = data["update_id"] if isinstance(data, dict) else "?"
        update = Update.de_json(data, None)
        return parse(update)
    except BadMessageError as error:
        log.info("telegram update %s is acknowledged and left: %s", _safe(update_id), error)
    except Exception as error:  # noqa: BLE001  # whatever a strange update does to the parser, it must not come again
        log.warning("telegram update %s can't be read (%s)", _safe(update_id), type(error).__name__)
    return None


def _safe(update_id: Any) -> str:
    return str(update_id) if isinstance(update_id, int) else "without id"


def parse(update: Update) -> InboundMessage:
    """Our own message of an update. Raises BadMessageError for a kind that is no concern of ours."""
    if update.message is not None:
        return _message(update.update_id, update.message)
    if update.callback_query is not None:
        return _tap(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(update.update_id, update.my_chat_member)
    raise BadMessageError("another kind of update")


def _address(user_id: int) -> Address:
    return Address("telegram", str(user_id))


def _message(update_id: int, message: Message) -> InboundMessage:
    if message.chat.type != "private":
        raise BadMessageError("not a private chat")
    text = clean(message.text or message.caption or "")[:MAX_TEXT]
    hint = (message.from_user.language_code or "")[:8] if message.from_user else ""
    kind, token, extra = _kind(message, text)
    return InboundMessage(f"tg:{update_id}", _address(message.chat.id), kind, text, token, hint, extra)


def _kind(message: Message, text: str) -> tuple[Kind, str, dict[str, Any]]:
    for name, kind in _MEDIA:
        if getattr(message, name):
            return kind, "", {}
    if message.text is None:
        return Kind.OTHER, "", {}
    if text.startswith("/"):
        command, _, argument = text[1:].partition(" ")
        command = command.partition("@")[0].lower()
        if command == "start":
            return Kind.START, "", {"payload": argument[:MAX_TOKEN]}
        if command in COMMANDS:
            return Kind.TAP, COMMANDS[command], {}
    return Kind.TEXT, "", {}


def _tap(update_id: int, query: CallbackQuery) -> InboundMessage:
    if query.data is None:
        raise BadMessageError("a tap without data")
    hint = (query.from_user.language_code or "")[:8]
    token = clean(query.data)[:MAX_TOKEN]
    extra = {"callback": query.id[:120]}
    return InboundMessage(f"tg:{update_id}", _address(query.from_user.id), Kind.TAP, "", token, hint, extra)


def _membership(update_id: int, change: ChatMemberUpdated) -> InboundMessage:
    if change.chat.type != "private":
        raise BadMessageError("not a private chat")
    kind = Kind.BLOCKED if change.new_chat_member.status in ("kicked", "left") else Kind.UNBLOCKED
    return InboundMessage(f"tg:{update_id}", _address(change.chat.id), kind)
