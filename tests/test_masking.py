"""Numbers that identify somebody are taken out before anything is kept. All numbers here are invented."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.locales import LANGUAGES
from bot.masking import AT_THE_DOOR, EVERYTHING, MASK, Secret, mask
from bot.messages import Kind
from bot.storage.models import Base
from tests.talk import Talk, keys

CHANNELS = ("telegram", "whatsapp", "whatsapp")
BSN = "111222333"  # passes the 11-test; used in the documentation of the test itself
IBAN = "NL91ABNA0417164300"  # the example of the standard


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"mijn bsn is {BSN}", Secret.BSN),
        ("mijn bsn is 111.222.333 dank", Secret.BSN),
        ("رقمي ١١١٢٢٢٣٣٣ شكرا", Secret.BSN),
        (f"reken {IBAN} klopt", Secret.IBAN),
        ("rekening NL91 ABNA 0417 1643 00 van mij", Secret.IBAN),
        ("paspoort NPX3K7L21 kwijt", Secret.DOCUMENT),
        ("my passport N012345678 is lost", Secret.DOCUMENT),
        ("v-nummer 123.456.7890", Secret.DOCUMENT),
        ("V nummer: 1234567890", Secret.DOCUMENT),
        ("Mijn V-nummer is 280 123 4567", Secret.DOCUMENT),
        ("my V-number was 2801234567", Secret.DOCUMENT),
        ("رقم V هو ٢٨٠١٢٣٤٥٦٧", Secret.DOCUMENT),
    ],
)
def test_it_is_seen_and_taken_out(text, kind):
    masked = mask(text)
    assert masked.found == {kind}
    assert MASK in masked.text
    digits = [char for char in masked.text if char.isdigit()]
    assert len(digits) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "800 uur en 2024, B1 of A2?",
        "bel mij 06 12345678",
        "mijn v-nummer weet ik niet, bel 0612345678",
        "5 v. 10, zaaknummer 2801234567",
        "ik woon op 6511 AA 12",
        "brief van 12-11-2026, kenmerk 2026/4711",
        "123456789",  # fails the 11-test
        "inburgering klantregisseur DUO",
        "ما هو رقم 14024",
        "",
    ],
)
def test_ordinary_numbers_stay(text):
    assert mask(text).text == text


def test_for_researchers_more_is_taken_out():
    text = "Bel 06 12345678 of mail amina@voorbeeld.nl, geboren 03-04-1990"
    assert mask(text, EVERYTHING).text == f"Bel {MASK} of mail {MASK}, geboren {MASK}"
    assert mask(text, AT_THE_DOOR).text == text


@given(st.text(max_size=300))
def test_any_text_is_masked_once_and_for_all(text):
    once = mask(text, EVERYTHING)
    assert mask(once.text, AT_THE_DOOR).found == frozenset()


@pytest.mark.parametrize(("language", "channel"), [*zip(LANGUAGES, CHANNELS, strict=True)])
def test_somebody_who_sends_a_number_is_told_and_it_is_nowhere(service, understander, language, channel):
    text = f"mijn bsn is {BSN}, wat is het pip?"
    understander.means(mask(text).text, "answer", "pip.what", language=language)
    talk = Talk(service, channel).agrees(language)
    got = talk.says(text)
    assert keys(got)[0] == "privacy.masked"
    assert "pip.what" in keys(got)[1]
    assert BSN not in _whole_database(service)
    assert keys(talk.says("Hallo"))[0] != "privacy.masked"


def test_a_caption_and_a_name_on_a_button_are_masked_too(service, understander):
    talk = Talk(service, "telegram").agrees("nl")
    talk.says(f"foto van {IBAN}", kind=Kind.IMAGE)
    assert IBAN not in _whole_database(service)


def _whole_database(service):
    def read(connection):
        return "".join(str(connection.execute(sa.select(t)).all()) for t in Base.metadata.tables.values())

    return service.store.read(read)
