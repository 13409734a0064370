"""All figures of a set of answers as one document. Its keys are a contract: `docs/monitoring.md` lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # it ships no types

from bot.errors import AnswersError
from bot.monitoring import against, regression, response, study_tables
from bot.monitoring.answers import Answers, Scale
from bot.monitoring.baseline import SUBGROUPS, Baseline
from bot.monitoring.choices import choices, members_of
from bot.monitoring.descriptive import describe
from bot.monitoring.differences import compare, holm
from bot.monitoring.protection import REST, Rules, hidden_everywhere, hidden_figures, may_show, ordered, protected
from bot.monitoring.quarter import quarter, quarter_of_text
from bot.monitoring.sentences import say
from bot.monitoring.trends import choice_trends, trends
from bot.monitoring.vocabulary import BACKGROUNDS, DERIVED, FORMAT, groups_of

# What is related with what, as the study did: evaluations of the programme with how people fare.
PREDICTORS = ("Q18", "Q19", "Q20", "Q3", "Q4", "Q16", "Q17")
OUTCOMES = ("Q33", "Q31", "Q32", "Q36", "Q37", "Q25", "Q26")
Figures = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What a report is about. `wave` "" is all waves: of each person the latest answer to each item."""

    rules: Rules
    wave: str = ""
    source: str = ""
    invitations: Sequence[Mapping[str, Any]] = ()


def scales_of(baseline: Baseline) -> dict[str, Scale]:
    """What each item of a baseline may be answered with."""
    return {
        name: Scale(name, item.topic, item.low, item.high, item.higher_is_worse)
        for name, item in baseline.items.items()
    }


def make(answers: Answers, baseline: Baseline, options: Options) -> Figures:
    """The report: what was read, figures of every item, differences, relations, the baseline, the check of the tool."""
    frame, others = (selected(part, answers.waves, options.wave) for part in (answers.frame, answers.others))
    given = frame[frame["status"] == "answered"]
    items = {
        name: _item(name, given[given["item"] == name], frame[frame["item"] == name], baseline, options)
        for name in baseline.items
    }
    _correct(items)
    people = frame.drop_duplicates("respondent", keep="last") if len(frame) else others.drop_duplicates("respondent")
    wide = _wide(given, others)
    _weigh(items, given, response.weights(people, baseline, options.rules))
    found: Figures = {
        "format": FORMAT,
        "source": _source(answers, frame, others, options),
        "left_out": left_out(answers),
        "protection": {"min_people": options.rules.min_people, "strict": options.rules.strict},
        "items": items,
        "choices": choices(others, answers.questions, options.rules),
        "relations": (relations := _relations(wide, options.rules)),
        "study_tables": study_tables.tables(wide, relations, baseline.published_regressions, options.rules),
        "trends": trends(answers, options.rules),
        "choice_trends": choice_trends(answers, options.rules),
        "funnel": response.funnel(
            pd.concat([frame, others.drop(columns="text")]) if len(others) else frame,
            options.invitations,
            [*items, *answers.questions],
            options.rules,
        ),
        "representation": response.representation(people, baseline, options.rules),
        "tool_check": against.check(baseline),
    }
    return found | {"quarter": quarter([found])}


def wave_of(wave: str, waves: list[str]) -> str:
    """The wave that is meant: "latest" is the last one. Raises AnswersError for one that the file doesn't have."""
    if wave == "latest" and waves:
        return waves[-1]
    if wave and wave not in waves:
        raise AnswersError(f"--wave: '{wave}' is not in the file; it has {', '.join(waves)}")
    return wave


def selected(frame: pd.DataFrame, waves: Sequence[str], wave: str) -> pd.DataFrame:
    """The answers of a wave, or of all waves the latest answer of each person to each item."""
    if wave:
        return frame[frame["wave"] == wave]
    if len(waves) < 2:
        return frame
    sorting = frame.assign(
        order=frame["wave"].astype(str).map({name: place for place, name in enumerate(waves)}).astype(int),
        given=frame["status"] == "answered",
    )
    latest = sorting.sort_values(["given", "order"], kind="stable").drop_duplicates(["respondent", "item"], keep="last")
    return latest.drop(columns=["order", "given"])


def _source(answers: Answers, frame: pd.DataFrame, others: pd.DataFrame, options: Options) -> Figures:
    people = pd.concat([part["respondent"].drop_duplicates().astype(str) for part in (frame, others)])
    given = sum(int((part["status"] == "answered").sum()) for part in (frame, others))
    told = may_show(people.nunique(), options.rules) or not options.rules.strict
    return {
        "file": options.source,
        "sha256": answers.sha256,
        "layout": answers.layout,
        "rows": answers.rows,
        "respondents": int(people.nunique()) if told else None,
        "answers": given if told else None,
        "waves": answers.waves,
        "quarters": _quarters(answers),
        "wave": options.wave or None,
        "backgrounds": [name for name in (*BACKGROUNDS, *DERIVED) if name in frame],
    }


def _quarters(answers: Answers) -> dict[str, str]:
    """The quarter in which the last answer of each wave came ("2026-3"), where the file has days."""
    days = pd.concat(
        [one[["wave", "asked_on"]].drop_duplicates().astype(str) for one in (answers.frame, answers.others)]
    )
    last = days.groupby("wave")["asked_on"].max()
    return {str(wave): found for wave, day in last.items() if (found := quarter_of_text(day))}


