"""The names that an answers file may use for columns, statuses and groups, and ours for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.locales import western_digits

FORMAT = 3  # of the report; a higher one makes the reports that were kept anew
BACKGROUNDS = ("type", "gender", "age_group", "work_status", "route", "phase", "language", "channel")
DERIVED = {"age": "age_group"}  # the study compares two ages; a file has finer groups
STATUSES = ("answered", "skipped", "broken_off", "not_asked", "no_answer")  # no_answer: the file doesn't say why
_SEPARATORS = re.compile(r"[\s\-_–/.]+")
_AGE = re.compile(r"(\d{1,3})")


def slug(text: str) -> str:
    """A name for comparing: lower case, with _ for spaces and dashes."""
    return _SEPARATORS.sub("_", text.strip().lower()).strip("_")


@lru_cache(maxsize=1)
def _vocabulary() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "vocabulary.yaml").read_text(encoding="utf-8"))
    return loaded


def _turned(names: Mapping[str, list[str]]) -> dict[str, str]:
    return {slug(str(alias)) or str(alias): name for name, aliases in names.items() for alias in aliases}


@lru_cache(maxsize=1)
def columns() -> dict[str, str]:
    """Our name for each way in which a column may be called."""
    return _turned(_vocabulary()["columns"])


@lru_cache(maxsize=1)
def _unknown() -> frozenset[str]:
    return frozenset(slug(str(word)) for word in _vocabulary()["unknown"]) | {""}


@lru_cache(maxsize=1)
def _no_value() -> frozenset[str]:
    return frozenset(slug(str(word)) for word in _vocabulary()["no_value"]) | {""}


def status_of(text: str) -> str | None:
    """Our name of a status; "" where there is none; None for one that isn't known."""
    word = slug(text)
    if text.strip() in _vocabulary()["missing_codes"]:
        return str(_vocabulary()["missing_codes"][text.strip()])
    return "" if not word else _turned(_vocabulary()["statuses"]).get(word)


def missing_code(text: str) -> str | None:
    """The status that a value such as -2 stands for in our own wide files; None for a real value."""
    code = text.strip().replace(",", ".").removesuffix(".0")
    found = _vocabulary()["missing_codes"].get(code)
    return str(found) if found else None


def is_empty(text: str) -> bool:
    """Whether a value says that there is none."""
    return slug(text) in _no_value()


def category(background: str, text: str) -> str | None:
    """Our name of a group: "vrouw" is women. None for unknown; a group that isn't in the list keeps its own name."""
    word = slug(western_digits(text))
    known = _turned(_vocabulary()["values"].get(background, {}))
    if word in known:
        return known[word]
    if word in _unknown():
        return None
    return _age_group(text) if background == "age_group" else word


def _age_group(text: str) -> str:
    """The group of ten years: "20-29", "20 t/m 29" and "25" are 20-29; the youngest is 18-19, the oldest 60+."""
    years = [int(number) for number in _AGE.findall(western_digits(text))]
    if not years:
        return slug(text)
    return "-".join(map(str, years[:2])) if len(years) > 1 else _of_age(years[0], text)


def _of_age(years: int, text: str) -> str:
    if years >= 60 or "+" in text or slug(text).startswith(("ouder", "older", "over")):
        return f"{years}+" if years < 60 or "+" in text else "60+"
    return "18-19" if years in (18, 19) else f"{years // 10 * 10}-{years // 10 * 10 + 9}"


def two_ages(age_group: str) -> str | None:
    """The two ages that the study compares: 18-29 and 30+. None for a group that lies in both."""
    years = [int(number) for number in _AGE.findall(age_group)]
    if not years:
        return None
    last = 200 if age_group.endswith("+") else years[-1]
    return "18-29" if last <= 29 else "30+" if years[0] >= 30 else None


def groups_of(background: str) -> list[str]:
    """The groups of a background that have a name of ours, in their order."""
    return ["18-29", "30+"] if background == "age" else list(_vocabulary()["values"].get(background, {}))
