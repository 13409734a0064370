"""Working days in the Netherlands, and by when the back-up desk answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import holidays

from bot.locales import AMSTERDAM


@dataclass(frozen=True)
class DeskHours:
    """When the back-up desk answers: working days, until `closes`.

    A question is answered within `days` working days.
    """

    closes: time = time(17)
    days: int = 1


@lru_cache(maxsize=8)
def _calendar(country: str) -> Any:
    """The class of a country's holidays, by its ISO code. Raises AttributeError for a country the library doesn't know.

    Its module is loaded by its place: asked in the usual way, the library loads 250 countries at once, which held up
    the first answer after a start by 0.14 s and takes 8 MB.
    """
    name: str = getattr(holidays, country).module_name
    place = Path(holidays.__file__).parent / "countries" / f"{name.rpartition('.')[2]}.py"
    spec = spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, country)


@lru_cache(maxsize=16)
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(_calendar("NL")(years=year))


def is_public_holiday(day: date) -> bool:
    """A Dutch public holiday (library `holidays`)."""
    return day in _public_holidays(day.year)


# Days of rest and of family of people in this programme: the calendar of a country where the day is kept, and its name
# there. The moon decides about the Eids: their dates are reckoned beforehand and may be a day off.
RELIGIOUS = {
    "eid_al_fitr": ("SY", "Eid al-Fitr"),
    "eid_al_adha": ("SY", "Eid al-Adha"),
    "orthodox_christmas": ("ER", "Orthodox Christmas"),
    "orthodox_easter": ("ER", "Orthodox Easter"),
    "nowruz": ("IQ", "Nowruz"),
}


@lru_cache(maxsize=64)
def religious_days(name: str, year: int) -> frozenset[date]:
    """The days of a religious holiday in a year (library `holidays`). Raises KeyError for a name not in RELIGIOUS."""
    country, called = RELIGIOUS[name]
    found = _calendar(country)(years=year, language="en_US")
    return frozenset(day for day, words in found.items() if called in words)


def is_working_day(day: date) -> bool:
    """Monday to Friday, no Dutch public holiday."""
    return day.weekday() < 5 and not is_public_holiday(day)


def promise(now: datetime, hours: DeskHours) -> datetime:
    """By when a question that is passed on now is answered: the close of a working day, in Dutch time.

    The first working day counts when the desk is still open today; otherwise counting starts on the next one.
    """
    local = now.astimezone(AMSTERDAM)
    day, left = local.date(), hours.days
    if is_working_day(day) and local.time() >= hours.closes:
        day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return datetime.combine(day, hours.closes, AMSTERDAM)
