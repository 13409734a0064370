"""The alarm of an urgent question as a POST to an address of the municipality: a chat channel, a pager, a control room.

It stands in the queue of the mails, so it is repeated and given up as they are. Beside mail, never instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from bot.channels.http import HttpLine, MaybeSentError, NeverSentError
from bot.channels.smtp import Postman
from bot.errors import Failure, SendError
from bot.mailing import WEBHOOK, Mail, words

SECONDS = 15.0
_LATER = frozenset((408, 425, 429))


@dataclass(frozen=True)
class DutyPostman:
    """Posts what goes to the webhook, and leaves everything else to the mail."""

    mail: Postman
    url: str  # its path may be a secret, so it is in no row and no log line

    async def send(self, mail: Mail, key: str) -> None:
        """Raises SendError when it was not taken."""
        if mail.recipient != WEBHOOK:
            await self.mail.send(mail, key)
            return
        line = HttpLine(SECONDS)  # an alarm is rare: no connection stays open for it
        try:
            answer = await line.request("POST", self.url, json=body(mail), headers={"Idempotency-Key": key})
        except NeverSentError as error:
            raise SendError(Failure.TEMPORARY, str(error)) from None
        except MaybeSentError as error:
            raise SendError(Failure.UNKNOWN, str(error)) from None
        finally:
            await line.close()
        if answer.status // 100 != 2:
            later = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _LATER
            raise SendError(Failure.TEMPORARY if later else Failure.PERMANENT, str(answer.status))


def body(mail: Mail) -> dict[str, Any]:
    """A number, a link, and a sentence under the name that chat programs read. Nothing of a newcomer."""
    link = mail.params["link"]
    text = f"{words(mail)[0]}\n{link}"
    return {"text": text, "ticket": mail.params["ticket"], "link": link, "times": mail.params["times"]}
