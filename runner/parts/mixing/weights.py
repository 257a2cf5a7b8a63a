"""Weighted mixing: the author says how much each data set counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.mixing._mixing import Mixing


class Weights(Mixing):
    """Each data set gets the share of batches that its weight has in the sum of the weights.

    ```toml
    strategy = "weights"
    weights = { emotion = 2.0, irony = 1.0 }
    ```
    """

    kind: ClassVar[str] = "weights"

    strategy: Literal["weights"]
    """The author says how much each data set counts."""
    weights: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]
    """Weight of each data set by its name; every data set in use needs one."""

    def shares(self, batches: Mapping[str, int]) -> dict[str, float]:
        total = sum(self.weights[name] for name in batches)
        return {name: self.weights[name] / total for name in batches}
