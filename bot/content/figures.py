"""Figures put into texts: each value once, written the way each language writes it. Pure.

The words of units stand in `replies.yaml` (`unit.days` and so on): Babel's own unit data mixes up grammatical cases
in Dutch and Arabic.
"""

from __future__ import annotations

from datetime import date

from bot import locales
from bot.content.load import Content
from bot.content.schema import PLACEHOLDER, Figure, Span, Texts


def show(figure: Figure, content: Content, language: str) -> str:
    """A figure in words of a language: "10 weken", "14 024", "€ 250". Raises ValueError when it has no value."""
    value = figure.value
    if value is None:
        raise ValueError("this figure waits for the municipality")
    if isinstance(value, Texts):
        return value.of(language)
    if isinstance(value, Span):
        low = quantity(value.min, "eur" if figure.unit == "eur" else "count", content, language)
        high = quantity(value.max, figure.unit, content, language)
        return str(content.replies[language]["unit.range"]).format(low=low, high=high)
    if isinstance(value, date):
        return locales.day(value, language)
    if isinstance(value, str) or figure.unit in ("phone", "email", "date", "text"):
        value = str(value)
        return locales.isolate(value) if language == "ar" and figure.unit in ("phone", "email") else value
    return quantity(value, figure.unit, content, language)


def quantity(value: float, unit: str, content: Content, language: str) -> str:
    """A number with its unit: "10 weken", "€ 250", "63%". Raises KeyError for a unit that has no words."""
    if unit == "eur":
        return locales.amount(value, language)
    shown = locales.number(value, language)
    if unit in ("count", "percent"):
        return shown if unit == "count" else f"{shown}%"
    words = content.replies[language][f"unit.{unit}"]
    pattern = words if isinstance(words, str) else words.get(locales.plural(language, value), words["other"])
    return pattern.format(n=shown)


def fill(text: str, content: Content, language: str) -> str:
    """The text with its figures in place. Raises KeyError for one that isn't there."""
    return PLACEHOLDER.sub(lambda match: show(content.figures[match[1]], content, language), text)
