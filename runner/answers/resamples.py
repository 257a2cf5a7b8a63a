"""Many samples of the same answers at once, and what metrics count in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from runner.answers.answers import Answers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Numbers: TypeAlias = "npt.NDArray[np.float64]"
A = TypeVar("A", bound=Answers)


@dataclass(frozen=True, eq=False)
class Resamples(Generic[A]):
    """Samples of `answers`: row r of `rows`, shape [samples, examples], lists the examples of sample r."""

    answers: A
    rows: npt.NDArray[np.int64]

    def tally(self, codes: npt.NDArray[np.int64], count: int, weights: Numbers | None = None) -> Numbers:
        """Examples (or their weights) of each code 0..count-1 in each sample, shape [samples, count]."""
        import numpy as np

        samples = len(self.rows)
        cells = codes[self.rows] + count * np.arange(samples)[:, None]
        each = None if weights is None else weights[self.rows].ravel()
        return np.bincount(cells.ravel(), each, samples * count).reshape(samples, count).astype(np.float64)

    @cached_property
    def times(self) -> Numbers:
        """How often each sample has each example, shape [samples, examples of the answers]."""
        import numpy as np

        return self.tally(np.arange(len(self.answers)), len(self.answers))

    def sums(self, values: npt.NDArray[Any]) -> Numbers:
        """Sums over the examples of each sample of values of shape [examples] or [examples, columns]."""
        import numpy as np

        found: Numbers = self.times @ np.asarray(values, np.float64)
        return found

    def means(self, values: npt.NDArray[Any]) -> Numbers:
        """Means over the examples of each sample."""
        found: Numbers = self.sums(values) / self.rows.shape[1]
        return found


def ratio(part: Numbers, whole: Numbers) -> Numbers:
    """`part / whole`, and 0 where `whole` is 0."""
    import numpy as np

    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole != 0)


def mean(values: Numbers, among: npt.NDArray[np.bool_]) -> Numbers:
    """Mean over the labels `among` those counted, shape [samples]."""
    import numpy as np

    return ratio((values * among).sum(1), among.sum(1).astype(np.float64))
