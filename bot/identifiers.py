"""Addresses of people, encrypted at rest and found again by a keyed hash.

Fernet (AES-128-CBC with HMAC, library `cryptography`); several keys may be given, the first encrypts, all decrypt, so
keys can be changed while running. The hash key can't be changed without hashing every address anew (`wegwijs keys
rotate` does both).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.errors import WegwijsError
from bot.messages import Address


class SealError(WegwijsError):
    """A sealed address can't be opened with the keys of the settings."""


class Vault:
    """Seals and opens addresses. `keys`: Fernet keys, newest first; `hash_key`: secret bytes of the look-up hash."""

    def __init__(self, keys: list[str], hash_key: str) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._hash_key = hash_key.encode()
        self.seal = lru_cache(maxsize=4096)(self._seal)

    def _seal(self, address: Address) -> str:
        data = json.dumps([address.channel, address.value, address.bsuid, address.phone], ensure_ascii=False)
        return self._fernet.encrypt(data.encode()).decode()

    def open(self, sealed: str) -> Address:
        """The address of `seal`. Raises SealError when no key fits."""
        try:
            channel, value, bsuid, phone = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise SealError("an address can't be opened: the key it was sealed with is not in SECRET_KEYS") from None
        return Address(channel, value, bsuid, phone)

    def seal_text(self, text: str) -> str:
        """A short secret, encrypted."""
        return self._fernet.encrypt(text.encode()).decode()

    def open_text(self, sealed: str, ttl: timedelta | None = None) -> str:
        """The text of `seal_text`. Raises SealError when it is forged, older than `ttl`, or no key fits."""
        try:
            return self._fernet.decrypt(sealed.encode(), int(ttl.total_seconds()) if ttl else None).decode()
        except (InvalidToken, UnicodeDecodeError):
            raise SealError("a secret can't be opened: the key it was sealed with is not in SECRET_KEYS") from None

    def rotate(self, sealed: str) -> str:
        """The same address, sealed with the newest key."""
        return self._fernet.rotate(sealed.encode()).decode()

    def lookup(self, channel: str, identifier: str) -> str:
        """A keyed hash to find an address by: 32 hexadecimal digits, useless without the key."""
        message = f"{channel}:{identifier}".encode("utf-8", "surrogatepass")
        return hmac.new(self._hash_key, message, hashlib.sha256).hexdigest()[:32]

    def lookups(self, address: Address) -> list[str]:
        """Every hash that an address may be known by, the surest first: the user id, then what to reply to."""
        identifiers = dict.fromkeys(filter(None, (address.bsuid, address.value)))
        return [self.lookup(address.channel, identifier) for identifier in identifiers]
