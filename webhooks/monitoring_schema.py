"""What the answers of the monitoring API look like, for its OpenAPI document. Tests hold the real ones against it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Reason = Literal[
    "hidden",
    "too_few",
    "no_answers",
    "no_spread",
    "no_controls",
    "no_variation_in_a_control",
    "groups_coincide",
]


class Shape(BaseModel):
    """Keys in camelCase. Keys that name items, groups and waves stay as they are."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Open(Shape):
    """The same, with more keys than are listed."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    instance: str


class Words(Shape):
    """A text in Dutch and English."""

    nl: str
    en: str


class Interval(Shape):
    """A 95 % interval, sometimes with the value in it."""

    value: float | None = None
    low: float
    high: float


class Share(Shape):
    """A part in whole %; where it is small only that it is below a number."""

    value: float | str
    percent: float | None = None
    below: int | None = None
    low: float | None = None
    high: float | None = None


class Figures(Shape):
    """Mean, standard deviation (n - 1), number and distribution of answers; without a figure, why."""

    m: float | None = None
    sd: float | None = None
    n: int | None = Field(description="number of answers; null where it is hidden")
    interval: Interval | None = None
    distribution: list[Share] = []
    median: float | None = None
    options: list[Share] | None = None
    reason: Reason | None = None
    fewer_than: int | None = None
    wave: str | None = None


class Scale(Shape):
    """The ends of the scale of an item."""

    low: int
    high: int


class Weighted(Shape):
    """The mean as if type and gender were those of the population."""

    m: float
    n: int
    n_effective: float


class Item(Open):
    """An item of the study of 2024."""

    topic: str
    label: Words
    scale: Scale
    higher_is_worse: bool
    total: Figures
    baseline: dict[str, Any] = Field(description="total, asylum, family, women, men: 2024 beside now, with tests")
    weighted: Weighted | None = None


class Change(Open):
    """From a wave to the next (`from` and `to`); `panel` is of people who answered both."""

    to: str
    all: float | None = None
    panel: dict[str, Any] | None = None
    reason: Reason | None = None


class Trend(Shape):
    """An item over the waves."""

    waves: list[Figures]
    changes: list[Change]


class WholeItem(Item):
    """All figures of an item."""

    groups: dict[str, dict[str, Figures]]
    differences: dict[str, dict[str, Any]] = Field(description="by background: tests between the groups shown")
    missing: dict[str, int | None]
    trend: Trend


class Items(Shape):
    """Every item, by its number in the study."""

    items: dict[str, Item]


class ChoiceWave(Figures):
    """The figures of one wave: of options with their share and Wilson's interval."""

    wave: str


class Choice(Open):
    """A question with options, a number or words."""

    kind: Literal["single", "multiple", "number", "scale5", "scale11", "open"]
    label: Words
    total: Figures
    groups: dict[str, dict[str, Figures]]
    trend: list[ChoiceWave]


class Choices(Shape):
    """Every such question of the wave, by its name."""

    items: dict[str, Choice]


class Waves(Open):
    """The waves that there are, and what the figures of the chosen one were made of."""

    waves: list[str]
    wave: str | None
    respondents: int | None
    answers: int | None
    quarters: dict[str, str]
    backgrounds: list[str]


class Relation(Open):
    """A standardised coefficient; without one, why."""

    predictor: str
    outcome: str
    n: int | None
    beta: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    stars: Literal["", "*", "**", "***"] | None = None
    reason: Reason | None = None


class Relations(Shape):
    """Every predictor with every outcome, and the study's tables 7, 10 and 13."""

    relations: list[Relation]
    study_tables: dict[str, dict[str, Any]]


class Funnel(Shape):
    """The response, and respondents beside the population."""

    funnel: dict[str, Any]
    representation: dict[str, Any]


class Checks(Shape):
    """The tool's check of itself on the printed figures of 2024."""

    marked: dict[str, list[str]]
    lines: list[dict[str, Any]]
    agrees: bool


class Operations(Shape):
    """How the service ran in the last days. A count below ten is null."""

    days: int
    outcomes: list[dict[str, Any]]
    rated: list[dict[str, Any]]
    unanswered: list[dict[str, Any]]
    topics: list[dict[str, Any]]
    months: list[dict[str, Any]]
    kept_share: float | None
    median_wait_hours: float | None
    p90_wait_hours: float | None
