"""Which passwords are taken, and how they are kept. Codes of the second step."""

from __future__ import annotations

from datetime import UTC, datetime

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.accounts import passwords, second_factor

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "password",
    [
        "Welkom2026!!", "P@ssw0rd1234", "Wachtwoord123", "qwertyuiop12", "123456789012", "aaaaaaaaaaaa", "abcabcabcabc",
        "Nijmegen2026!", "Wegwijs-Nijmegen1", "sanne.bakker.1", "Zomer2026zomer", "098765432109", "zxcvbnm12345",
        "iloveyou12345", "klantregisseur", "w4chtw00rd!!!!", "1q2w3e4r5t6y", "q1w2e3r4t5y6", "qazwsxedcrfv",
        "123qweasdzxc", "a1b2c3d4e5f6", "1a2b3c4d5e6f", "qwaszx123456", "manchesterunited", "minecraft123",
    ],
)  # fmt: skip
def test_what_many_people_choose_is_refused(password):
    assert passwords.fault(password, "sanne.bakker@nijmegen.example", "Sanne Bakker") == "too_simple"


@pytest.mark.parametrize(
    "password",
    [
        "kat fiets wolk",
        "bloemkoolsoep",
        "ik eet op dinsdag pannenkoeken",
        "839104752619",
        "كلمة سر طويلة",
        "żółw-ściana-łódź",
    ],
)
def test_words_that_do_not_belong_together_are_taken_in_any_alphabet(password):
    assert passwords.fault(password, "sanne", "Sanne") == ""


@pytest.mark.parametrize(
    ("password", "fault"), [("kat fiets w", "too_short"), ("kat " * 33, "too_long"), ("", "too_short")]
)
def test_length(password, fault):
    assert passwords.fault(password) == fault


@given(st.text(max_size=200), st.text(max_size=70), st.text(max_size=70))
def test_any_text_gets_a_verdict(password, login, name):
    assert passwords.fault(password, login, name) in {"", "too_short", "too_long", "too_simple"}


def test_a_password_given_out_is_long_and_never_twice_the_same():
    made = {passwords.one_time() for _ in range(200)}
    assert len(made) == 200
    assert all(passwords.fault(password) == "" for password in made)


def test_the_same_letters_of_another_keyboard_are_the_same_password():
    kept = passwords.hash_of("cafe\u0301 en nog wat")
    assert passwords.is_right(kept, "caf\u00e9 en nog wat")
    assert not passwords.is_right(kept, "cafe en nog wat")
    assert not passwords.is_right(None, "anything at all")
    assert not passwords.is_right("not a hash", "anything at all")


def test_codes_agree_with_the_standard():
    """RFC 6238, appendix B, for SHA-1, cut to six digits."""
    secret = pyotp.random_base32()
    assert second_factor.step_of(secret, pyotp.TOTP(secret).at(NOW), NOW, 0) == int(NOW.timestamp()) // 30
    known = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert second_factor.step_of(known, "287082", datetime.fromtimestamp(59, UTC), 0) == 1


@given(st.text(max_size=30))
def test_any_text_may_be_typed_as_a_code(text):
    assert second_factor.step_of("JBSWY3DPEHPK3PXP", text, NOW, 10**12) is None
    assert isinstance(second_factor.normal_recovery(text), str)
