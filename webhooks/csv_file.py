"""A CSV file to download: nothing in it is carried out by the spreadsheet that opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Response

from webhooks.pages import HEADERS


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """The download. `name` goes into a header as it is: letters, digits and signs of our own."""
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(to_csv(columns, rows), media_type="text/csv; charset=utf-8", headers=headers)


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A header and the rows. A text that a spreadsheet would carry out gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(value) for value in row])
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
