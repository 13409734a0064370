"""The quarterly page as PDF, one page of A4."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fpdf import FPDF, XPos, YPos

from bot.monitoring.sentences import LANGUAGES

Figures = dict[str, Any]
_FIXED = datetime(2026, 1, 1, tzinfo=UTC)  # the same page gives the same bytes


def pdf(page: Figures, titles: dict[str, str], language: str, path: Path) -> None:
    """Write the page as A4. `titles` has the words of the headings: title, heard, changed, todo, note."""
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}")
    sheet = FPDF(format="A4")
    sheet.set_creation_date(_FIXED)
    sheet.set_lang(language)
    sheet.set_title(titles["title"])
    sheet.set_margins(20, 18, 20)
    sheet.add_page()
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        sheet.add_font("DejaVu", style, _font(name))
    sheet.set_text_color(28, 35, 38)
    _line(sheet, titles["title"], 17, bold=True)
    _line(sheet, titles["note"], 9)
    for part in ("heard", "changed", "todo"):
        sheet.ln(3)
        _line(sheet, titles[part], 12.5, bold=True)
        for sentence in page[part]:
            _line(sheet, f"\N{BULLET} {sentence[language]}", 9.5)
    sheet.output(str(path))


def _line(sheet: FPDF, text: str, size: float, *, bold: bool = False) -> None:
    sheet.set_font("DejaVu", "B" if bold else "", size)
    sheet.multi_cell(0, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    sheet.ln(1)


def _font(name: str) -> Path:
    """A font with every sign that is needed; matplotlib brings it."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(name)
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / name
