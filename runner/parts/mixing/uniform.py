"""Uniform mixing: every data set gets the same number of batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from runner.parts.mixing._mixing import Mixing


class Uniform(Mixing):
    """Each data set gets the same share of an epoch's batches, in random order; small ones are repeated.

    ```toml
    strategy = "uniform"
    ```
    """

    kind: ClassVar[str] = "uniform"

    strategy: Literal["uniform"]
    """Every data set gets the same number of batches."""

    def shares(self, batches: Mapping[str, int]) -> dict[str, float]:
        return {name: 1 / len(batches) for name in batches}
