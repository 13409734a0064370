"""Commands for whoever runs the service: copies of the database, keys, and a look at everything."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from bot import backup, doctor, opening
from bot.development_keys import new_keys
from bot.errors import SettingsError
from bot.findings import Grade, bad
from bot.identifiers import Vault
from bot.keys import rotate
from bot.settings import Settings
from bot.storage.store import Store


def make_backup(settings: Settings, folder: Path) -> int:
    """Copy the database, and say where the copy is."""
    made = backup.backup(settings.store_url, folder, datetime.now(UTC))
    rows = sum(backup.read_manifest(made).rows.values())
    print(f"{made}: {made.stat().st_size // 1000} kB, {rows} rows")
    print("Keep the three keys (WEGWIJS_SECRET_KEYS, WEGWIJS_HASH_KEY, WEGWIJS_RESEARCH_KEY) in another place:")
    print("without them no address in it can be read, nobody is found again, and no answer to a survey can be erased.")
    return 0


def restore(settings: Settings, file: Path, *, replace: bool) -> int:
    """Put a copy back."""
    manifest = backup.restore(settings.store_url, file, replace=replace)
    print(f"restored the copy of {manifest.made_at}, revision {manifest.revision}, {sum(manifest.rows.values())} rows")
    return 0


def examine(settings: Settings) -> int:
    """Print every finding; exit code 1 when something must be mended."""
    found: Counter[Grade] = Counter()
    for finding in doctor.examine(settings, lambda: datetime.now(UTC)):
        print(finding, flush=True)
        found[finding.grade] += 1
    counts = f"{found[Grade.BAD]} to mend, {found[Grade.WARN]} to look at"
    print(f"\n{counts}, {found[Grade.GOOD]} as they should be")
    return 1 if found[Grade.BAD] else 0


def refuse(error: SettingsError) -> int:
    """Settings that can't be: nothing else can be looked at."""
    for fault in error.faults:
        print(bad("settings", fault, "in /etc/wegwijs/env or .env (.env.example explains each); then look once more"))
    print(f"\n{len(error.faults)} to mend; the rest is looked at after that")
    return 1


def close_service(settings: Settings, until: datetime | None) -> int:
    """Close the service until a moment, or open it when there is none."""
    store = Store(settings.store_url)
    try:
        with store.engine.begin() as connection:
            opening.reopen(connection) if until is None else opening.close(connection, until)
    finally:
        store.close()
    print(f"closed until {until:%d-%m-%Y %H:%M}; only people in danger are answered" if until else "open")
    return 0


def rotate_keys(settings: Settings, *, new_hash_key: bool) -> int:
    """Seal everything with the first key of the settings; with a new hash key also hash everything anew."""
    if not settings.has_own_keys:
        raise SettingsError(["WEGWIJS_SECRET_KEYS is missing: development keys are not rotated"])
    hash_key = new_keys()["hash_key"] if new_hash_key else ""
    old = Vault(settings.fernet_keys, settings.hash_key)
    new = Vault(settings.fernet_keys, hash_key) if new_hash_key else None
    store = Store(settings.store_url)
    store.lock()
    try:
        with store.engine.begin() as connection:
            done = rotate(connection, old, new)
        if store.is_sqlite:
            store.scrub()
    finally:
        store.close()
    print(f"{done.sealed} texts sealed with the first key. Take the other keys out of WEGWIJS_SECRET_KEYS.")
    if new_hash_key:
        print(f"{done.hashed} hashes made anew, {done.codes_ended} codes in letters ended. From now on:")
        print(f"WEGWIJS_HASH_KEY={hash_key}")
    return 0
