"""The form of the content files, as frozen models. `docs/content.md` explains each field in plain words."""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.contacts import Group

PLACEHOLDER = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)\}")


def placeholders(text: str) -> set[str]:
    """The names between braces in a text."""
    return set(PLACEHOLDER.findall(text))


def _https(value: str) -> str:
    if not value.startswith("https://") or " " in value:
        raise ValueError("must be a link that starts with https://")
    return value


Link = Annotated[str, AfterValidator(_https)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$", max_length=48)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Status(StrEnum):
    DRAFT = "draft"
    CONFIRMED = "confirmed"


class Owner(StrEnum):
    """The role that keeps a topic right."""

    INBURGERING = "inburgering"
    BACK_UP_DESK = "back-up desk"
    WORK = "work"
    SOCIAL_MAP = "social map"
    SERVICE = "service"


class Source(Model):
    title: Annotated[str, Field(min_length=3, max_length=120)]
    url: Link | None = None
    date: dt.date | None = None


class Topic(Model):
    """What a topic is, apart from its words."""

    group: str
    audience: Annotated[tuple[Group, ...], Field(min_length=1)] = (Group.ASYLUM, Group.FAMILY)
    owner: Owner
    checked_on: dt.date
    review_by: dt.date
    withhold_after: dt.date
    status: Status
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=4)]
    links: Annotated[tuple[Link, ...], Field(max_length=2)] = ()
    related: Annotated[tuple[Key, ...], Field(max_length=3)] = ()


class Answer(Model):
    """The words of a topic in one language."""

    title: Annotated[str, Field(min_length=2, max_length=24)]
    question: Annotated[str, Field(min_length=3, max_length=64)]
    short: Annotated[str, Field(min_length=20)]
    more: str | None = None
    asylum: str | None = None
    family: str | None = None
    when_known: dict[str, str] = Field(default_factory=dict)
    translated_from: str | None = None  # fingerprint of the Dutch text that a translation was made from

    def part(self, name: str) -> str | None:
        """The text of `short`, `more`, `asylum` or `family`."""
        return {"short": self.short, "more": self.more, "asylum": self.asylum, "family": self.family}[name]

    def parts(self) -> dict[str, str]:
        """Every text that is there, by name; sentences that wait for a figure as `when_known.<key>`."""
        texts = {name: text for name in ("short", "more", "asylum", "family") if (text := self.part(name))}
        return texts | {f"when_known.{key}": text for key, text in self.when_known.items()}


class Span(Model):
    min: float
    max: float


class Texts(Model):
    """The same in each language."""

    nl: str
    en: str
    ar: str

    def of(self, language: str) -> str:
        return {"nl": self.nl, "en": self.en, "ar": self.ar}[language]


Unit = Literal["eur", "percent", "hours", "days", "weeks", "months", "years", "count", "phone", "email", "date", "text"]


class Figure(Model):
    """A figure that can change, once for all languages. Without a value it waits for the municipality."""

    value: int | float | Span | Texts | dt.date | str | None
    unit: Unit
    source: str | None = None
    url: Link | None = None
    as_of: dt.date | None = None
    review_by: dt.date | None = None
    withhold_after: dt.date | None = None
    to_confirm: str | None = None


Audience = Literal["everyone", "women", "mothers", "men", "youth", "children", "asylum", "family", "low_income"]
Theme = Literal[
    "meet_people",
    "practise_dutch",
    "women",
    "sport",
    "creative",
    "food",
    "clothes",
    "money",
    "legal",
    "work",
    "study",
    "letters",
    "mental_health",
    "children",
]


class Organisation(Model):
    """What is known of an organisation without a language. Unknown stays `null`."""

    name: str
    website: Link | None = None
    address: str | None = None
    area: str | None = None
    phone: str | None = None
    email: str | None = None
    audience: Annotated[tuple[Audience, ...], Field(min_length=1)]
    themes: tuple[Theme, ...] = ()
    languages: tuple[str, ...] | None = None
    cost: Literal["free", "low", "paid"] | None = None
    join: Literal["walk_in", "sign_up", "referral"] | None = None
    bring: Texts | None = None
    known_percent: float | None = None
    mark: float | None = None
