"""The settings that the process which understands needs: read first, so that it loads beside everything else.

The rest of the settings (`bot/settings.py`) stands on half of the service, and takes half a second to import.
"""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Folders(BaseSettings):
    """Where things are, and how the log is written."""

    model_config = SettingsConfigDict(env_prefix="WEGWIJS_", env_file=".env", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path("var")
    content_dir: Path = ROOT / "content"
    log_json: bool = False
