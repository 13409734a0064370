"""Letters with a one-time code: what stands in each, in the person's language, with a link and a QR for each chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote

import segno
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import audit
from bot.content import Content
from bot.desk.linking import make_codes
from bot.identifiers import Vault
from bot.link_codes import written
from bot.locales import AMSTERDAM, LANGUAGES, direction, isolate_latin
from bot.replies import Page
from bot.roles import Principal
from bot.storage.models import PartyRow

MOST = 2000  # letters at a time: a page of more is of no use to a printer


@dataclass(frozen=True)
class Chats:
    """Where newcomers find the chat: the bot's user name, WhatsApp's number in digits. Empty: not there."""

    telegram_bot: str = ""
    whatsapp_number: str = ""


@dataclass(frozen=True)
class Way:
    """A chat to begin in: its heading, the link, and the link as a QR (an SVG element)."""

    title: str
    link: str
    qr: str


@dataclass(frozen=True)
class Letter:
    """One sheet. `person` is the municipality's own key, to find the envelope by: there is no name here."""

    person: str
    language: str
    direction: str
    title: str
    what: str
    how: str
    by_hand: str
    code: str
    until: str
    help: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Sheets:
    """Letters that were made, and the keys that are nobody's or have an account already."""

    letters: tuple[Letter, ...] = ()
    unknown: tuple[str, ...] = ()
    linked: int = 0


@dataclass(frozen=True)
class Printer:
    """What a letter is made with. `days`: how long its code works."""

    content: Content
    vault: Vault
    chats: Chats
    now: datetime
    days: int


def make_letters(connection: Connection, persons: Sequence[str] | None, printer: Printer, who: Principal) -> Sheets:
    """Letters for the people with these keys; without keys for everybody who has no account yet, at most `MOST`.

    Each gets a new code, and the codes of earlier letters end. With an unknown key nothing is made.
    """
    query = sa.select(PartyRow.id, PartyRow.reference, PartyRow.sealed, PartyRow.language, PartyRow.contact_id)
    if persons is None:
        query = query.where(PartyRow.contact_id.is_(None))
        rows = connection.execute(query.order_by(PartyRow.id).limit(MOST)).all()
    else:
        keys = {printer.vault.lookup("party", key): key for key in persons}
        rows = connection.execute(query.where(PartyRow.reference.in_(keys)).order_by(PartyRow.id)).all()
        unknown = set(keys) - {row.reference for row in rows}
        if unknown:
            return Sheets(unknown=tuple(key for reference, key in keys.items() if reference in unknown))
    codes = make_codes(connection, [row.id for row in rows], printer.vault, printer.now, printer.days)
    for row in rows:
        audit.record(connection, who, "caseload.letter", printer.now, party_id=row.id)
    letters = tuple(
        _letter(printer, printer.vault.open(row.sealed).value, letter_language(row.language), *codes[row.id])
        for row in rows
    )
    return Sheets(letters, linked=sum(row.contact_id is not None for row in rows))


def letter_language(language: str) -> str:
    """The language to write in: the person's own; Dutch where none is known; English for one that isn't served."""
    return language if language in LANGUAGES else "en" if language else "nl"


def _letter(printer: Printer, person: str, language: str, code: str, ends: datetime) -> Letter:
    page = Page(printer.content, language, printer.now.astimezone(AMSTERDAM).date())

    def say(key: str, **params: object) -> str:
        words = page.say(key, params).strip()
        return isolate_latin(words) if language == "ar" else words

    ways = _ways(printer.chats, code, page.say("letter.message"), say("letter.telegram"), say("letter.whatsapp"))
    return Letter(
        person=person,
        language=language,
        direction=direction(language),
        title=say("letter.title"),
        what=say("letter.what"),
        how=say("letter.how") if ways else say("letter.how_code"),
        by_hand=say("letter.code") if ways else "",
        code=written(code),
        until=say("letter.until", date=_last_day(ends)),
        help=say("letter.help"),
        ways=ways,
    )


def _last_day(ends: datetime) -> date:
    """The last whole day on which a code works."""
    return (ends - timedelta(days=1)).astimezone(AMSTERDAM).date()


def _ways(chats: Chats, code: str, message: str, telegram: str, whatsapp: str) -> tuple[Way, ...]:
    ways = []
    if chats.telegram_bot:  # a payload takes letters, digits, - and _ only, 64 at most
        ways.append(_way(telegram, f"https://t.me/{chats.telegram_bot}?start={code}"))
    if chats.whatsapp_number:
        words = quote(f"{message} {written(code)}", safe="")
        ways.append(_way(whatsapp, f"https://wa.me/{chats.whatsapp_number}?text={words}"))
    return tuple(ways)


def _way(title: str, link: str) -> Way:
    return Way(title, link, segno.make(link, error="m").svg_inline(scale=4, border=2))
