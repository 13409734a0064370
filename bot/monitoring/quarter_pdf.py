"""The quarterly page as PDF, one page of A4: sentences, and a chart of every item beside 2024."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fpdf import FPDF, XPos, YPos

from bot.monitoring.sentences import LANGUAGES, decimal

Figures = dict[str, Any]
_FIXED = datetime(2026, 1, 1, tzinfo=UTC)  # the same page gives the same bytes
INK, LIGHT, NOW, BEFORE = (28, 35, 38), (201, 210, 214), (11, 90, 110), (122, 74, 0)
LEFT, SIDE = 18.0, 174.0  # mm
CHART, WIDE, STEP = 96.0, 48.0, 4.3  # where the scale of the chart begins, how wide it is, how high a row


def pdf(found: Figures, titles: Mapping[str, str], language: str, path: Path) -> None:
    """Write the page of a report as A4. `titles` has the words of the headings (`templates/monitoring/titles.html`)."""
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}")
    page = found["quarter"]
    sheet = _sheet(titles["title"], language)
    _line(sheet, titles["title"], 16, bold=True)
    if found.get("demo"):
        _line(sheet, titles["demo"], 9.5, bold=True)
    _line(sheet, " ".join([titles["note"], *(one[language] for one in page["about"])]), 8.5)
    for part in (name for name in ("best", "lowest", "changed", "todo") if page[name]):
        sheet.ln(1.5)
        _line(sheet, titles[part], 11, bold=True)
        for sentence in page[part]:
            _bullet(sheet, sentence[language])
        if part == "changed" and page["more"]:
            _bullet(sheet, titles["more"])
    if page["rows"]:
        sheet.ln(1.5)
        _line(sheet, titles["chart"], 11, bold=True)
        _chart(sheet, page["rows"], language, several=len(page["waves"]) > 1)
    sheet.ln(1)
    _line(sheet, titles["foot"], 7.5)
    sheet.output(str(path))


def _sheet(title: str, language: str) -> FPDF:
    sheet = FPDF(format="A4")
    sheet.set_creation_date(_FIXED)
    sheet.set_lang(language)
    sheet.set_title(title)
    sheet.set_margins(LEFT, 14, LEFT)
    sheet.set_auto_page_break(auto=True, margin=10)
    sheet.add_page()
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        sheet.add_font("DejaVu", style, _font(name))
    sheet.set_text_color(*INK)
    return sheet


def _line(sheet: FPDF, text: str, size: float, *, bold: bool = False) -> None:
    sheet.set_font("DejaVu", "B" if bold else "", size)
    sheet.multi_cell(0, size * 0.48, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    sheet.ln(0.8)


def _bullet(sheet: FPDF, text: str) -> None:
    """A sentence whose later lines stand below its first word."""
    sheet.set_font("DejaVu", "", 9)
    sheet.cell(4, 4.3, "\N{BULLET}")
    sheet.multi_cell(SIDE - 4, 4.3, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    sheet.ln(0.5)


def _chart(sheet: FPDF, rows: Sequence[Figures], language: str, *, several: bool) -> None:
    """A row an item: its scale as a line, a dot with the interval for now, an open diamond for 2024."""
    sheet.set_font("DejaVu", "", 7.5)
    for row in rows:
        top, (low, high) = sheet.get_y(), (row["scale"]["low"], row["scale"]["high"])
        middle = top + STEP / 2
        wave = f" · {row['wave']}" if several else ""
        sheet.cell(CHART - LEFT - 6, STEP, row["label"][language][: (47 - len(wave)) if several else 52] + wave)
        sheet.set_xy(CHART - 6, top)
        sheet.cell(5, STEP, str(low), align="R")
        at = [CHART + (row[key] - low) / (high - low) * WIDE for key in ("low", "m", "high")]
        _mark(sheet, at, middle)
        if row["before"] is not None:
            _diamond(sheet, CHART + (row["before"] - low) / (high - low) * WIDE, middle)
        sheet.set_xy(CHART + WIDE + 1, top)
        sheet.cell(6, STEP, str(high))
        before = f"; 2024: {decimal(row['before'], language)}" if row["before"] is not None else ""
        told = f"{decimal(row['m'], language)} (n {row['n']}{before})"
        sheet.cell(0, STEP, told, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _mark(sheet: FPDF, at: Sequence[float], middle: float) -> None:
    sheet.set_draw_color(*LIGHT)
    sheet.set_line_width(0.2)
    sheet.line(CHART, middle, CHART + WIDE, middle)
    sheet.set_draw_color(*NOW)
    sheet.set_fill_color(*NOW)
    sheet.set_line_width(0.7)
    sheet.line(at[0], middle, at[2], middle)
    sheet.ellipse(at[1] - 1, middle - 1, 2, 2, style="F")


def _diamond(sheet: FPDF, x: float, middle: float) -> None:
    sheet.set_draw_color(*BEFORE)
    sheet.set_line_width(0.3)
    sheet.polygon([(x - 1.3, middle), (x, middle - 1.3), (x + 1.3, middle), (x, middle + 1.3)], style="D")


def _font(name: str) -> Path:
    """A font with every sign that is needed; matplotlib brings it."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(name)
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / name
