"""Twilio's webhooks for WhatsApp: messages and delivery receipts. The signature covers the fixed public address.

The form is never read by a strict model: Twilio adds fields without notice, and all of them are signed.
"""

from __future__ import annotations

import hmac
import logging
import re
from urllib.parse import parse_qsl

from starlette.datastructures import FormData
from starlette.routing import Route
from twilio.request_validator import RequestValidator, get_signature_algorithm

from bot import outbox
from bot.errors import BadMessageError, StoreUnavailableError
from bot.locales import clean
from bot.messages import Address, InboundMessage, Kind, Receipt
from bot.service import Service
from bot.settings import Settings
from webhooks.door import Knock, Said, door

log = logging.getLogger(__name__)

MAX_TEXT = 4096
MAX_TOKEN = 64
MAX_FIELDS = 200
_NUMBER = re.compile(r"whatsapp:\+\d{5,18}")
_BSUID = re.compile(r"whatsapp:[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_STATES = {"sent": "sent", "delivered": "delivered", "read": "read", "failed": "failed", "undelivered": "failed"}
_MEDIA = (("audio/", Kind.VOICE), ("image/webp", Kind.STICKER), ("image/", Kind.IMAGE), ("video/", Kind.VIDEO))


def routes(service: Service) -> list[Route]:
    """The doors `POST /whatsapp` and `POST /whatsapp/status`."""
    gate = Gate(service.settings)

    async def receive(knock: Knock) -> Said:
        form = gate.form(knock)
        if form is None:
            return Said(403)
        try:
            message = parse(form)
        except BadMessageError as error:
            log.warning("whatsapp message %s is acknowledged and left: %s", _sid(form) or "without id", error)
            return Said(204)
        try:
            await service.inbox.accept(message)
        except StoreUnavailableError:
            return Said(503)
        return Said(204)

    async def status(knock: Knock) -> Said:
        form = gate.form(knock)
        if form is None:
            return Said(403)
        receipt = parse_receipt(form)
        if receipt is None:
            return Said(204)
        now = service.clock.now()
        try:
            await service.store.awrite(lambda connection: outbox.receive(connection, receipt, now))
        except StoreUnavailableError:
            return Said(503)
        return Said(204)

    return [door("/whatsapp", receive, service.settings), door("/whatsapp/status", status, service.settings)]


class Gate:
    """Lets only through what Twilio signed. Shut when nothing is configured."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.public_base_url.rstrip("/")
        on = settings.has_whatsapp
        self._token = RequestValidator(settings.twilio_auth_token) if on and settings.twilio_auth_token else None
        self._shared = RequestValidator(settings.twilio_shared_key) if on and settings.twilio_shared_key else None

    def form(self, knock: Knock) -> FormData | None:
        """The form of a request with a valid signature, else None."""
        try:
            text = knock.body.decode("utf-8")
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
        except ValueError:
            return None
        form = FormData([(name, value) for name, value in pairs])
        settings = knock.header(b"x-twilio-webhooks-signature-settings")
        validator = self._shared if settings else self._token
        signature = knock.header(b"x-twilio-signature")
        algorithm = get_signature_algorithm(settings)
        if validator is None or not signature.isascii() or not self._base:
            return None
        url = f"{self._base}{knock.path}{'?' if knock.query else ''}{knock.query}"
        return form if _is_signed(validator, url, form, (signature, algorithm)) else None


def _is_signed(validator: RequestValidator, url: str, form: FormData, given: tuple[str, str]) -> bool:
    """Whether a signature, `given` with its algorithm, is Twilio's.

    Our address is fixed, so it nearly always fits as it stands; the library computes two others each time, which took
    half of all that a message costs here: the address with and without its port.
    """
    signature, algorithm = given
    try:
        own = validator.compute_signature(url, form, algorithm)
    except ValueError:  # another algorithm than the library knows
        return False
    return hmac.compare_digest(own, signature) or validator.validate(url, form, signature, algorithm)


def _sid(form: FormData) -> str:
    sid = str(form.get("MessageSid", ""))
    return sid if _SID.fullmatch(sid) else ""


def _identifier(value: object, pattern: re.Pattern[str]) -> str | None:
    text = str(value or "")
    return text if pattern.fullmatch(text) else None


def parse(form: FormData) -> InboundMessage:
    """Our own message of a form. Raises BadMessageError when the sender or the message's id can't be told."""
    sid = _sid(form)
    if not sid:
        raise BadMessageError("no message id")
    number = _identifier(form.get("From"), _NUMBER)
    user = _identifier(form.get("ExternalUserId"), _BSUID) or _identifier(form.get("From"), _BSUID)
    value = number or _identifier(form.get("From"), _BSUID)
    if value is None:
        raise BadMessageError("no sender that can be answered")
    address = Address("whatsapp", value, user, number)
    text = clean(str(form.get("Body", "")))[:MAX_TEXT]
    token = clean(str(form.get("ButtonPayload") or form.get("ListId") or ""))[:MAX_TOKEN]
    if form.get("OptOutType") == "STOP":
        return InboundMessage(f"wa:{sid}", address, Kind.TAP, token="stop")  # no password
    if token:
        return InboundMessage(f"wa:{sid}", address, Kind.TAP, token=token)
    return InboundMessage(f"wa:{sid}", address, _kind(form), text)


def _kind(form: FormData) -> Kind:
    if str(form.get("NumMedia", "0")) not in ("", "0"):
        content_type = str(form.get("MediaContentType0", "")).lower()
        return next((kind for prefix, kind in _MEDIA if content_type.startswith(prefix)), Kind.DOCUMENT)
    if form.get("Latitude"):
        return Kind.LOCATION
    if form.get("MessageType") in ("contacts", "contact"):
        return Kind.CARD
    return Kind.TEXT if str(form.get("Body", "")).strip() else Kind.OTHER


def parse_receipt(form: FormData) -> Receipt | None:
    """The delivery receipt of a form; None for a state that tells nothing new or isn't known."""
    sid, status = _sid(form), str(form.get("MessageStatus", ""))
    state = _STATES.get(status)
    if not sid or state is None:
        if status not in ("queued", "accepted", "sending", "scheduled"):
            log.info("whatsapp receipt for %s has a state that is not known", sid or "no id")
        return None
    return Receipt("whatsapp", sid, state, str(form.get("ErrorCode") or ""))
