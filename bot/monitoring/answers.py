"""Answers in one shape, whatever shape the file has: one row for each answer, checked against the scale of its item.

What breaks a rule is left out and counted, with line and mend; it is never corrected, and never stops a report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types

from bot.errors import AnswersError
from bot.locales import western_digits
from bot.monitoring import questions as other
from bot.monitoring import vocabulary
from bot.monitoring.answers_file import Notes, TextTable, read_table
from bot.monitoring.questions import Question
from bot.monitoring.vocabulary import BACKGROUNDS, DERIVED, STATUSES

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_QUESTION = re.compile(r"q\s*0*(\d+)(?![0-9])", re.IGNORECASE)
MOST_GROUPS = 40  # a column with more different values is no group but something personal
ONE_WAVE = "1"
# In this order. An answer between two marks ("3,5") is kept, because means of such answers mean something.
RULES = ("no_respondent", "unknown_item", "bad_status", "value_without_answer", "not_a_number", "off_scale", "fraction")
KEPT = ("fraction",)


@dataclass(frozen=True)
class Scale:
    """What an answer to an item may be: whole numbers from low to high."""

    item: str
    topic: str
    low: int
    high: int
    higher_is_worse: bool = False


@dataclass(frozen=True)
class Answers:
    """Checked answers.

    `frame` has a row for each answer: respondent, wave, item, version, value, status, asked_on and the backgrounds as
    categories; `value` is a number only where the status is answered. `others` has the same for items that are on no
    scale of the study, with their `text`.
    """

    frame: pd.DataFrame
    others: pd.DataFrame
    scales: Mapping[str, Scale]
    questions: Mapping[str, Question]
    notes: Notes
    rows: int
    layout: str  # tidy or wide
    sha256: str

    @property
    def waves(self) -> list[str]:
        """The waves, in the order in which they were first asked."""
        parts = [one[["wave", "asked_on"]].drop_duplicates().astype(str) for one in (self.frame, self.others)]
        days = pd.concat(parts)
        first = days.groupby("wave")["asked_on"].min()
        return sorted(first.index, key=lambda wave: (first[wave], _natural(wave)))


def _natural(text: str) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]


def read_answers(path: Path, scales: Mapping[str, Scale], questions: Mapping[str, Question] | None = None) -> Answers:
    """Read a file of answers, one row for each answer or one for each respondent.

    `questions` are items that it may have besides those of the study. Raises AnswersError when it can't be used at all.
    """
    questions = questions or {}
    table = read_table(path)
    named = _named(table, path)
    if {"item", "value"} <= set(named) and "respondent" in named:
        return _checked(_from_tidy(table, named), (scales, questions), table, "tidy")
    columns = table.frame.columns
    items = {name: item for name in columns if (item := other.name_of(name, questions) or item_of(name, scales))}
    if not items:
        raise AnswersError(
            f"{path}: no column is known. Give the columns respondent, item and value with a row for each answer, "
            f"or a row for each respondent with columns such as {', '.join(list(scales)[:3])}"
        )
    return _checked(_from_wide(table, named, items), (scales, questions), table, "wide")


def _named(table: TextTable, path: Path) -> dict[str, str]:
    """Our name: the name in the file. Raises AnswersError when two columns mean the same."""
    named: dict[str, str] = {}
    for name in table.frame.columns:
        ours = vocabulary.columns().get(vocabulary.slug(name))
        if ours in named:
            raise AnswersError(f"{path}: the columns '{named[ours]}' and '{name}' mean the same; remove one")
        if ours:
            named[ours] = name
    return named


def item_of(name: str, scales: Mapping[str, Scale]) -> str | None:
    """The item that a name such as "Q3", "q03", "Q3 brede intake" or "brede_intake_helped" stands for.

    A number that no item has is given back as it is ("Q99"), so that it can be reported.
    """
    known = {key.lower(): key for key in scales} | {scale.topic: key for key, scale in scales.items()}
    if (word := name.strip().lower()) in known or (word := vocabulary.slug(name)) in known:
        return known[word]
    found = _QUESTION.match(name.strip())
    return known.get(f"q{int(found[1])}", f"Q{int(found[1])}") if found else None


def recode(column: pd.Series, rename: Callable[[str], str | None]) -> pd.Series:
    """A categorical column with other names; None becomes missing. Works on the categories, not on the rows."""
    names = [rename(str(name)) for name in column.cat.categories]
    kept = list(dict.fromkeys(name for name in names if name is not None))
    places = {name: place for place, name in enumerate(kept)}
    codes = np.array([places[name] if name is not None else -1 for name in names] + [-1])[column.cat.codes.to_numpy()]
    return pd.Series(pd.Categorical.from_codes(codes, kept), index=column.index)


def _constant(text: str, rows: int) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(np.zeros(rows, dtype=np.int64), [text]))


def _common(table: TextTable, named: Mapping[str, str]) -> pd.DataFrame:
    """The columns that both layouts share, one row for each row of the file."""
    rows, frame = len(table.frame), pd.DataFrame(index=range(len(table.frame)))
    numbers = [str(number) for number in range(1, rows + 1)]
    frame["respondent"] = (
        recode(table.frame[named["respondent"]], lambda text: text.strip() or None)
        if "respondent" in named
        else pd.Series(pd.Categorical.from_codes(np.arange(rows), numbers))
    )
    for name, default in (("wave", ONE_WAVE), ("version", ""), ("asked_on", "")):
        given = named.get(name)
        frame[name] = (
            recode(table.frame[given], lambda text, empty=default: text.strip() or empty)  # type: ignore[misc]  # mypy can't see through the default
            if given
            else _constant(default, rows)
        )
    for background in BACKGROUNDS:
        if background in named:
            frame[background] = recode(
                table.frame[named[background]],
                lambda text, name=background: vocabulary.category(name, text),  # type: ignore[misc]  # as above
            )
            if len(frame[background].cat.categories) > MOST_GROUPS:
                table.notes.counts["too_many_groups"] += 1
                frame = frame.drop(columns=background)
    frame["row"] = np.arange(rows)
    return frame


def _from_tidy(table: TextTable, named: Mapping[str, str]) -> pd.DataFrame:
    frame = _common(table, named)
    frame["item"] = table.frame[named["item"]]
    frame["text"] = table.frame[named["value"]]
    if "chosen" in named:  # our own exports: the options stand beside the numbers
        value, chosen = (table.frame[named[name]].astype(object) for name in ("value", "chosen"))
        frame["text"] = value.where(value != "", chosen).astype("category")
    frame["given"] = table.frame[named["status"]] if "status" in named else _constant("", len(frame))
    return frame


def _from_wide(table: TextTable, named: Mapping[str, str], items: Mapping[str, str]) -> pd.DataFrame:
    """One row for each respondent and item. A respondent that stands twice in a wave counts once: the first row."""
    common = _common(table, named)
    again = common.duplicated(["respondent", "wave"]) & common["respondent"].notna()
    rows = np.flatnonzero(again.to_numpy())
    who = common["respondent"]
    table.notes.add_rows("duplicate_respondent", rows, table.lines, lambda row: ("", str(who.iloc[row])))
    once = common[~again]
    parts = []
    for name in items:
        part = once.copy()
        part["item"] = _constant(name, len(common))[once.index]
        part["text"] = table.frame[name][once.index]
        parts.append(part)
    long = pd.concat(parts, ignore_index=True)
    for column in long.columns.difference(["row"]):  # joining parts with other categories turns them into texts
        long[column] = long[column].astype("category")
    long["given"] = _constant("", len(long))
    return long


Items = tuple[Mapping[str, Scale], Mapping[str, Question]]


def _checked(frame: pd.DataFrame, items: Items, table: TextTable, layout: str) -> Answers:
    """Apply every rule; a row that breaks one is left out and counted under the first that it breaks."""
    scales, questions = items
    notes, all_lines = table.notes, table.lines
    if not len(table.frame):
        notes.counts["no_rows"] += 1
    frame["item"] = recode(frame["item"], lambda text: other.name_of(text, questions) or text)
    elsewhere = frame["item"].isin(list(questions)).to_numpy()
    others = other.checked(frame[elsewhere], questions, all_lines, notes)
    frame = frame[~elsewhere].reset_index(drop=True) if elsewhere.any() else frame
    lines = all_lines[frame["row"].to_numpy()] if len(frame) else all_lines
    raw_item, raw_text = frame["item"], frame["text"]
    frame["item"] = recode(raw_item, lambda text: item_of(text, scales) or text.strip())
    numbers, coded, empty = _values(raw_text)
    status, told = _statuses(frame["given"], coded, empty)
    out = ~frame["item"].isin(list(scales)).to_numpy() & (layout == "wide") & empty  # such a cell says nothing
    answered = status == STATUSES.index("answered")
    frame["value"] = np.where(answered, numbers, np.nan)
    rules = _rules(frame, scales, empty | (coded > 0), told) | {"value_without_answer": ~answered & ~np.isnan(numbers)}
    for code in RULES:
        rows = np.flatnonzero(rules[code] & ~out)
        notes.add_rows(code, rows, lines, lambda row: (str(raw_item.iloc[row]), str(raw_text.iloc[row])[:60]))
        out[rows] = code not in KEPT
    frame["status"] = pd.Categorical.from_codes(
        np.where(answered & empty, STATUSES.index("no_answer"), status), STATUSES
    )
    twice = frame[~out].duplicated(["respondent", "wave", "item"]).reindex(frame.index, fill_value=False).to_numpy()
    rows = np.flatnonzero(twice)
    notes.add_rows("duplicate_answer", rows, lines, lambda row: (str(raw_item.iloc[row]), str(raw_text.iloc[row])[:60]))
    kept = frame[~(out | twice)].drop(columns=["text", "given", "row"]).reset_index(drop=True)
    kept["item"] = kept["item"].cat.set_categories(list(scales))
    return Answers(
        _one_background(kept, notes),
        _one_background(others, notes),
        scales,
        questions,
        notes,
        len(table.frame),
        layout,
        table.sha256,
    )


def _rules(frame: pd.DataFrame, scales: Mapping[str, Scale], valueless: Any, told: Any) -> dict[str, Any]:
    """Which rows break which rule."""
    ends = ({key: getattr(scale, end) for key, scale in scales.items()} for end in ("low", "high"))
    low, high = (frame["item"].map(end).astype(float).to_numpy() for end in ends)
    values = frame["value"].to_numpy()
    answered = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return {
            "no_respondent": frame["respondent"].isna().to_numpy(),
            "unknown_item": ~frame["item"].isin(list(scales)).to_numpy(),
            "bad_status": told,
            "not_a_number": np.isnan(values) & ~valueless,
            "off_scale": answered & ((values < low) | (values > high)),
            "fraction": answered & (values != np.floor(values)),
        }


def _values(column: pd.Series) -> tuple[Any, Any, Any]:
    """The number of each text (nan: none), the status of a missing code (0: no code), and what is empty."""
    texts = [str(text) for text in column.cat.categories]
    codes = column.cat.codes.to_numpy()
    coded = [STATUSES.index(code) if (code := vocabulary.missing_code(text)) else 0 for text in texts]
    numbers = [np.nan if code else number(text) for text, code in zip(texts, coded, strict=True)]
    empty = [vocabulary.is_empty(text) for text in texts]
    return np.array([*numbers, np.nan])[codes], np.array([*coded, 0])[codes], np.array([*empty, True])[codes]


def number(text: str) -> float:
    """A number with a point or a comma, in any digits; nan for anything else."""
    plain = western_digits(text.strip()).replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else np.nan


def _statuses(column: pd.Series, coded: Any, empty: Any) -> tuple[Any, Any]:
    """The status of each row as a number: what the file says, else what the value says; and where it says nonsense."""
    names = [vocabulary.status_of(str(text)) for text in column.cat.categories]
    places = [STATUSES.index(name) if name in STATUSES else -1 if name is not None else -2 for name in names]
    told = np.array([*places, -1])[column.cat.codes.to_numpy()]
    silent = np.where(coded > 0, coded, np.where(empty, STATUSES.index("no_answer"), STATUSES.index("answered")))
    return np.where(told < 0, silent, np.where((told == 0) & (coded > 0), coded, told)), told == -2


def _one_background(frame: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """A respondent has one background in a wave: the first that is given. Contradictions are counted."""
    present = [name for name in BACKGROUNDS if name in frame]
    for name in present:
        pairs = frame[["respondent", "wave", name]].dropna().drop_duplicates()
        again = pairs.duplicated(["respondent", "wave"])
        first = pairs[~again].set_index(["respondent", "wave"])[name]
        if again.any():
            notes.counts["conflicting_background"] += int(again.sum())
        gaps = frame[name].isna().any()
        if again.any() or gaps:
            joined = frame[["respondent", "wave"]].merge(first.reset_index(), how="left", on=["respondent", "wave"])
            frame[name] = joined[name].to_numpy() if joined[name].dtype == object else joined[name].array
            frame[name] = frame[name].astype("category")
    for name, of in DERIVED.items():
        if of in present:
            frame[name] = recode(frame[of], vocabulary.two_ages)
    return frame
