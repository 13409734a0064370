"""Answers to take along: CSV, spreadsheet, SPSS and Parquet, with a codebook and a manifest. Nobody can be recognised.

The same answers, filters and texts give the same bytes. Respondents are numbered anew in each export, days become
months, and a combination of background that fewer people share than the least is made coarser until enough share it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
import pyreadstat
import xlsxwriter  # type: ignore[import-untyped]  # as above

from bot.monitoring.answers import Answers
from bot.monitoring.codebook import MISSING, Variable, value_labels
from bot.monitoring.protection import Rules
from bot.monitoring.questions import parts
from bot.monitoring.vocabulary import BACKGROUNDS, STATUSES

# What is left out first when too few people share all of it.
LEAST_NEEDED = ("channel", "route", "phase", "work_status", "age_group", "language", "gender", "type")
CODES = {status: -place for place, status in enumerate(("answered", "not_asked", "skipped", "broken_off", "no_answer"))}
SEPARATOR, DECIMAL = ";", ","  # as a Dutch spreadsheet opens a CSV file by itself, and as `read.csv2` of R reads it
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FIRST_DAY = datetime(2026, 1, 1)  # noqa: DTZ001  # xlsxwriter wants it without a zone; a fixed day gives fixed bytes
_SAV_CREATED = (92, b"01 Jan 2600:00:00")  # creation date and time in the header of an SPSS file


@dataclass(frozen=True)
class Export:
    """What goes out: `tidy` a row for each answer, `wide` a row for each respondent and wave."""

    tidy: pd.DataFrame
    wide: pd.DataFrame
    codebook: Sequence[Variable]


def prepare(answers: Answers, wave: str, codebook: Sequence[Variable], rules: Rules) -> Export:
    """The data of a wave (all waves when empty: then each wave has its own rows), safe to hand on."""
    frame = _together(answers)
    frame = (frame[frame["wave"] == wave] if wave else frame).copy()
    keys = frame["respondent"].astype(str)
    numbers = {key: number for number, key in enumerate(sorted(set(keys), key=_shuffled), 1)}
    frame["respondent"] = keys.map(numbers)
    frame["asked_on"] = frame["asked_on"].astype(str).str.slice(0, 7)
    for name in BACKGROUNDS:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "") if name in frame else ""
    people = _coarse(frame.drop_duplicates(["respondent", "wave"]).copy(), rules)
    frame = frame.drop(columns=list(BACKGROUNDS)).merge(people, on=["respondent", "wave"], how="left")
    frame = frame.sort_values(["wave", "respondent", "item"], kind="stable").reset_index(drop=True)
    tidy = frame[
        ["respondent", "wave", "item", "version", "value", "chosen", "status", "asked_on", *BACKGROUNDS]
    ].copy()
    return Export(tidy, _wide(frame, codebook), codebook)


def _together(answers: Answers) -> pd.DataFrame:
    """Every answer: `value` is a number, `chosen` the options. Of words only that there were some."""
    kinds = answers.questions
    others = answers.others.copy()
    options = [name for name, question in kinds.items() if question.kind in ("single", "multiple")]
    by_option = others["item"].astype(str).isin(options) & (others["status"] == STATUSES[0])
    others["chosen"] = others["text"].astype(object).where(by_option, "")
    others["value"] = others["value"].where(~others["item"].astype(str).isin(options))
    words = [name for name, question in kinds.items() if question.kind == "open"]
    others.loc[others["item"].astype(str).isin(words), "value"] = np.nan
    scales = answers.frame.assign(chosen="")
    plain = [one.astype({name: object for name in one if isinstance(one[name].dtype, pd.CategoricalDtype)})
             for one in (scales, others.drop(columns="text")) if len(one)]  # fmt: skip
    return pd.concat(plain, ignore_index=True) if plain else scales


def _shuffled(key: str) -> str:
    """An order that says nothing about when somebody came."""
    return hashlib.sha256(f"export:{key}".encode()).hexdigest()


def _coarse(people: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Backgrounds of people, with values left out until `min_people` share each combination that is left."""
    people = people[["respondent", "wave", *BACKGROUNDS]].reset_index(drop=True)
    names = list(BACKGROUNDS)
    for name in LEAST_NEEDED:
        few = people.groupby(names)["respondent"].transform("size") < rules.min_people
        people.loc[few, name] = ""
    while True:
        blank = (people[names] == "").all(axis=1)
        if not 0 < int(blank.sum()) < rules.min_people or blank.all():
            return people
        sizes = people[~blank].groupby(names)["respondent"].transform("size")
        people.loc[sizes[sizes == sizes.min()].index, names] = ""


