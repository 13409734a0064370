"""WhatsApp through Twilio's Messages resource, with the client of `bot.channels.http` under Twilio's.

Their async client stores the timeout it is given and never uses it (twilio-python#925), and repeats a POST on every
5xx, which doubles messages. Options are numbered lines in the text: interactive messages need a template at Twilio
for each shape.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from logging import Logger, getLogger
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from bot.channels.http import HttpLine, MaybeSentError, NeverSentError
from bot.errors import Failure, SendError
from bot.messages import Address, OutboundMessage
from bot.pace import Pace

log = getLogger(__name__)

# Twilio's error codes (docs/channels.md); a code that isn't here hangs on the HTTP status.
FAILURES: dict[int, Failure] = {
    63016: Failure.WINDOW,
    63014: Failure.BLOCKED,
    21610: Failure.BLOCKED,
    63003: Failure.PERMANENT,
    63024: Failure.PERMANENT,
    63013: Failure.PERMANENT,
    92007: Failure.PERMANENT,
    63032: Failure.PERMANENT,
    63049: Failure.PERMANENT,
    21617: Failure.PERMANENT,
    63027: Failure.PERMANENT,  # the template isn't there in this language
    63028: Failure.PERMANENT,  # it wants other variables
    63040: Failure.PERMANENT,  # rejected by Meta
    63041: Failure.PERMANENT,  # paused by Meta: too many people blocked it
    63042: Failure.PERMANENT,  # disabled by Meta
    63018: Failure.TEMPORARY,
    63017: Failure.TEMPORARY,
    63012: Failure.TEMPORARY,
    20429: Failure.TEMPORARY,
    21611: Failure.TEMPORARY,
    30001: Failure.TEMPORARY,
}


NO_TEMPLATES: Mapping[tuple[str, str], str] = MappingProxyType({})


class HttpClient(AsyncHttpClient):  # type: ignore[misc]  # the library has no types
    """Twilio's client interface, with a timeout that holds and no repeats.

    `api_url` puts another host in the place of Twilio's (a double in tests; settings refuse it in production).
    """

    def __init__(self, api_url: str = "", timeout: float = 20.0) -> None:
        super().__init__(_silent(), is_async=True, timeout=timeout)
        self._api_url = urlsplit(api_url) if api_url else None
        self._line = HttpLine(timeout)

    async def request(  # noqa: PLR0917  # the interface is Twilio's
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the interface is Twilio's
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002  # the interface is Twilio's; its API has none
    ) -> Response:
        if self._api_url is not None:
            uri = urlunsplit(urlsplit(uri)._replace(scheme=self._api_url.scheme, netloc=self._api_url.netloc))
        given = dict(headers or {})
        if auth:
            given["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
        answer = await self._line.request(method, uri, timeout=timeout, params=params, data=data, headers=given)
        return Response(answer.status, answer.body.decode(errors="replace"), dict(answer.headers))

    async def close(self) -> None:
        await self._line.close()


def _silent() -> Logger:
    """Twilio's client logs whole requests: telephone numbers and words."""
    logger = getLogger("wegwijs.twilio")
    logger.disabled = True
    return logger


class WhatsAppChannel:
    """Sends as one WhatsApp sender. `status_callback` is where Twilio tells what became of a message.

    `templates`: the ContentSid of a template in a language, by both.
    """

    name = "whatsapp"
    # 80 a second is the sender's limit, and Twilio queues what is above it; Meta's pair limit is about 1 in 6 s.
    pace = Pace(per_second=80, gap=1.5, burst=40)

    def __init__(
        self,
        client: Client,
        http: HttpClient,
        *,
        sender: str,
        status_callback: str | None,
        templates: Mapping[tuple[str, str], str] = NO_TEMPLATES,
    ) -> None:
        self._messages = client.messages  # asked for here, because 70 modules load then: not before the first answer
        self._http, self._templates = http, templates
        self._sender, self._status_callback = sender, status_callback

    async def send(self, address: Address, message: OutboundMessage, callback: str | None) -> str:  # noqa: ARG002  # one shape
        optional = {"status_callback": self._status_callback} if self._status_callback else {}
        words = self._template(message) if message.template else {"body": message.text}
        try:
            sent = await self._messages.create_async(to=address.value, from_=self._sender, **words, **optional)
        except NeverSentError as error:
            raise SendError(Failure.TEMPORARY, str(error)) from None
        except MaybeSentError as error:
            raise SendError(Failure.UNKNOWN, str(error)) from None
        except TwilioRestException as error:
            raise send_error(error.status, error.code) from None
        except (TwilioException, ValueError) as error:  # ValueError: an answer that is no JSON
            raise SendError(Failure.UNKNOWN, type(error).__name__) from None
        return str(sent.sid)

    def _template(self, message: OutboundMessage) -> dict[str, str]:
        """What names a template at Twilio. Variables are a JSON object of texts, without line ends or tabs."""
        sid = self._templates.get((message.template, message.language))
        if not sid:
            raise SendError(Failure.PERMANENT, "no such template")
        variables = {str(number): " ".join(text.split()) for number, text in enumerate(message.variables, 1)}
        return {"content_sid": sid, "content_variables": json.dumps(variables, ensure_ascii=False)}

    async def close(self) -> None:
        await self._http.close()


def send_error(status: int, code: int | None) -> SendError:
    """What a refusal of Twilio means for the next step."""
    if code in FAILURES:
        return SendError(FAILURES[code], str(code))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return SendError(Failure.TEMPORARY, "429")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return SendError(Failure.TEMPORARY, f"{status} {code}")  # a wrong setting: people mend it, the message waits
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SendError(Failure.UNKNOWN, f"{status} {code}")  # it may have been accepted before it broke
    return SendError(Failure.PERMANENT, f"{status} {code}")
