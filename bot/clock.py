"""What time it is. The demo's clock can be moved forward; everywhere else it is the machine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The machine's clock plus an offset. Times are always in UTC, with their zone."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def machine_now(self) -> datetime:
        """The machine's own time. Logins go by it: a demonstration can't move the clock of somebody's telephone."""
        return datetime.now(UTC)

    def forward(self, by: timedelta) -> None:
        """Move on. Raises ValueError for a step back: promises already made would come true twice."""
        if by < timedelta():
            raise ValueError("the clock only goes forward")
        self.offset += by
