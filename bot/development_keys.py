"""Keys that this machine makes for itself where none are set, for development; and fresh ones for production."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from bot.errors import SettingsError

_FILE = "development-keys.json"


def development_keys(data_dir: Path) -> dict[str, str]:
    """Keys of this machine for development, made once and kept readable for the owner alone. Raises SettingsError."""
    path, keys = data_dir / _FILE, kept_keys(data_dir)
    if set(keys) >= set(new_keys()):
        return keys
    data_dir.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    keys = new_keys() | keys
    path.write_text(json.dumps(keys))
    return keys


def kept_keys(data_dir: Path) -> dict[str, str]:
    """The keys of before; none where there is no file. Raises SettingsError where it is broken."""
    path = data_dir / _FILE
    try:
        kept = json.loads(path.read_text()) if path.exists() else {}
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise SettingsError([f"{path} is broken; put its copy back, or delete it: nobody is known any more without it"])
    return kept


def new_keys() -> dict[str, str]:
    """Fresh values for WEGWIJS_SECRET_KEYS, WEGWIJS_HASH_KEY and WEGWIJS_RESEARCH_KEY."""
    return {
        "secret_keys": Fernet.generate_key().decode(),
        "hash_key": secrets.token_urlsafe(32),
        "research_key": secrets.token_urlsafe(32),
    }
