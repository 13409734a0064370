"""The figures of the municipality's study of 2024, read and checked. What can be compared with them stands in there.

Source: "first experiences with the Wet inburgering 2021", Nijmegen 2024; `content/baseline_2024.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.errors import ContentError, Fault
from bot.yaml_files import Document, read_yaml

FILE = "baseline_2024.yaml"
SUBGROUPS = {
    "asylum": ("type", "asylum"),
    "family": ("type", "family"),
    "women": ("gender", "women"),
    "men": ("gender", "men"),
}
Mark = Annotated[str, Field(pattern=r"^[A-Za-z0-9+_-]+ > [A-Za-z0-9+_-]+( \((vanishes|controlled)\))?$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Summary(_Model):
    """A mean, its standard deviation (n - 1) and the number of answers, as printed."""

    m: float
    sd: Annotated[float, Field(ge=0)]
    n: Annotated[int, Field(ge=2)]


class Item(_Model):
    """A question of the study on a scale, with what it printed."""

    topic: str
    label: Mapping[Literal["nl", "en"], str] | None = None
    scale: Literal["1-5", "0-10"] = "1-5"
    higher_is_worse: bool = False
    total: Summary
    asylum: Summary | None = None
    family: Summary | None = None
    women: Summary | None = None
    men: Summary | None = None

    @property
    def low(self) -> int:
        return int(self.scale.split("-")[0])

    @property
    def high(self) -> int:
        return int(self.scale.split("-")[1])

    def published(self) -> dict[str, Summary]:
        """Every printed row: "total" and the groups, in the order of the study's tables."""
        rows = {name: getattr(self, name) for name in ("total", *SUBGROUPS)}
        return {name: row for name, row in rows.items() if row is not None}

    @model_validator(mode="after")
    def _on_the_scale(self) -> Item:
        for name, row in self.published().items():
            if not self.low <= row.m <= self.high:
                raise ValueError(
                    f"the mean of {name} ({row.m}) lies outside the scale {self.scale}; mend the mean or add `scale`"
                )
            if row.sd > self.high - self.low:
                raise ValueError(f"the standard deviation of {name} ({row.sd}) is larger than the scale {self.scale}")
        return self


class Baseline(_Model):
    """A study to compare with. Parts that describe its sample are optional; `items` is not."""

    items: Annotated[Mapping[str, Item], Field(min_length=1)]
    survey: Mapping[str, Any] = Field(default_factory=dict)
    population: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    respondents: Mapping[str, Mapping[str, int]] = Field(default_factory=dict)
    asked_in_phase: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    published_differences: Mapping[str, Mapping[str, Mark]] = Field(default_factory=dict)
    published_regressions: Mapping[str, Mapping[str, str | float]] = Field(default_factory=dict)
    initiatives: Mapping[str, Any] = Field(default_factory=dict)
    barriers_to_taking_part: Mapping[str, Any] = Field(default_factory=dict)
    questionnaire_evaluation: Mapping[str, Any] = Field(default_factory=dict)


def load(path: Path) -> Baseline:
    """Read a baseline file.

    Raises ContentError with file, line, key and mend for everything that is wrong in it.
    """
    document = read_yaml(path, path.parent)
    baseline, faults = check(document)
    if baseline is None:
        raise ContentError(faults)
    return baseline


def check(document: Document) -> tuple[Baseline | None, list[Fault]]:
    """The baseline of a file that was read; the faults instead when there are any."""
    if document.faults:
        return None, list(document.faults)
    if not isinstance(document.data, dict):
        return None, [Fault(document.file, 1, "", "must be a mapping with `items`; see content/baseline_2024.yaml")]
    try:
        return Baseline.model_validate(document.data), []
    except ValidationError as error:
        return None, [_fault(document, problem) for problem in error.errors()]


def _fault(document: Document, problem: Any) -> Fault:
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        message = f"'{problem['loc'][-1]}' is missing; add it"
    elif problem["type"] == "extra_forbidden":
        message = "unknown key; remove it or see content/baseline_2024.yaml for the keys that exist"
    return document.fault(tuple(problem["loc"]), message)
