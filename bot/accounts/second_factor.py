"""The second step of the login: TOTP (RFC 6238) from an app, or a recovery code from paper. Pure.

A code counts once (RFC 6238, 5.2), so the last time step that was taken is kept.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime

import pyotp
import segno

STEP = 30  # seconds
DRIFT = 1  # steps to either side: clocks of telephones are off
ISSUER = "Wegwijs"
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """160 random bits in base 32, as RFC 4226 recommends."""
    return pyotp.random_base32()


def picture(secret: str, login: str) -> str:
    """A QR code for an authenticator app, as an SVG in a data address."""
    address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)
    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=4, light="#fff", encode_minimal=True))


def step_of(secret: str, code: str, now: datetime, used: int) -> int | None:
    """The time step that a code belongs to; None when it is wrong, old, or was used before (`used`: the last step)."""
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP
    for step in range(max(current - DRIFT, used + 1), current + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Codes for whoever lost the telephone: 49 random bits each, to print or write down."""
    halves = ["".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2 * RECOVERY_CODES)]
    return [f"{first}-{second}" for first, second in zip(halves[::2], halves[1::2], strict=True)]


def normal_recovery(code: str) -> str:
    """A recovery code as it was given out, however it was typed."""
    plain = re.sub(r"[\s-]", "", code.lower())
    return f"{plain[:5]}-{plain[5:]}"
