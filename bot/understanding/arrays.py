"""Arrays in one file (npz, nothing packed) that is mapped into memory: what nobody touches takes none.

Several processes of one machine share what they map, and the system takes it back where memory is short. So that numpy
can use the arrays where they stand, each begins at a multiple of 64 bytes; np.load reads such a file like any other.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

BROKEN = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    zipfile.BadZipFile,
    EOFError,
    struct.error,
)  # what a bad file raises

_ALIGNED = 64  # bytes: a cache line, and what numpy's own headers are multiples of
_HEAD = 30  # bytes of a zip's entry before its name (APPNOTE 4.3.7)
_FILLING = 0xD935  # an extra field of zeros, as Android's zipalign writes it
_FIELD = 4  # bytes of an extra field before its content


@dataclass(frozen=True)
class Place:
    """Where an array stands in its file."""

    offset: int  # bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_column: bool


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """A file that appears at once: a reader never sees half of it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as packed:
            for key, array in arrays.items():
                entry = zipfile.ZipInfo(f"{key}.npy")
                entry.extra = _filling(file.tell() + _HEAD + len(entry.filename.encode()) + _FIELD)
                with packed.open(entry, "w") as one:
                    np.lib.format.write_array(one, np.asanyarray(array), allow_pickle=False)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _filling(begins: int) -> bytes:
    missing = -begins % _ALIGNED
    return struct.pack("<HH", _FILLING, missing) + bytes(missing)


def read_arrays(path: Path) -> Arrays:
    """All arrays of a file, not to be written to. Raises one of BROKEN when it is missing or any byte is wrong."""
    found = places(path)
    with path.open("rb") as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return {name: _mapped(whole, place) for name, place in found.items()}


def _mapped(whole: mmap.mmap, place: Place) -> NDArray[Any]:
    flat = np.frombuffer(whole, place.dtype, prod(place.shape), place.offset) if prod(place.shape) else np.empty(0)
    array = flat.reshape(place.shape, order="F" if place.by_column else "C")
    return array if array.flags.aligned else array.copy()  # of older code: as good as read


def places(path: Path) -> dict[str, Place]:
    """Where each array of a file stands. Raises as `read_arrays`."""
    with path.open("rb") as file, zipfile.ZipFile(file) as packed:
        if wrong := packed.testzip():
            raise ValueError(f"{wrong} is broken")
        return {entry.filename.removesuffix(".npy"): _place(file, entry) for entry in packed.infolist()}


def _place(file: BinaryIO, entry: zipfile.ZipInfo) -> Place:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError("the arrays are packed")
    file.seek(entry.header_offset)
    name, extra = struct.unpack("<26xHH", file.read(_HEAD))
    file.seek(name + extra, os.SEEK_CUR)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another format")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError("arrays of numbers only")
    return Place(file.tell(), shape, dtype, by_column)
