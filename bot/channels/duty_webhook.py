"""The alarm of an urgent question as a POST to an address of the municipality: a chat channel, a pager, a control room.

It stands in the queue of the mails, so it is repeated and given up as they are. Beside mail, never instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from bot.channels.smtp import Postman
from bot.errors import Failure, SendError
from bot.mailing import WEBHOOK, Mail, words

SECONDS = 15.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LATER = frozenset((408, 425, 429))


@dataclass(frozen=True)
class DutyPostman:
    """Posts what goes to the webhook, and leaves everything else to the mail."""

    mail: Postman
    url: str  # its path may be a secret, so it is in no row and no log line
    transport: httpx.AsyncBaseTransport | None = None

    async def send(self, mail: Mail, key: str) -> None:
        """Raises SendError when it was not taken."""
        if mail.recipient != WEBHOOK:
            await self.mail.send(mail, key)
            return
        try:
            async with httpx.AsyncClient(timeout=SECONDS, transport=self.transport) as client:
                answer = await client.post(self.url, json=body(mail), headers={"Idempotency-Key": key})
        except _NEVER_SENT as error:
            raise SendError(Failure.TEMPORARY, type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SendError(Failure.UNKNOWN, type(error).__name__) from None
        if not answer.is_success:
            later = answer.is_server_error or answer.status_code in _LATER
            raise SendError(Failure.TEMPORARY if later else Failure.PERMANENT, str(answer.status_code))


def body(mail: Mail) -> dict[str, Any]:
    """A number, a link, and a sentence under the name that chat programs read. Nothing of a newcomer."""
    link = mail.params["link"]
    text = f"{words(mail)[0]}\n{link}"
    return {"text": text, "ticket": mail.params["ticket"], "link": link, "times": mail.params["times"]}
