"""The codebook: what each column of an export means, from the survey data and the study. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bot.content.surveys import Item as SurveyItem
from bot.content.surveys import Surveys
from bot.monitoring.baseline import Baseline
from bot.monitoring.sentences import say
from bot.monitoring.vocabulary import BACKGROUNDS, groups_of

MISSING = {-1: "not asked", -2: "skipped", -3: "broken off", -4: "no answer, reason not known"}
LANGUAGES = ("nl", "en", "ar")


@dataclass(frozen=True)
class Variable:
    """A column. Wordings stand by language; without survey data they are empty."""

    name: str
    kind: str  # scale (and numbers), option (one of several), several (one column an option, 0 or 1), group or text
    label_nl: str
    label_en: str
    low: int | None = None
    high: int | None = None
    higher_is_worse: bool = False
    values: str = ""  # "1 = ...; 2 = ...", in Dutch
    missing: str = ""
    domain: str = ""
    study_number: str = ""
    item: str = ""
    versions: str = ""  # number and fingerprint of each wording there was
    wording_nl: str = ""
    wording_en: str = ""
    wording_ar: str = ""
    earlier_wordings: str = ""  # of every version before the one that is asked now
    of: str = ""  # the item in the tidy file, where it has another name
    options: tuple[str, ...] = ()  # of an option: 1 is the first

    def row(self) -> dict[str, Any]:
        """The variable as a row of the codebook's table."""
        return asdict(self) | {"options": ";".join(self.options)}


def codebook(baseline: Baseline, surveys: Surveys) -> list[Variable]:
    """Every column of the exports: who and when, backgrounds, items of the baseline in its order."""
    first = [
        Variable("respondent", "text", "Volgnummer in deze export", "Number within this export"),
        Variable("wave", "text", "Ronde", "Wave"),
        Variable("asked_on", "text", "Maand van de vraag", "Month of the question"),
    ]
    groups = [
        Variable(
            name,
            "group",
            say("backgrounds", name)["nl"],
            say("backgrounds", name)["en"],
            values="; ".join(groups_of(name)),
            missing="empty: not known, or left out because fewer people than the least share all of it",
        )
        for name in BACKGROUNDS
    ]
    items = [_item(name, baseline, surveys) for name in baseline.items]
    others = [variable for key, one in surveys.items.items() if one.study not in baseline.items
              for variable in _other(key, one, surveys)]  # fmt: skip
    return [*first, *groups, *items, *others]


def _item(name: str, baseline: Baseline, surveys: Surveys) -> Variable:
    item = baseline.items[name]
    label = item.label or {"nl": item.topic, "en": item.topic}
    found = next(((key, one) for key, one in surveys.items.items() if one.study == name), None)
    return Variable(
        name,
        "scale",
        label.get("nl", item.topic),
        label.get("en", item.topic),
        item.low,
        item.high,
        item.higher_is_worse,
        missing="; ".join(f"{code} = {words}" for code, words in MISSING.items()),
        study_number=name,
        **(_wording(*found, surveys) if found else {}),
    )


def _other(key: str, item: SurveyItem, surveys: Surveys) -> Iterator[Variable]:
    """The columns of an item that the study has no table of. Of words there is a row in the tidy file, no column."""
    dutch, english = (surveys.question(key, language) for language in ("nl", "en"))
    missing = "; ".join(f"{code} = {words}" for code, words in MISSING.items())
    wording = _wording(key, item, surveys)
    if item.kind == "multiple":
        for option in item.values:
            names = [surveys.label(key, option, language) for language in ("nl", "en")]
            both = (
                f"{names[0]} – {dutch}",
                f"{names[1]} – {english}",
            )  # what tells them apart first: SPSS cuts the end off
            own = wording | {"values": "0 = nee; 1 = ja"}
            yield Variable(
                f"{key}__{option}", "several", both[0], both[1], missing=missing, of=key, options=(option,), **own
            )
    elif item.kind == "single":
        shown = "; ".join(f"{n} = {surveys.label(key, value, 'nl')}" for n, value in enumerate(item.values, 1))
        own = wording | {"values": shown}
        yield Variable(key, "option", dutch, english, missing=missing, options=item.values, **own)
    elif item.kind == "open":
        yield Variable(
            key, "words", dutch, english, missing="words are in no export, only that there were some", **wording
        )
    else:
        low, high = (int(item.values[0]), int(item.values[-1])) if item.values else (item.low, item.high)
        yield Variable(key, "scale", dutch, english, low, high, item.higher_is_worse, missing=missing, **wording)


def _wording(key: str, item: SurveyItem, surveys: Surveys) -> dict[str, Any]:
    return {
        "item": key,
        "domain": item.domain or "",
        "values": "; ".join(f"{value} = {surveys.label(key, value, 'nl')}" for value in item.values),
        "versions": "; ".join(f"{number}: {mark}" for number, mark in sorted(item.versions.items())),
        **{f"wording_{language}": surveys.question(key, language) for language in LANGUAGES},
        "earlier_wordings": " | ".join(_earlier(key, item, surveys)),
    }


def _earlier(key: str, item: SurveyItem, surveys: Surveys) -> Iterator[str]:
    """Each wording there was before, with its labels: what the answers of that version were given to."""
    for version in range(1, item.version):
        for language, wording in surveys.earlier(key, version).items():
            labels = "; ".join(f"{value} = {words}" for value, words in wording.labels.items())
            yield f"{version} ({language}): {wording.question}" + (f" [{labels}]" if labels else "")


def value_labels(variable: Variable) -> dict[int | float, str]:
    """The labels of the values of an item, with those of the missing codes: for SPSS."""
    pairs = [part.split(" = ", 1) for part in variable.values.split("; ") if " = " in part]
    labels: dict[int | float, str] = {int(value): words for value, words in pairs if value.isdigit()}
    return labels | dict(MISSING)
