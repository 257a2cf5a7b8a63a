"""How many different values there are and how often each occurs, in bounded memory and whatever their order.

Values are 64-bit hashes. Up to `LIMIT` different ones are counted exactly. Above that only those below a threshold are
kept, which halves as often as need be, and stand for all: the adaptive sampling of Wegman (Flajolet 1990,
doi:10.1007/BF02241657), with a relative standard error of about 1.2 / sqrt(LIMIT). The last threshold follows from the
set of values alone, and a value that is below it was below every earlier one: its count is exact.
"""

from __future__ import annotations

import numpy as np

LIMIT = 1 << 20  # different values; 16 bytes each, about 100 while they are merged


class Distinct:
    """Different values, counted as they come."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.halvings = 0
        self.total = 0
        self.values = np.empty(0, np.uint64)
        self.counts = np.empty(0, np.int64)
        self.waiting: list[np.ndarray] = []

    def add(self, values: np.ndarray) -> None:
        """Count these hashes."""
        self.total += len(values)
        self.waiting.append(self.below(values))
        if sum(map(len, self.waiting)) > self.limit:
            self.settle()

    def below(self, values: np.ndarray) -> np.ndarray:
        """Those under the threshold."""
        return values[values >> np.uint64(64 - self.halvings) == 0] if self.halvings else values

    def settle(self) -> None:
        """Take in what waits, and lower the threshold until few enough are left."""
        fresh, times = np.unique(np.concatenate([np.empty(0, np.uint64), *self.waiting]), return_counts=True)
        self.waiting = []
        self.values, places = np.unique(np.concatenate([self.values, fresh]), return_inverse=True)
        weights = np.concatenate([self.counts, times])
        self.counts = np.bincount(places, weights, len(self.values)).astype(np.int64)  # exact up to 2**53
        while len(self.values) > self.limit:
            self.halvings += 1
            count = len(self.below(self.values))  # they are sorted
            self.values, self.counts = self.values[:count], self.counts[:count]

    @property
    def count(self) -> int:
        """Different values: exact, or an estimate if `sampled`."""
        self.settle()
        return len(self.values) << self.halvings

    @property
    def sampled(self) -> bool:
        """Whether there were more different values than are counted exactly."""
        self.settle()
        return self.halvings > 0
