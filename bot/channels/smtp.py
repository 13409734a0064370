"""Mail over SMTP, with the standard library in a thread. Without a server the mail is written to the log."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import smtplib
import ssl
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Literal, Protocol

from bot.errors import Failure, SendError
from bot.mailing import Mail, words

log = logging.getLogger(__name__)

STEP_SECONDS = 15.0  # for each answer of the server
WHOLE_SECONDS = 60.0  # for all of them: a server that drips must not hold up the alarm
_PERMANENT = 500


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over, and as whom. Without a host there is none."""

    host: str = ""
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""


class Postman(Protocol):
    """Hands a mail over. Raises SendError, and nothing else, when it was not taken."""

    async def send(self, mail: Mail, key: str) -> None: ...


class LogPostman:
    """Writes mails to the log: in development, where there is no server."""

    async def send(self, mail: Mail, key: str) -> None:  # noqa: ARG002  # one shape
        subject, body = words(mail)
        log.info("mail that would be sent: %s\n%s", subject, body)


class _Stage:
    """How far a send came: after `handing_over` nobody knows whether it was taken; `given_up`: don't begin with it."""

    handing_over = False
    given_up = False


class SmtpPostman:
    """Sends through a mail server."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def send(self, mail: Mail, key: str) -> None:
        stage = _Stage()
        message = self._message(mail, key)
        try:
            await asyncio.wait_for(asyncio.to_thread(self._hand_over, message, stage), WHOLE_SECONDS)
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code) from None
        except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError, UnicodeError) as error:
            raise SendError(Failure.TEMPORARY, type(error).__name__) from None  # a wrong setting: people mend it
        except (OSError, smtplib.SMTPException) as error:  # TimeoutError is an OSError
            stage.given_up = True
            failure = Failure.UNKNOWN if stage.handing_over else Failure.TEMPORARY
            raise SendError(failure, type(error).__name__) from None

    def _message(self, mail: Mail, key: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._server.sender, mail.recipient
        message["Subject"], body = words(mail)
        message["Date"] = formatdate(localtime=True)
        domain = self._server.sender.rpartition("@")[2].rstrip(">")
        message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # no out-of-office answers (RFC 3834)
        message.set_content(body)
        return message

    def _hand_over(self, message: EmailMessage, stage: _Stage) -> None:
        server = self._server
        context = ssl.create_default_context()
        if server.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=STEP_SECONDS, context=context)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=STEP_SECONDS)
        try:
            if server.security == "starttls":
                client.starttls(context=context)
            if server.user:
                client.login(server.user, server.password)
            client.ehlo_or_helo_if_needed()
            _expect(client.mail(parseaddr(server.sender)[1]))
            _expect(client.rcpt(str(message["To"])))
            stage.handing_over = True
            if stage.given_up:
                return
            _expect(client.data(message.as_bytes(policy=policy.SMTP)))
        finally:
            client.close()


def _expect(answer: tuple[int, bytes]) -> None:
    """Raises SMTPResponseException for anything but a yes."""
    if not 200 <= answer[0] < 300:
        raise smtplib.SMTPResponseException(*answer)


def _refused(code: int) -> SendError:
    """4xx: later. 5xx: never as it is; but a password that is refused waits until somebody mends the setting."""
    settings = code in (530, 534, 535, 538)
    temporary = code < _PERMANENT or settings
    return SendError(Failure.TEMPORARY if temporary else Failure.PERMANENT, str(code))
