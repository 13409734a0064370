"""Items that are on no scale of the study: options, numbers and words. What they may hold, and their rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types

from bot.content.surveys import Item, Surveys
from bot.locales import western_digits
from bot.monitoring import vocabulary
from bot.monitoring.answers_file import Notes
from bot.monitoring.vocabulary import STATUSES

LANGUAGES = ("nl", "en")
NUMBERS = ("scale5", "scale11", "number")


@dataclass(frozen=True)
class Question:
    """An item of the surveys that has no place in the study's tables. `labels` are those of its options by language."""

    item: str
    kind: str  # single, multiple, number, scale5, scale11, open
    label: Mapping[str, str]
    options: tuple[str, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    low: int = 0
    high: int = 0
    higher_is_worse: bool = False


def questions_of(surveys: Surveys, study: Collection[str]) -> dict[str, Question]:
    """Every item of the surveys but those of the study (`study` holds their numbers)."""
    return {key: _question(key, item, surveys) for key, item in surveys.items.items() if item.study not in study}


def _question(key: str, item: Item, surveys: Surveys) -> Question:
    options = item.values  # noqa: PD011  # of a survey, not of a table
    low, high = (int(options[0]), int(options[-1])) if item.kind in ("scale5", "scale11") else (item.low, item.high)
    return Question(
        key,
        item.kind,
        {language: surveys.question(key, language) for language in LANGUAGES},
        options,
        {option: {language: surveys.label(key, option, language) for language in LANGUAGES} for option in options},
        low,
        high,
        item.higher_is_worse,
    )


def name_of(text: str, questions: Mapping[str, Question]) -> str | None:
    """The item that a name stands for, where it is one of these."""
    word = text.strip().lower()
    return word if word in questions else None


def checked(frame: pd.DataFrame, questions: Mapping[str, Question], lines: Any, notes: Notes) -> pd.DataFrame:
    """The rows of such items that break no rule; what breaks one is counted with its line.

    Gives respondent, wave, item, version, text, value (a number, where it is one), status, asked_on and backgrounds.
    """
    frame = frame.copy()
    texts = frame["text"].astype(str).str.strip()
    is_open = frame["item"].astype(str).isin([key for key, one in questions.items() if one.kind == "open"])
    frame["text"] = texts.where(is_open, texts.str.lower())
    given = frame["given"].astype(str)
    told = given.map({text: vocabulary.status_of(text) for text in given.unique()})
    silent = texts.map({text: coded_status(text) for text in texts.unique()})
    frame["status"] = told.where(told != "", silent)
    answered = (frame["status"] == STATUSES[0]) & (silent == STATUSES[0])
    frame["value"] = texts.map({text: number(text) for text in texts.unique()}).where(answered)
    breaks = {
        "no_respondent": frame["respondent"].isna(),
        "bad_status": told.isna(),
        "value_without_answer": (silent == STATUSES[0]) & (frame["status"] != STATUSES[0]),
        **_off(frame, questions, answered),
    }
    frame["status"] = frame["status"].where(~((frame["status"] == STATUSES[0]) & ~answered), "no_answer")
    out = pd.Series(data=False, index=frame.index)
    for rule, rows in breaks.items():
        _tell(rule, frame[rows & ~out], lines, notes)
        out |= rows
    again = frame[~out].duplicated(["respondent", "wave", "item"]).reindex(frame.index, fill_value=False)
    _tell("duplicate_answer", frame[again], lines, notes)
    return frame[~(out | again)].drop(columns=["given", "row"]).reset_index(drop=True)


def _off(frame: pd.DataFrame, questions: Mapping[str, Question], answered: pd.Series) -> dict[str, pd.Series]:
    """Answers that are no option of their question, no number, or off its scale."""
    found = {rule: pd.Series(data=False, index=frame.index) for rule in ("unknown_option", "not_a_number", "off_scale")}
    for name, part in frame[answered].groupby("item", observed=True):
        question = questions[str(name)]
        if question.kind in NUMBERS:
            found["not_a_number"][part.index] = part["value"].isna()
            found["off_scale"][part.index] = (part["value"] < question.low) | (part["value"] > question.high)
        elif question.kind != "open":
            own = part["text"].map({text: _option(text, question) for text in part["text"].unique()})
            frame.loc[part.index, "text"] = own
            found["unknown_option"][part.index] = ~own.map({text: _is_option(text, question) for text in own.unique()})
    return found


def _option(text: str, question: Question) -> str:
    """The option of a number, as our wide files have it; anything else as it is."""
    is_place = question.kind == "single" and text.isdigit() and text not in question.options
    return question.options[int(text) - 1] if is_place and 0 < int(text) <= len(question.options) else text


def _is_option(text: str, question: Question) -> bool:
    chosen = parts(text)
    return bool(chosen) and set(chosen) <= set(question.options) and (question.kind == "multiple" or len(chosen) == 1)


def _tell(rule: str, rows: pd.DataFrame, lines: Any, notes: Notes) -> None:
    """Note rows that break a rule. Words of people are never repeated."""
    items, texts = rows["item"].astype(str).to_numpy(), rows["text"].to_numpy()
    quiet = rule not in ("unknown_option", "not_a_number", "off_scale")
    own = lines[rows["row"].to_numpy()] if len(rows) else lines
    notes.add_rows(rule, range(len(rows)), own, lambda place: (items[place], "" if quiet else texts[place][:60]))


def parts(text: str) -> list[str]:
    """The options of an answer: one, or several with ; between."""
    return [part.strip() for part in text.split(";") if part.strip()]


def coded_status(text: str) -> str:
    """What a value says of itself: -2 is skipped, nothing at all is no answer, anything else is one."""
    return vocabulary.missing_code(text) or (STATUSES[0] if text else "no_answer")


def number(text: str) -> float:
    """A whole or decimal number in any digits; nan for anything else."""
    try:
        found = float(western_digits(text.strip()).replace(",", "."))
    except ValueError:
        return float("nan")
    return found if np.isfinite(found) else float("nan")
