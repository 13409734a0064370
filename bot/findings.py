"""What the doctor finds: how serious, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How serious a finding is."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What was found in an area, and what to do about it."""

    grade: Grade
    area: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        mark = {Grade.GOOD: "ok  ", Grade.WARN: "look", Grade.BAD: "MEND"}[self.grade]
        return f"{mark}  {self.area}: {self.what}" + (f"\n      {self.mend}" if self.mend else "")


def good(area: str, what: str) -> Finding:
    return Finding(Grade.GOOD, area, what)


def warn(area: str, what: str, mend: str) -> Finding:
    return Finding(Grade.WARN, area, what, mend)


def bad(area: str, what: str, mend: str) -> Finding:
    return Finding(Grade.BAD, area, what, mend)