def left_out(answers: Answers) -> Figures:
    """What was left out and why: how often, and the first of each kind with line and mend in two languages."""
    first = [
        {"rule": note.code, "line": note.line, "item": note.item, "value": note.value}
        | {"message": say("notes", note.code, item=note.item, value=note.value)}
        for note in sorted(answers.notes.first, key=lambda note: note.line)
    ]
    whole_file = [
        {"rule": code, "line": 0, "item": "", "value": "", "message": say("notes", code, item="", value="")}
        for code in answers.notes.counts
        if code not in {note.code for note in answers.notes.first}
    ]
    return {"counts": dict(sorted(answers.notes.counts.items())), "first": [*first, *whole_file]}


def _item(name: str, given: pd.DataFrame, asked: pd.DataFrame, baseline: Baseline, options: Options) -> Figures:
    item, rules = baseline.items[name], options.rules
    scale = scales_of(baseline)[name]
    backgrounds = [background for background in (*BACKGROUNDS, *DERIVED) if background in given]
    total = _figures(given["value"].to_numpy(), scale, rules)
    shown = total["n"] is not None
    groups = _groups(given, backgrounds, scale, rules) if shown else {}
    beside = {"total": ("", "")} | SUBGROUPS
    found: Figures = {
        "topic": item.topic,
        "label": against.label(name, item),
        "scale": {"low": item.low, "high": item.high},
        "higher_is_worse": item.higher_is_worse,
        "total": total,
        "groups": groups,
        "missing": _missing(asked, rules) if shown else {},
        "differences": {background: _difference(given, background, groups[background]) for background in groups},
        "baseline": {},
    }
    for key, (background, group) in beside.items():
        now = (
            total
            if key == "total"
            else groups.get(background, {}).get(group, hidden_figures(rules) | {"reason": "no_answers"})
        )
        row = against.against(name, item, item.published().get(key), now, rules.min_people)
        if row is not None:
            found["baseline"][key] = row
    return found


def _figures(values: Any, scale: Scale, rules: Rules) -> Figures:
    if len(values) == 0:
        return describe(values, scale) | {"reason": "no_answers"}
    if not may_show(len(values), rules):
        return hidden_figures(rules)
    found = protected(describe(values, scale), rules)
    return found | {"reason": "no_spread"} if found["sd"] == 0 else found


def _groups(given: pd.DataFrame, backgrounds: Sequence[str], scale: Scale, rules: Rules) -> dict[str, Figures]:
    """Figures of each group of each background; what may not be shown is marked as hidden."""
    members = members_of(given, backgrounds)
    hidden = hidden_everywhere(members, len(given), rules)
    values = given["value"].to_numpy()
    return {
        background: {
            group: hidden_figures(rules) if group in hidden[background] else _figures(values[who], scale, rules)
            for group, who in ((name, groups[name]) for name in ordered(list(groups), groups_of(background)))
        }
        for background, groups in members.items()
    }


def _missing(asked: pd.DataFrame, rules: Rules) -> dict[str, int | None]:
    """How many did not answer, by reason; None where it is so few that somebody may be recognised."""
    counts = asked.loc[asked["status"] != "answered", "status"].value_counts()
    return {str(status): int(n) if n >= rules.min_people else None for status, n in counts.items() if n}


def _difference(given: pd.DataFrame, background: str, groups: Mapping[str, Figures]) -> Figures:
    """Tests between the groups that are shown, and the same with type or gender controlled for."""
    shown = [group for group, figures in groups.items() if figures["n"] and group not in REST.get(background, ())]
    if len(shown) < 2:
        return {"groups": shown, "reason": "too_few"}
    parts = dict(iter(given[given[background].isin(shown)].groupby(background, observed=True)["value"]))
    found = compare({group: parts[group].to_numpy() for group in shown})
    if "reason" in found:
        return found
    highest = max(shown, key=lambda group: groups[group]["m"])
    return found | {"highest": highest, "controlled": regression.controlled(given, background, shown)}


def _correct(items: Mapping[str, Figures]) -> None:
    """Holm's correction over all items of one background, beside the plain p."""
    for background in (*BACKGROUNDS, *DERIVED):
        holm([item["differences"][background] for item in items.values() if background in item["differences"]])


def _weigh(items: Mapping[str, Figures], given: pd.DataFrame, by: pd.Series | None) -> None:
    """Add the mean as if type and gender were answered for in the measure of the population, where that can be."""
    for name, item in items.items():
        values = given[given["item"] == name].set_index("respondent")["value"]
        can = by is not None and item["total"]["n"] is not None and not values.index.has_duplicates
        item["weighted"] = response.weighted(values, by) if can else None


def _wide(given: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """A row for each respondent: answers to the items that are related with each other, and backgrounds."""
    names = (*PREDICTORS, *OUTCOMES)
    part = given[given["item"].isin(names)]
    wide = part.pivot_table(index="respondent", columns="item", values="value", aggfunc="last", observed=True)
    kept = ["respondent", *[name for name in (*regression.CONTROLS, study_tables.WORK) if name in given]]
    people = pd.concat([one[[name for name in kept if name in one]] for one in (others, given)])
    people = people.drop_duplicates("respondent", keep="last").set_index("respondent")
    numbers = study_tables.as_numbers(others, people)
    plain = people.drop(columns=study_tables.WORK, errors="ignore").join(numbers)
    return plain.join(wide)


def _relations(wide: pd.DataFrame, rules: Rules) -> list[Figures]:
    """Standardised betas, one row for each predictor and outcome with enough people."""
    names = [name for name in (*PREDICTORS, *OUTCOMES) if name in wide and wide[name].count() >= rules.min_people]
    kept = wide[[name for name in wide if name in names or name in regression.CONTROLS]]
    rows = regression.relations(kept, PREDICTORS, dict.fromkeys(OUTCOMES, ""))
    return [
        row
        if row["n"] >= rules.min_people
        else {"predictor": row["predictor"], "outcome": row["outcome"], "n": None, "reason": "hidden"}
        for row in rows
    ]
