"""Search: in which ranges good values are looked for, by which rule, and what good means."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from runner.kinds import Table, bad_value


class Range(Table):
    """Where the values of one field are looked for: between two numbers, which may be a value too, or among choices."""

    low: int | float | None = None
    """The least value; whole numbers for both ends mean whole numbers in between."""
    high: int | float | None = None
    """The greatest value."""
    log: bool = False
    """Whether values are even in their logarithm, as rates should be. Default false."""
    step: Annotated[int | float, Field(gt=0)] | None = None
    """Distance of neighbouring values from `low` on; default 1 between whole numbers, else any value."""
    choices: Annotated[list[Any], Field(min_length=1)] | None = None
    """All values that may be taken, instead of two ends; a value may be a whole table."""

    @model_validator(mode="after")
    def sound(self) -> Self:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise bad_value("a range has `low` and `high`, or `choices`", "write `{ low = 1e-5, high = 1e-3 }`")
        if self.choices is None:
            self.between()
        elif self.log or self.step is not None or self.low is not None or self.high is not None:
            raise bad_value("`choices` stand alone", "leave out the other keys", key="choices")
        return self

    def between(self) -> None:
        """Two ends in their order."""
        low, high = self.low, self.high
        assert low is not None and high is not None
        if low >= high:
            raise bad_value(f"`low` is {low:g}, no less than `high`, {high:g}", "exchange them", key="low")
        if self.log and low <= 0:
            raise bad_value("a logarithm needs numbers above 0", "raise `low`, or leave `log` out", key="low")
        if self.log and self.step is not None:
            raise bad_value("`step` and `log` exclude each other", "leave one out", key="step")
        if self.whole and isinstance(self.step, float):
            raise bad_value("whole numbers have a whole `step`", "write one, or ends with a dot", key="step")

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def at(self, share: float) -> Any:
        """The value at a share of the way, from 0 up to 1, from the least to the greatest."""
        if self.choices is not None:
            return self.choices[min(int(share * len(self.choices)), len(self.choices) - 1)]
        low, high = float(self.low or 0), float(self.high or 0)
        step = self.step or (1 if self.whole else None)
        if step is not None and not self.log:
            places = int((high - low) / step + 1e-9) + 1
            found = low + step * min(int(share * places), places - 1)
        else:
            found = math.exp(math.log(low) + share * math.log(high / low)) if self.log else low + share * (high - low)
        return round(found) if self.whole else min(max(found, low), high)

    @property
    def ends(self) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """What must be valid values of the field, and where each stands."""
        if self.choices is not None:
            yield from ((("choices", place), value) for place, value in enumerate(self.choices))
        else:
            cast: Any = int if self.whole else float
            yield from ((("low",), cast(self.low)), (("high",), cast(self.high)))


class Bound(Table):
    """What a trial must keep to; those that don't are worse than all that do."""

    at_least: float | None = None
    """The least value."""
    at_most: float | None = None
    """The greatest value."""

    @model_validator(mode="after")
    def bounds(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise bad_value("nothing is bounded", "write `at_least` or `at_most`")
        return self


class Pruner(Table):
    """Which trials are given up early, by their validation after each epoch beside that of the others."""

    type: Literal["median", "successive_halving", "hyperband", "patient"]
    """Worse than the median; not among the best of its rung; the same by several ladders; no better for a while."""
    min_epochs: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Epochs that each trial may do. Default 1."""
    reduction: Annotated[int, Field(ge=2, le=100)] = 3
    """One of so many trials goes on from a rung of halving, to so many times the epochs. Default 3."""
    patience: Annotated[int, Field(ge=1, le=10_000)] = 2
    """Epochs without an improvement after which `patient` asks for the median. Default 2."""


class Search(Table):
    """Trials whose values follow from what earlier trials found (Akiba and others 2019, arXiv:1907.10902: Optuna)."""

    trials: Annotated[int, Field(ge=1, le=10_000)]
    """How many trials there are, the pruned ones included."""
    space: Annotated[dict[str, Range], Field(min_length=1)]
    """Fields by their dotted path, and where their values are looked for."""
    objective: str | Annotated[list[str], Field(min_length=1)] = "combined"
    """What shall be good on validation: `combined`, `loss`, `TASK.METRIC`, `seconds`, or several. Default combined.

    With several, no trial of the best is worse in all of them than another.
    """
    sampler: Literal["tpe", "gp", "cmaes", "qmc", "random"] = "tpe"
    """How values are proposed: Parzen estimators, Gaussian process, CMA-ES, Sobol numbers or chance. Default tpe."""
    sampler_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the proposals. Default 0."""
    startup_trials: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Trials by chance before `tpe` and `gp` learn from them. Default 10."""
    start: bool = True
    """Whether the first trial has the values of the spec itself, where they lie in the ranges. Default true."""
    pruner: Pruner | None = None
    """When a trial is given up early; left out = never."""
    constraints: dict[str, Bound] = Field(default={})
    """Bounds of what an objective may be: `{ seconds = { at_most = 60 } }`."""

    @model_validator(mode="after")
    def sound(self) -> Self:
        if self.pruner and isinstance(self.objective, list) and len(self.objective) > 1:
            raise bad_value("several objectives cannot be pruned", "leave out `pruner`, or take one", key="pruner")
        if self.sampler == "cmaes" and isinstance(self.objective, list) and len(self.objective) > 1:
            raise bad_value("`cmaes` knows one objective", "take `tpe`, or one objective", key="sampler")
        return self

    @property
    def objectives(self) -> list[str]:
        """All of them."""
        return [self.objective] if isinstance(self.objective, str) else list(self.objective)
