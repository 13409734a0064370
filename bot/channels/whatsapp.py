"""WhatsApp through Twilio's Messages resource: one form there, the message's id back (`bot.channels.http`).

Not through their REST client: it loads 75 modules of their API and another HTTP client for this one form, which held up
the first answer after a start by 0.2 s and takes 8 MB. It remains the second opinion in the tests. Options are numbered
lines in the text: interactive messages need a template at Twilio for each shape.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from bot.channels.http import Answer, HttpLine, MaybeSentError, NeverSentError
from bot.errors import Failure, SendError
from bot.messages import Address, OutboundMessage
from bot.pace import Pace

API = "https://api.twilio.com"
SECONDS = 20.0  # for a whole request

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


@dataclass(frozen=True)
class Account:
    """An account at Twilio. `user` and `password`: a key of it and its secret, or the account and its token.

    `api_url` puts another host in the place of Twilio's (a double in tests; settings refuse it in production).
    """

    sid: str
    user: str
    password: str
    api_url: str = ""

    @property
    def messages(self) -> str:
        """The address of its messages."""
        return f"{self.api_url.rstrip('/') or API}/2010-04-01/Accounts/{self.sid}/Messages.json"

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        proof = b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {proof}", "Accept": "application/json"}


class WhatsAppChannel:
    """Sends as one WhatsApp sender. `status_callback` is where Twilio tells what became of a message.

    `templates`: the ContentSid of a template in a language, by both.
    """

    name = "whatsapp"
    # 80 a second is the sender's limit, and Twilio queues what is above it; Meta's pair limit is about 1 in 6 s.
    pace = Pace(per_second=80, gap=1.5, burst=40)

    def __init__(
        self,
        account: Account,
        *,
        sender: str,
        status_callback: str | None,
        templates: Mapping[tuple[str, str], str] = NO_TEMPLATES,
    ) -> None:
        self._url, self._headers, self._line = account.messages, account.headers, HttpLine(SECONDS)
        self._templates, self._always = templates, {"From": sender}
        if status_callback:
            self._always["StatusCallback"] = status_callback

    async def send(self, address: Address, message: OutboundMessage, callback: str | None) -> str:  # noqa: ARG002  # one shape
        words = self._template(message) if message.template else {"Body": message.text}
        form = {"To": address.value, **self._always, **words}
        try:
            answer = await self._line.request("POST", self._url, data=form, headers=self._headers)
        except NeverSentError as error:
            raise SendError(Failure.TEMPORARY, str(error)) from None
        except MaybeSentError as error:
            raise SendError(Failure.UNKNOWN, str(error)) from None
        return _sid(answer)

    def _template(self, message: OutboundMessage) -> dict[str, str]:
        """What names a template at Twilio. Variables are a JSON object of texts, without line ends or tabs."""
        sid = self._templates.get((message.template, message.language))
        if not sid:
            raise SendError(Failure.PERMANENT, "no such template")
        variables = {str(number): " ".join(text.split()) for number, text in enumerate(message.variables, 1)}
        return {"ContentSid": sid, "ContentVariables": json.dumps(variables, ensure_ascii=False)}

    async def close(self) -> None:
        await self._line.close()


def _sid(answer: Answer) -> str:
    """The id that Twilio gave the message. Raises SendError for a refusal, or an answer that says no id."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    said = said if isinstance(said, dict) else {}
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        code = said.get("code")
        raise send_error(answer.status, code if isinstance(code, int) else None)
    if not said.get("sid"):
        raise SendError(Failure.UNKNOWN, f"{answer.status} without an id")
    return str(said["sid"])


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
