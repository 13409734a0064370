"""The report's sentences in Dutch and English, from `texts/`. Numbers are written as each language writes them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = ("nl", "en")


@lru_cache(maxsize=2)
def texts(language: str) -> dict[str, dict[str, str]]:
    """All sentences of a language: area, key."""
    path = Path(__file__).parent / "texts" / f"{language}.yaml"
    loaded: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def say(area: str, key: str, **values: Any) -> dict[str, str]:
    """A sentence in each language. A value may be a number, a text, or a text for each language."""
    return {
        language: texts(language)[area][key].format(
            **{name: _written(value, language) for name, value in values.items()}
        )
        for language in LANGUAGES
    }


def _written(value: Any, language: str) -> str:
    if isinstance(value, dict):
        return str(value[language])
    return decimal(value, language) if isinstance(value, float) else str(value)


def decimal(value: float, language: str, digits: int = 2) -> str:
    """A figure as each language writes it: "3,90" in Dutch, "3.90" in English; a real minus sign."""
    text = f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return text.replace(".", ",") if language == "nl" else text


def p_value(p: float) -> dict[str, str]:
    """P as studies print it: three decimals, no zero in front in English; below .001 as such."""
    return {
        "nl": "< 0,001" if p < 0.001 else decimal(p, "nl", 3),
        "en": "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0"),
    }
