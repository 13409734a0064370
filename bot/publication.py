"""Figures of closed waves are shown once and then stay: two looks can't be subtracted from each other.

A report is kept as it was first made. An export, which holds answers, is made anew each time, but not while comparing
it with what was shown before would tell of a few people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.errors import WegwijsError
from bot.storage.fact_models import PublishedRow
from bot.storage.research_models import SurveyAnswerRow
from bot.survey_answers import insert

REPORT, EXPORT, MAKING = "report", "export", "making"
OF_FILE = "file:"  # begins the name under which figures of a file are kept, in the place of a wave's
FILES_KEPT = timedelta(days=30)
Figures = dict[str, Any]


class TooFewGoneError(WegwijsError):
    """What would be shown differs by too few people from what was shown before."""


class TooFewError(WegwijsError):
    """A wave has answers of too few people to give any of them out."""


def people(connection: Connection, wave: str) -> int:
    """How many have answers in a wave."""
    respondents = sa.select(sa.func.count(sa.distinct(SurveyAnswerRow.respondent))).where(SurveyAnswerRow.wave == wave)
    return connection.execute(respondents).scalar_one()


def reports(connection: Connection, waves: Sequence[str]) -> dict[str, Figures]:
    """The reports of waves that were shown before, as they were shown."""
    query = sa.select(PublishedRow.wave, PublishedRow.document).where(
        PublishedRow.wave.in_(waves), PublishedRow.kind == REPORT
    )
    rows = connection.execute(query.order_by(PublishedRow.at))
    return {row.wave: row.document for row in rows}


def formats(connection: Connection, waves: Sequence[str]) -> dict[str, int]:
    """The form of each report that is kept, without reading it."""
    form = PublishedRow.document["format"].as_integer().label("form")
    query = sa.select(PublishedRow.wave, form).where(PublishedRow.wave.in_(waves), PublishedRow.kind == REPORT)
    return {row.wave: row.form for row in connection.execute(query.order_by(PublishedRow.at))}


def claim(connection: Connection, wave: str, now: datetime, seconds: float) -> bool:
    """Whether this process is the one that makes the report of a wave; for so many seconds no other one is."""
    row = insert(connection, PublishedRow).values(wave=wave, kind=MAKING, people=0, at=now, document={})
    taken = row.on_conflict_do_update(
        index_elements=["wave", "kind", "people"],
        set_={"at": now},
        where=PublishedRow.at < now - timedelta(seconds=seconds),
    ).returning(PublishedRow.wave)
    return connection.execute(taken).first() is not None


def release(connection: Connection, wave: str) -> None:
    """The report is made, or can't be."""
    mine = (PublishedRow.wave == wave, PublishedRow.kind == MAKING)
    connection.execute(sa.delete(PublishedRow).where(*mine))


def release_all(connection: Connection) -> None:
    """No report is being made: the process that would is this one, and it has just begun."""
    connection.execute(sa.delete(PublishedRow).where(PublishedRow.kind == MAKING))


def keep_of_file(connection: Connection, name: str, document: Figures, now: datetime) -> None:
    """Keep figures of a file, so that they are made once; those of files that are no more go after a while."""
    old = (PublishedRow.wave.startswith(OF_FILE), PublishedRow.at < now - FILES_KEPT)
    connection.execute(sa.delete(PublishedRow).where(*old))
    row = insert(connection, PublishedRow).values(wave=name, kind=REPORT, people=0, at=now, document=document)
    keys = ["wave", "kind", "people"]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"at": now, "document": document}))


def keep(connection: Connection, wave: str, document: Figures, now: datetime) -> None:
    """Keep a report as it is shown. One that is there already stays, unless it has an older form (`format`)."""
    before = reports(connection, [wave]).get(wave)
    if before is not None and before.get("format") == document.get("format"):
        return
    _note(connection, wave, REPORT, document, now)


def may_differ(connection: Connection, wave: str, least: int) -> None:
    """Raises TooFewGoneError when fewer than `least` people are gone since something of this wave was shown."""
    now = people(connection, wave)
    shown = sa.select(PublishedRow.people).where(PublishedRow.wave == wave, PublishedRow.kind != MAKING)
    sizes = connection.execute(shown).scalars().all()
    if any(0 < abs(size - now) < least for size in sizes):
        raise TooFewGoneError


def exported(connection: Connection, wave: str, least: int, now: datetime) -> None:
    """Note an export of a wave. Raises TooFewGoneError, as `may_differ`, and TooFewError."""
    if people(connection, wave) < least:
        raise TooFewError
    may_differ(connection, wave, least)
    _note(connection, wave, EXPORT, {}, now)


def _note(connection: Connection, wave: str, kind: str, document: Figures, now: datetime) -> None:
    size = people(connection, wave)
    row = insert(connection, PublishedRow).values(wave=wave, kind=kind, people=size, at=now, document=document)
    keys = ["wave", "kind", "people"]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"at": now, "document": document}))


def composed(found: Figures, wave: str, before: Mapping[str, Figures]) -> Figures:
    """A fresh report with its earlier waves as they were shown at the time: means, shares, and changes between them."""
    for item, trend in found.get("choice_trends", {}).items():
        trend["waves"] = [one if one["wave"] == wave else _as_shown(item, one, before) for one in trend["waves"]]
    for item, trend in found["trends"].items():
        earlier = {name: report["trends"][item] for name, report in before.items() if item in report.get("trends", {})}
        shown = {name: one for name, told in earlier.items() for one in told["waves"] if one["wave"] == name}
        trend["waves"] = [shown.get(one["wave"], one) if one["wave"] != wave else one for one in trend["waves"]]
        means = {one["wave"]: one["m"] for one in trend["waves"]}
        trend["changes"] = [_change(one, earlier.get(one["to"]), means) for one in trend["changes"]]
    return found


def _as_shown(item: str, one: Figures, before: Mapping[str, Figures]) -> Figures:
    """The shares of an earlier wave as its own report told them; nothing where that did not."""
    told = before.get(one["wave"], {}).get("choice_trends", {}).get(item, {"waves": []})["waves"]
    hidden = {"wave": one["wave"], "n": None, "reason": "hidden"}
    return next((row for row in told if row["wave"] == one["wave"]), hidden)


def _change(change: Figures, earlier: Figures | None, means: Mapping[str, float | None]) -> Figures:
    """The change as it was shown with its later wave; else anew, between the means that are shown."""
    shown = (earlier or {}).get("changes", ())
    told: Figures | None = next((one for one in shown if one["from"] == change["from"]), None)
    if told is not None:
        return told
    first, second = means.get(change["from"]), means.get(change["to"])
    if "all" not in change or first is None or second is None:
        return {"from": change["from"], "to": change["to"], "reason": "hidden"}
    whole = round(second - first, 2)
    panel = dict(change.get("panel", {}))
    if "who_answered" in panel:
        panel["who_answered"] = round(whole - panel["change"], 2)
    return change | {"all": whole, "panel": panel}
