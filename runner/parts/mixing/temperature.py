"""Temperature mixing: between proportional and uniform (Arivazhagan and others 2019, arXiv:1907.05019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.mixing._mixing import Mixing


class Temperature(Mixing):
    """A data set of n batches weighs n ** (1 / temperature): 1 is proportional, large is uniform.

    ```toml
    strategy = "temperature"
    temperature = 2.0
    ```
    """

    kind: ClassVar[str] = "temperature"
    later: ClassVar[tuple[str, ...]] = ("batches", "cap")

    strategy: Literal["temperature"]
    """Flatten the differences in size."""
    temperature: Annotated[float, Field(ge=1, le=1000)] = 2.0
    """1 keeps the sizes' proportions, larger values approach equal shares. Default 2."""
    cap: Annotated[int, Field(ge=1)] | None = None
    """Rows of a data set that count at most, before the temperature (Raffel and others 2020). Default no limit."""

    def counted(self, rows: int) -> int:
        return rows if self.cap is None else min(rows, self.cap)

    def shares(self, batches: Mapping[str, int]) -> dict[str, float]:
        flat = {name: count ** (1 / self.temperature) for name, count in batches.items()}
        return {name: weight / sum(flat.values()) for name, weight in flat.items()}
