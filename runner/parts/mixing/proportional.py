"""Proportional mixing: every row once an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from runner.parts.mixing._mixing import Mixing


class Proportional(Mixing):
    """Each data set is drawn as often as it has batches: one epoch sees every row once.

    ```toml
    strategy = "proportional"
    ```
    """

    kind: ClassVar[str] = "proportional"

    strategy: Literal["proportional"] = "proportional"
    """Large data sets are seen more often, every row once an epoch."""

    def shares(self, batches: Mapping[str, int]) -> dict[str, float]:
        return {name: count / sum(batches.values()) for name, count in batches.items()}
