"""When a klantregisseur answers: weekly slots, absences, public holidays, and how much a slot can take. Pure.

Slots stand in Dutch time, moments come and go in UTC: two moments of one zone are compared by their wall clock, which
is wrong in the hour that daylight saving repeats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from bot.errors import WegwijsError
from bot.locales import AMSTERDAM
from bot.working_days import is_working_day

HORIZON_DAYS = 21  # nothing free for so long: the back-up desk is sooner
LAST_MINUTES = timedelta(minutes=30)  # a question that comes later in a slot waits for the next one
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
FULL_SLOT = 10  # answers in a slot where nothing else is said


class SlotError(WegwijsError):
    """Slots that can't be. The message says which and what to change."""


@dataclass(frozen=True, order=True)
class Slot:
    """A time in the week. `weekday`: Monday is 0."""

    weekday: int
    starts: time
    ends: time
    max_answers: int = FULL_SLOT

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.starts:%H:%M}-{self.ends:%H:%M}"


@dataclass(frozen=True, order=True)
class Absence:
    """Days without answers, first and last included."""

    first_day: date
    last_day: date


@dataclass(frozen=True)
class Calendar:
    """The week of one klantregisseur. Raises SlotError for slots that overlap or end before they start."""

    slots: tuple[Slot, ...] = ()
    absences: tuple[Absence, ...] = ()

    def __post_init__(self) -> None:
        check(self.slots)

    def works_on(self, day: date) -> bool:
        return is_working_day(day) and not any(away.first_day <= day <= away.last_day for away in self.absences)

    def next_promise(self, now: datetime, promised: Mapping[datetime, int]) -> datetime | None:
        """The end of the first slot with room for a question asked now; None where there is none in sight.

        `promised`: how many answers were promised already, by the end of their slot.
        """
        for ends, slot in self._ends(now):
            if ends >= now + LAST_MINUTES and promised.get(ends, 0) < slot.max_answers:
                return ends
        return None

    def has_end(self, moment: datetime) -> bool:
        """Whether a slot ends at this moment: a promise made earlier may still be kept."""
        local = moment.astimezone(AMSTERDAM)
        return self.works_on(local.date()) and any(
            to_utc(local.date(), slot.ends) == moment for slot in self.slots if slot.weekday == local.weekday()
        )

    def spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Start and end of the slots that aren't over, the next one first."""
        for ends, slot in self._ends(now):
            if ends > now:
                yield to_utc(ends.astimezone(AMSTERDAM).date(), slot.starts), ends

    def _ends(self, now: datetime) -> Iterator[tuple[datetime, Slot]]:
        today = now.astimezone(AMSTERDAM).date()
        for day in (today + timedelta(days=ahead) for ahead in range(HORIZON_DAYS + 1)):
            if self.works_on(day):
                for slot in sorted(self.slots):
                    if slot.weekday == day.weekday():
                        yield to_utc(day, slot.ends), slot


def to_utc(day: date, wall: time) -> datetime:
    """The moment at which a clock in Nijmegen shows a time.

    An hour that is skipped counts on from before it; of one that is repeated it is the first.
    """
    return datetime.combine(day, wall, AMSTERDAM).astimezone(UTC)


def check(slots: Sequence[Slot]) -> None:
    """Raises SlotError for slots that can't be."""
    for slot in slots:
        if not 0 <= slot.weekday < len(WEEKDAYS):
            raise SlotError("a slot on a day that is no working day; use mon, tue, wed, thu or fri")
        if slot.starts >= slot.ends:
            raise SlotError(f"slot {slot} ends before it starts; correct the times")
        if slot.max_answers < 1:
            raise SlotError(f"slot {slot} takes no answers; give it at least 1, or remove it")
    ordered = sorted(slots)
    for first, second in pairwise(ordered):
        if first.weekday == second.weekday and second.starts < first.ends:
            raise SlotError(f"slots {first} and {second} overlap; make one of them")
