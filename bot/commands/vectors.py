"""`wegwijs content vectors`: vectors of the example questions, written beside the content.

A fresh installation then fits in half a minute instead of five. To be done when many examples changed: a test says it.
"""

from __future__ import annotations

from pathlib import Path

from bot.understanding.encoders import E5, Use
from bot.understanding.examples import read_pack
from bot.understanding.fit import read_all
from bot.understanding.vectors import ship


def write(content_dir: Path, cache_dir: Path) -> int:
    """Write one file an encoder. Raises ContentError for a folder without examples."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    texts = [reading.common for reading in read_all(content_dir, read_pack(content_dir))[2]]
    for encoder in (E5(), Use(cache_dir)):
        print(f"{encoder.name}: {ship(encoder, texts, content_dir, cache_dir)} texts")
    return 0
