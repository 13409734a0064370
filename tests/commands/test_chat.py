"""Talking in the terminal: over the same inbox and outbox, with a number for each choice."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from bot.channels.console import ConsoleChannel
from bot.clock import Clock
from bot.commands.chat import as_text, chat, load_texts, read_step
from bot.errors import SettingsError, StoreUnavailableError
from bot.locales import LANGUAGES
from bot.storage.models import ContactRow, InboxRow, ScreenRow

EN = load_texts("en")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def typed(service, monkeypatch, tmp_path, capsys):
    """Runs the chat on lines as if they were typed; gives its exit code and what it printed."""
    service.channels["console"] = ConsoleChannel(service.store, service.clock)

    def run(*lines, language="en", ends="\n"):
        (tmp_path / "typed").write_text("\n".join(lines) + ends, encoding="utf-8")
        with (tmp_path / "typed").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            code = asyncio.run(chat(service, language))
        return code, capsys.readouterr().out

    return run


def rows(service, table):
    return service.store.read(lambda c: c.execute(sa.select(table.__table__).order_by(table.id)).all())


def test_with_a_language_one_can_ask_at_once(typed, service, understander):
    understander.means("What is the PIP?", "answer", "pip.what", language="en")
    code, printed = typed("What is the PIP?", "/quit")
    assert code == 0
    assert "personal plan" in printed.split("> ")[1]
    assert printed.rstrip().endswith(EN["bye"])
    (contact,) = rows(service, ContactRow)
    assert (contact.language, contact.consent) == ("en", "given")


def test_without_a_language_the_service_asks_for_it_and_a_number_chooses(typed, service):
    code, printed = typed("3", "١", language=None)
    assert code == 0
    assert "[3] العربية" in printed
    (contact,) = rows(service, ContactRow)
    assert (contact.language, contact.consent) == ("ar", "given")
    assert [row.text for row in rows(service, ScreenRow) if row.mine][1] == "العربية"


def test_the_end_of_the_input_ends_politely_and_the_last_line_needs_no_end(typed, understander):
    understander.means("What is the PIP?", "answer", "pip.what", language="en")
    code, printed = typed("What is the PIP?", ends="")
    assert code == 0
    assert "personal plan" in printed
    assert printed.rstrip().endswith(EN["bye"])


def test_a_number_that_was_not_offered_is_sent_as_a_message(typed, service):
    code, printed = typed("99", "0")
    assert code == 0
    assert printed.count(EN["no_number"]) == 2
    assert [row.text for row in rows(service, ScreenRow) if row.mine][-2:] == ["99", "0"]


def test_time_goes_on_with_later(typed, service):
    _, printed = typed("/later 1d", "/later 3h", "/later ٢w", "/later", "/later -1d", "/later 9999w")
    assert service.clock.offset == timedelta(days=15, hours=3)
    assert printed.count(EN["later"].split("{")[0]) == 3
    assert printed.count(EN["later_how"]) == 3


def test_a_new_phone_is_somebody_else(typed, service):
    _, printed = typed("/new", "Hello")
    assert EN["new"] in printed
    assert len(rows(service, ContactRow)) == 2
    assert len({row.phone for row in rows(service, ScreenRow)}) == 2


def test_a_command_that_is_not_there_is_not_sent(typed, service):
    before = len([row for row in rows(service, ScreenRow) if row.mine])
    _, printed = typed("/reset", "", "   ")
    assert printed.count(EN["unknown"]) == 1
    assert len([row for row in rows(service, ScreenRow) if row.mine]) == before + 2  # language and consent


def test_a_message_that_is_too_long_stays_here(typed, service):
    _, printed = typed("x" * 4097)
    assert EN["too_long"].format(limit=4096) in printed
    assert not [row for row in rows(service, ScreenRow) if "xx" in row.text]


def test_a_database_that_takes_nothing_is_told(typed, service, monkeypatch):
    async def refuses(_):
        raise StoreUnavailableError("locked")

    monkeypatch.setattr(service.inbox, "accept", refuses)
    code, printed = typed("Hello")
    assert code == 0
    assert printed.count(EN["away"]) == 3
    assert rows(service, ScreenRow) == []


def test_a_worker_that_stops_ends_the_chat(typed, service, monkeypatch, capsys):
    async def breaks():
        raise RuntimeError("broken")

    monkeypatch.setattr(service.worker, "run", breaks)
    code, _ = typed("Hello")
    assert code == 1


def test_where_invented_phones_are_switched_off_it_says_so(typed, service):
    del service.channels["console"]
    with pytest.raises(SettingsError, match="WEGWIJS_SIMULATOR"):
        typed("Hello")


def test_an_answer_that_comes_later_is_shown_without_a_key_pressed(service, monkeypatch, capsys):
    service.channels["console"] = ConsoleChannel(service.store, service.clock)
    here, there = os.pipe()

    async def run():
        with os.fdopen(here) as file:
            monkeypatch.setattr("sys.stdin", file)
            talking = asyncio.create_task(chat(service, "en"))
            for _ in range(100):
                await asyncio.sleep(0.05)
                if len(rows(service, ScreenRow)) == 4:
                    break
            await asyncio.sleep(0.5)
            phone = rows(service, ScreenRow)[0].phone
            values = {"phone": phone, "mine": False, "text": "From the desk", "options": [], "at": service.clock.now()}
            await service.store.awrite(lambda c: c.execute(sa.insert(ScreenRow).values(**values)) and None)
            await asyncio.sleep(0.4)
            os.write(there, b"Dank je " + "ш".encode()[:1])  # a letter may come in two halves
            os.write(there, "ш".encode()[1:] + b"\n")
            os.close(there)
            return await talking

    assert asyncio.run(run()) == 0
    printed = capsys.readouterr().out
    assert "From the desk\n\n> " in printed
    assert rows(service, ScreenRow)[-2].text == "Dank je ш"


def test_every_message_takes_the_inbox(typed, service):
    typed("Hello")
    assert {row.channel for row in rows(service, InboxRow)} == {"console"}
    assert all(re.fullmatch("console:[0-9a-f]{32}", row.key) for row in rows(service, InboxRow))


def screen(text, *labels):
    options = [{"token": label, "label": label} for label in labels]
    return SimpleNamespace(text=text, options=options, at=datetime(2026, 11, 23, 9, 5, tzinfo=UTC))


def test_arabic_is_printed_in_the_order_of_writing_without_invisible_signs():
    printed = as_text(screen("\u200fاتصل: \u206614 024\u2069.", "القائمة\u2069"), 78)
    assert printed == "\nWegwijs 10:05\n  اتصل: 14 024.\n  [1] القائمة"


def test_text_is_wrapped_but_a_number_and_an_address_are_never_cut():
    words = "woord " * 12
    link = "https://www.nijmegen.nl/diensten/" + "x" * 80
    lines = as_text(screen(f"{words}14 024\n\n{link}"), 78).splitlines()
    assert all(len(line) <= 78 for line in lines if "https" not in line)
    assert "  14 024" in lines
    assert f"  {link}" in lines


@pytest.mark.parametrize(("text", "hours"), [("1h", 1), ("2d", 48), ("1w", 168), ("٣h", 3), ("2 d", 48)])
def test_a_length_of_time_is_read(text, hours):
    assert read_step(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["d", "1", "1m", "-1d", "1.5d", "12345w", "1d 2h"])
def test_another_length_of_time_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(text)):
        read_step(text)


def test_the_texts_have_the_same_keys_and_gaps_in_each_language():
    gaps = [{key: re.findall(r"{\w+}", text) for key, text in load_texts(code).items()} for code in LANGUAGES]
    assert gaps[0] == gaps[1] == gaps[2]
