"""Round robin: the data sets take turns, one batch each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from runner.parts.mixing._mixing import Mixing


class RoundRobin(Mixing):
    """The data sets take turns in the order written, one batch each; small ones are repeated.

    ```toml
    strategy = "round_robin"
    ```
    """

    kind: ClassVar[str] = "round_robin"
    ordered: ClassVar[bool] = True

    strategy: Literal["round_robin"]
    """The data sets take turns, one batch each."""

    def shares(self, batches: Mapping[str, int]) -> dict[str, float]:
        return {name: 1 / len(batches) for name in batches}
