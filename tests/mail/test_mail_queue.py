"""Mail goes out once, over a real mail server, whatever that server does."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest

from bot import mailing
from bot.channels import smtp
from bot.channels.smtp import LogPostman, SmtpPostman, SmtpServer
from bot.chores import MailRound
from bot.mailing import Mail
from bot.storage.models import LaneState
from tests.mail.servers import postman, rounds, rows

PARAMS = {"ticket": 7, "link": "https://bot.example.org/desk/tickets/7", "times": 1, "minutes": 10}


def put(service, key="urgent:7", recipient="duty@example.org", hours=1):
    now = service.clock.now()
    mail = Mail("urgent", recipient, "nl", PARAMS)
    service.store.write(lambda c: mailing.put(c, mail, key=key, now=now, expires_at=now + timedelta(hours=hours)))


def test_a_mail_goes_out_once(both, server, inbox):
    put(both)
    put(both)
    rounds(both, postman(server))
    rounds(both, postman(server))
    assert len(inbox.mails) == 1
    mail = inbox.mails[0]
    assert (mail["To"], mail["Subject"]) == ("duty@example.org", "Dringend: vraag 7 wacht")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.org>")
    assert PARAMS["link"] in mail.get_content()
    assert rows(both)[0].state == LaneState.DONE


def test_a_server_that_is_down_is_tried_again(both, server, inbox):
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))
        put(both)
        rounds(both, SmtpPostman(SmtpServer("127.0.0.1", shut.getsockname()[1], "none", sender="a@example.org")))
    assert rows(both)[0].state == LaneState.READY
    assert rows(both)[0].error == "ConnectionRefusedError"
    both.clock.forward(timedelta(seconds=5))
    rounds(both, postman(server))
    assert len(inbox.mails) == 1


@pytest.mark.parametrize(
    ("where", "answer", "state"),
    [
        ("recipient", "450 later", LaneState.READY),
        ("recipient", "550 nobody here", LaneState.DEAD),
        ("answer", "451 later", LaneState.READY),
        ("answer", "554 spam", LaneState.DEAD),
    ],
)
def test_a_server_that_refuses(service, server, inbox, where, answer, state):
    setattr(inbox, where, answer)
    put(service)
    rounds(service, postman(server))
    assert rows(service)[0].state == state
    assert rows(service)[0].error == answer[:3]


def test_a_slow_server_may_have_taken_it_so_it_is_not_repeated(service, server, inbox, monkeypatch):
    monkeypatch.setattr(smtp, "WHOLE_SECONDS", 0.3)
    inbox.wait = 1.0
    put(service)
    rounds(service, postman(server))
    assert rows(service)[0].state == LaneState.UNKNOWN
    rounds(service, postman(server))
    assert rows(service)[0].attempts == 1


def test_a_server_that_says_nothing_at_all_surely_took_nothing(service, monkeypatch):
    monkeypatch.setattr(smtp, "STEP_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        put(service)
        rounds(service, SmtpPostman(SmtpServer("127.0.0.1", silent.getsockname()[1], "none", sender="a@example.org")))
    assert rows(service)[0].state == LaneState.READY


def test_a_server_without_encryption_gets_no_mail_where_it_is_asked_for(service, server, inbox):
    put(service)
    rounds(service, SmtpPostman(SmtpServer("127.0.0.1", server.port, "starttls", sender="a@example.org")))
    assert inbox.mails == []
    assert rows(service)[0].error == "SMTPNotSupportedError"


def test_what_waited_too_long_is_not_sent(both, server, inbox):
    put(both)
    both.clock.forward(timedelta(hours=1))
    rounds(both, postman(server))
    assert inbox.mails == []
    assert rows(both)[0].state == LaneState.DEAD


def test_after_a_crash_nobody_knows(both, server, inbox):
    put(both)
    both.store.write(lambda c: mailing.claim(c, both.clock.now()) and None)
    assert both.store.write(lambda c: mailing.recover(c, both.clock.now(), everything=False)) == 0
    assert both.store.write(lambda c: mailing.recover(c, both.clock.now(), everything=True)) == 1
    rounds(both, postman(server))
    assert (rows(both)[0].state, inbox.mails) == (LaneState.UNKNOWN, [])


def test_one_broken_mail_does_not_stop_the_next(service, server, inbox):
    put(service, "urgent:1", "two\nlines@example.org")
    put(service, "urgent:2")
    rounds(service, postman(server))
    assert [row.state for row in rows(service)] == [LaneState.DEAD, LaneState.DONE]


def test_without_a_server_the_mail_is_in_the_log(service, caplog):
    put(service)
    with caplog.at_level("INFO"):
        rounds(service, LogPostman())
    assert PARAMS["link"] in caplog.text
    assert "duty@example.org" not in caplog.text


def test_every_kind_has_words_in_both_languages():
    facts = PARAMS | {"n": 2, "due": 1, "late": 0, "starts": "09:00", "ends": "11:00"}
    for kind in ("urgent", "digest", "desk_digest"):
        subjects = {mailing.words(Mail(kind, "", language, facts))[0] for language in mailing.LANGUAGES}
        assert len(subjects) == 2
    assert "1 vraag wacht" in mailing.words(Mail("digest", "", "nl", facts | {"n": 1}))[0]


def test_the_round_works_until_it_is_stopped(service, server, inbox):
    put(service)

    async def for_a_while():
        task = asyncio.create_task(MailRound(service.store, service.clock, postman(server), alone=True).run())
        await asyncio.to_thread(inbox.arrived.wait, 10)
        task.cancel()

    asyncio.run(for_a_while())
    assert len(inbox.mails) == 1
