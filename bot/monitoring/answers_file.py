"""An answers file as a table of texts: finds out separator and encoding, and keeps the line of every row."""

from __future__ import annotations

import csv as standard_csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
import pyarrow as pa  # type: ignore[import-untyped]  # as above
from pyarrow import csv

from bot.errors import AnswersError

SEPARATORS = (";", ",", "\t", "|")
SHOWN = 20  # notes of a kind that carry their line; more are only counted


@dataclass(frozen=True)
class Note:
    """Something that was left out of the figures: which rule, where it stands, and what stood there."""

    code: str
    line: int
    item: str = ""
    value: str = ""


@dataclass
class Notes:
    """What was left out: how often for each rule, and the first ones with their line."""

    counts: Counter[str] = field(default_factory=Counter)
    first: list[Note] = field(default_factory=list)

    def add(self, note: Note) -> None:
        self.counts[note.code] += 1
        if self.counts[note.code] <= SHOWN:
            self.first.append(note)

    def add_rows(self, code: str, rows: Any, lines: Any, of: Callable[[int], tuple[str, str]]) -> None:
        """All `rows` (numbers) that break a rule; `of` gives item and value of one."""
        for row in rows[:SHOWN]:
            self.first.append(Note(code, int(lines[row]), *of(int(row))))
        if len(rows):
            self.counts[code] += len(rows)


@dataclass(frozen=True)
class TextTable:
    """Rows as texts. `lines` gives the line in the file of each row, the header being line 1."""

    frame: pd.DataFrame  # every column categorical, of texts
    lines: Any  # int array, one for each row
    sha256: str
    separator: str
    notes: Notes


def read_table(path: Path) -> TextTable:
    """Read a file with a header.

    Raises AnswersError when it isn't there, is empty, is no text or has no header that can be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise AnswersError(f"{path}: can't be read ({error.strerror}); check the name of the file") from None
    text = _decoded(raw, path)
    header = next((line for line in text.split("\n", 50)[:50] if line.strip()), "")
    if not header:
        raise AnswersError(
            f"{path}: the file is empty; it needs a line with the names of the columns and a line for each answer"
        )
    separator = max(SEPARATORS, key=header.count)
    notes = Notes()
    frame = _parsed(text, separator, path, notes)
    return TextTable(frame, _lines(text, len(frame), notes), hashlib.sha256(raw).hexdigest(), separator, notes)


def _decoded(raw: bytes, path: Path) -> str:
    """Text with plain line ends. UTF-8 with or without BOM, UTF-16, or what old spreadsheets write."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise AnswersError(f"{path}: this is no text file; save it as CSV with UTF-8")


def _parsed(text: str, separator: str, path: Path, notes: Notes) -> pd.DataFrame:
    def bad_row(row: Any) -> str:
        notes.add(Note("bad_row", row.number or 0, value=f"{row.actual_columns}/{row.expected_columns}"))
        return "skip"

    try:
        table = csv.read_csv(
            io.BytesIO(text.encode("utf-8")),
            read_options=csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=csv.ParseOptions(delimiter=separator, invalid_row_handler=bad_row, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                strings_can_be_null=False,
                column_types=dict.fromkeys(_names(text, separator), pa.string()),
            ),
        )
    except (pa.ArrowInvalid, standard_csv.Error) as error:
        raise AnswersError(
            f"{path}: not readable as a table ({str(error).splitlines()[0]}); save it as CSV with a header"
        ) from None
    return pd.DataFrame({place: _texts(column) for place, column in enumerate(table.columns)}).set_axis(
        [str(name).strip() for name in table.column_names], axis=1
    )


def _names(text: str, separator: str) -> list[str]:
    """The names of the columns as they stand there, blanks and all: of a column without a type 007 would become 7."""
    lines = io.StringIO(text[len(text) - len(text.lstrip("\n")) :])
    return next(standard_csv.reader(lines, delimiter=separator), [])


def _texts(column: Any) -> Any:
    encoded = column.cast(pa.string()).dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(codes, encoded.dictionary.to_pylist())


def _lines(text: str, rows: int, notes: Notes) -> Any:
    """The line of each row. Blank lines and rows with a wrong number of columns are no rows."""
    if rows == text.rstrip("\n").count("\n") and not notes.counts:
        return np.arange(2, rows + 2)
    bad = {note.line for note in notes.first}
    numbers = [number for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    kept = [number for place, number in enumerate(numbers, 1) if place not in bad][1 : rows + 1]
    for place, note in enumerate(notes.first):  # the reader counts rows, people count lines
        notes.first[place] = Note(
            note.code, numbers[note.line - 1] if 0 < note.line <= len(numbers) else note.line, value=note.value
        )
    return np.array(kept if len(kept) == rows else range(2, rows + 2), dtype=np.int64)
