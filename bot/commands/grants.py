"""`wegwijs surveys grants`: the wall as rights of PostgreSQL roles.

Prints SQL; whoever runs the server reads it and feeds it to `psql`. Run it again after an upgrade: new tables of the
desk get their rights, and nothing is given twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.storage.models import Base
from bot.storage.research_models import SurveyAnswerRow
from bot.survey_figures import COLUMNS

DESK, RESEARCH = "wegwijs_desk", "wegwijs_research"
ANSWERS = SurveyAnswerRow.__tablename__
# What research may read besides answers: waves, and how far invitations came, without whom or when.
OPEN_TO_RESEARCH = {
    "survey_wave": ("id", "code", "survey", "state", "sample_size", "part", "items", "live_at", "closes_on"),
    "survey_invitation": ("wave_id", "state", "started", "delivered", "read", "channel", "language", "type", "gender"),
    "outcome_count": ("day", "channel", "language", "outcome", "topic", "n"),
}


def statements() -> Iterator[str]:
    """One SQL statement each. Columns are named, so that system columns, which tell the order of writing, stay shut."""
    for role in (DESK, RESEARCH):
        yield (f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
        yield f"GRANT USAGE ON SCHEMA public TO {role}"
    tables = sorted(set(Base.metadata.tables) - {ANSWERS})
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(map(_quoted, tables))} TO {DESK}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {DESK}"
    for table, columns in ({ANSWERS: COLUMNS} | OPEN_TO_RESEARCH).items():
        yield f"GRANT SELECT ({', '.join(map(_quoted, columns))}) ON {_quoted(table)} TO {RESEARCH}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def grants() -> int:
    """Print them."""
    print("\n".join(f"{statement};" for statement in statements()))
    return 0