def _wide(frame: pd.DataFrame, codebook: Sequence[Variable]) -> pd.DataFrame:
    """A row for each respondent and wave: scales and numbers as they are, options by name, several as 0 and 1."""
    keys = ["respondent", "wave"]
    people = frame.drop_duplicates(keys).set_index(keys)[["asked_on", *BACKGROUNDS]]
    by_item = {str(item): part.set_index(keys) for item, part in frame.groupby("item", observed=True)}
    columns = {}
    for variable in codebook:
        if variable.kind in ("scale", "option", "several"):
            mine = by_item.get(variable.of or variable.name)
            if mine is None and variable.kind != "scale":
                continue
            found = pd.Series(dtype=object) if mine is None else _cells(mine, variable)
            columns[variable.name] = found.reindex(people.index).fillna(float(CODES["not_asked"]))
    joined = people.join(pd.DataFrame(columns, index=people.index).infer_objects())
    return joined.reset_index().sort_values(["wave", "respondent"]).reset_index(drop=True)


def _cells(mine: pd.DataFrame, variable: Variable) -> pd.Series:
    codes = mine["status"].astype(str).map(CODES).astype(float)
    answered = mine["status"].astype(str) == STATUSES[0]
    if variable.kind == "scale":
        return mine["value"].astype(float).where(answered, codes)
    if variable.kind == "option":
        places = {option: float(place) for place, option in enumerate(variable.options, 1)}
        return mine["chosen"].map(places).where(answered, codes)
    chosen = mine["chosen"].map(lambda text: float(variable.options[0] in parts(text)))
    return chosen.where(answered, codes)


def write(export: Export, folder: Path, *, about: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Write every file and `manifest.json`; returns the manifest. `about` says which filters and versions it has."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame([variable.row() for variable in export.codebook])
    for name, frame in (("answers_tidy", export.tidy), ("answers_wide", export.wide), ("codebook", table)):
        (folder / f"{name}.csv").write_bytes(_csv(frame))
    _spreadsheet(export, table, folder / "answers.xlsx")
    _spss(export, folder / "answers.sav")
    for name, frame in (("answers_tidy", export.tidy), ("answers_wide", export.wide)):
        plain = frame.astype({column: str for column in frame if isinstance(frame[column].dtype, pd.CategoricalDtype)})
        plain.to_parquet(folder / f"{name}.parquet", index=False)
    files = sorted(path for path in folder.iterdir() if path.name != "manifest.json")
    manifest = {
        "made_at": now.isoformat(timespec="seconds"),
        **about,
        "respondents": int(export.wide["respondent"].nunique()),
        "answers": int((export.tidy["status"] == STATUSES[0]).sum()),
        "csv": {"separator": SEPARATOR, "decimal": DECIMAL, "encoding": "UTF-8 with BOM"},
        "missing_codes": {str(code): words for code, words in MISSING.items()},
        "files": {
            path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
            for path in files
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return manifest


def safe(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula gets a quote in front; numbers stay."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _csv(frame: pd.DataFrame) -> bytes:
    plain = frame.copy()
    for name in plain.columns:
        if not pd.api.types.is_numeric_dtype(plain[name].dtype):
            plain[name] = plain[name].astype(object).map(safe)
    text: str = plain.to_csv(index=False, sep=SEPARATOR, decimal=DECIMAL, lineterminator="\r\n", float_format="%g")
    return b"\xef\xbb\xbf" + text.encode("utf-8")


def _spreadsheet(export: Export, table: pd.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    ) as book:
        book.set_properties({"created": _FIRST_DAY, "title": "Wegwijs"})
        for name, frame in (("answers", export.wide), ("codebook", table)):
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for column, header in enumerate(frame.columns):
                sheet.write_string(0, column, str(header))
            for row, cells in enumerate(frame.itertuples(index=False), 1):
                for column, cell in enumerate(cells):
                    _cell(sheet, row, column, cell)


def _cell(sheet: Any, row: int, column: int, cell: Any) -> None:
    if cell is None or (isinstance(cell, float) and np.isnan(cell)) or cell == "":
        return
    if isinstance(cell, int | float | np.number) and not isinstance(cell, bool):
        sheet.write_number(row, column, cell)
    else:
        sheet.write_string(row, column, str(cell))


def _spss(export: Export, path: Path) -> None:
    there = [variable for variable in export.codebook if variable.name in export.wide]
    scales = {variable.name: variable for variable in there if variable.kind in ("scale", "option", "several")}
    ordinal = {variable.name for variable in there if variable.kind == "scale"}
    labels = {
        variable.name: variable.label_nl if variable.kind == "several" else variable.wording_nl or variable.label_nl
        for variable in export.codebook
    }
    pyreadstat.write_sav(
        export.wide,
        str(path),
        column_labels=[labels.get(name, name)[:255] for name in export.wide.columns],
        variable_value_labels={name: value_labels(variable) for name, variable in scales.items()},
        missing_ranges={name: [{"lo": min(MISSING), "hi": max(MISSING)}] for name in scales},
        variable_measure={name: "ordinal" if name in ordinal else "nominal" for name in export.wide.columns},
    )
    place, created = _SAV_CREATED
    raw = bytearray(path.read_bytes())
    raw[place : place + len(created)] = created
    path.write_bytes(raw)
