"""The errors of this service. Each says what its catcher must do."""

from dataclasses import dataclass
from enum import StrEnum


class WegwijsError(Exception):
    """Anything that this service raises on purpose."""


class SettingsError(WegwijsError):
    """A setting is missing, wrong or contradicts another. The start stops; one line a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong in the content: where it stands and how to mend it."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ContentError(WegwijsError):
    """The content can't be used. Carries every fault found, not only the first."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class StoreUnavailableError(WegwijsError):
    """The database did not take a write. Webhooks answer 503, so that the provider comes back."""


class SecondProcessError(WegwijsError):
    """Another process already works on this SQLite file."""


class AccountError(WegwijsError):
    """An account can't be made or changed like this. `fault` is a code that the pages and the command line explain."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class BadMessageError(WegwijsError):
    """A provider sent something that can't be read. It is logged by id and acknowledged."""


class Failure(StrEnum):
    """What a failed send means for the next step (tables in `docs/channels.md`)."""

    TEMPORARY = "temporary"  # not accepted; try again later
    PERMANENT = "permanent"  # will never be accepted as it is
    BLOCKED = "blocked"  # the person shut us out; no more sends until they write
    WINDOW = "window"  # WhatsApp's 24 hours are over; only an approved template goes
    UNKNOWN = "unknown"  # may have arrived; never repeated blindly


class SendError(WegwijsError):
    """A channel did not take a message."""

    def __init__(self, failure: Failure, code: str, retry_after: float | None = None) -> None:
        super().__init__(f"{failure.value}: {code}")
        self.failure = failure
        self.code = code
        self.retry_after = retry_after


class TranslationError(WegwijsError):
    """The translator did not answer, or with something else than a translation. Nothing is lost by it."""


class AnswersError(WegwijsError):
    """A file of answers can't be used at all. Says what is wrong and how to mend it."""
