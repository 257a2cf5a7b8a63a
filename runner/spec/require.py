"""Require: the bounds that a score must keep, each a criterion of the scorecard."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from runner.kinds import Table, bad_value


class Require(Table):
    """Bounds of one score; no part of what a run is, so that other bounds train nothing anew.

    A criterion is undefined where the score or its interval is missing or no number: that is no pass.
    """

    at_least: float | None = None
    """The least that passes; default: no such bound."""
    at_most: float | None = None
    """The most that passes; default: no such bound."""
    with_: Annotated[Literal["value", "lower_bound", "upper_bound"], Field(alias="with")] = "value"
    """What the bounds judge: the score itself, or an end of its confidence interval. Default value."""

    @model_validator(mode="after")
    def bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise bad_value("a criterion needs `at_least` or `at_most`", "such as { at_least = 0.8 }")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise bad_value("`at_least` is above `at_most`: no score passes", "swap them", "at_least")
        return self

    def keeps(self, value: float) -> bool:
        """Whether a value keeps the bounds."""
        least = self.at_least is None or value >= self.at_least
        return least and (self.at_most is None or value <= self.at_most)

    def told(self) -> str:
        """The bounds in words."""
        bounds = [f"≥ {self.at_least:g}"] if self.at_least is not None else []
        bounds += [f"≤ {self.at_most:g}"] if self.at_most is not None else []
        judged = "" if self.with_ == "value" else f" with {self.with_}"
        return " and ".join(bounds) + judged
