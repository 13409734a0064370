"""Open answers: nobody sees them among figures until somebody has read them and let them through, cut or whole."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.research_models import SurveyAnswerRow
from bot.storage.survey_models import SurveyWaveRow

LONGEST = 1000


@dataclass(frozen=True)
class Words:
    """An open answer that waits to be read. `respondent` is a pseudonym, as in the file of answers."""

    wave: str
    item: str
    respondent: str
    language: str
    text: str


def waiting(connection: Connection, items: Collection[str], number: int) -> tuple[list[Words], int]:
    """So many open answers of closed waves that nobody read yet, and how many there are. In no order of time."""
    row = SurveyAnswerRow
    closed = sa.select(SurveyWaveRow.code).where(SurveyWaveRow.closed_at.is_not(None))
    mine = (row.item.in_(items), row.status == "answered", row.reviewed_on.is_(None), row.wave.in_(closed))
    total = connection.execute(sa.select(sa.func.count()).where(*mine)).scalar_one()
    query = sa.select(row.wave, row.item, row.respondent, row.language, row.value).where(*mine)
    rows = connection.execute(query.order_by(row.wave, row.item, row.respondent).limit(number)).all()
    found = [Words(one.wave, one.item, one.respondent, one.language, one.value or "") for one in rows]
    return sorted(found, key=_shuffled), total


def _shuffled(words: Words) -> str:
    return hashlib.sha256(f"{words.respondent}{words.item}".encode()).hexdigest()


def review(connection: Connection, key: tuple[str, str, str], shown: str | None, today: date) -> bool:
    """Let an answer (wave, item, respondent) through with these words, or with None keep it back.

    False when it isn't there any more, or somebody else read it first.
    """
    row, (wave, item, respondent) = SurveyAnswerRow, key
    mine = (row.wave == wave, row.item == item, row.respondent == respondent, row.status == "answered")
    words = " ".join(shown.split())[:LONGEST] if shown is not None else None
    done = sa.update(row).where(*mine, row.reviewed_on.is_(None)).values(reviewed_on=today, shown=words or None)
    return connection.execute(done).rowcount == 1


def shown(connection: Connection, wave: str, items: Collection[str], least: int) -> dict[str, list[str]]:
    """The words that were let through, by item, where at least so many people wrote some. In alphabetical order."""
    row = SurveyAnswerRow
    mine = (row.wave == wave, row.item.in_(items), row.status == "answered")
    counts = connection.execute(sa.select(row.item, sa.func.count()).where(*mine).group_by(row.item)).all()
    enough = [item for item, number in counts if number >= least]
    query = sa.select(row.item, row.shown).where(*mine, row.item.in_(enough), row.shown.is_not(None))
    found: dict[str, list[str]] = {}
    for item, words in connection.execute(query.order_by(row.item, row.shown)):
        found.setdefault(item, []).append(str(words))
    return found
