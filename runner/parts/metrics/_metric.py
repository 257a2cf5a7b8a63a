"""What every metric is: a number, or one a label, for each of many samples of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from runner.answers.answers import Answers, Shape
from runner.answers.choices import Choices
from runner.answers.resamples import Numbers
from runner.kinds import Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Metric(Part):
    """A metric whose `values` scores many samples at once, so that a bootstrap is cheap."""

    # The shape of answers that it scores: it fits the tasks that give such answers.
    reads: ClassVar[Shape] = Choices
    higher_is_better: ClassVar[bool] = True
    # The least and the greatest value. What exceeds -1 to 1 enters `combined` by a transform only.
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = ""
    per_class: ClassVar[bool] = False
    # Whether samples drawn with replacement say how sure it is; else it has no interval.
    drawn: ClassVar[bool] = True
    # Distributions, as pip names them, that it needs; the extra `text` has them.
    packages: ClassVar[tuple[str, ...]] = ()

    def values(self, resamples: Any) -> Numbers:
        """The score of each sample: shape [samples]; per class [samples, labels], NaN where a label doesn't occur.

        `resamples` are the `Resamples` of the shape that it reads.
        """
        raise NotImplementedError

    def right(self, answers: Any) -> npt.NDArray[np.bool_] | None:
        """Which examples are right, for metrics that are the share of them; None for all others."""
        return None

    def scores(self, resamples: Any) -> dict[str, Numbers]:
        """The score of each sample under the key "", or under each label."""
        values = self.values(resamples)
        return dict(zip(resamples.names, values.T, strict=True)) if self.per_class else {"": values}

    def score(self, answers: Answers) -> dict[str, float]:
        """The score of the answers under the key "", or under each label that occurs in gold or predicted."""
        import numpy as np

        scores = self.scores(answers.resamples(np.arange(len(answers))[None]))
        each = {key: float(values[0]) for key, values in scores.items()}
        return {key: value for key, value in each.items() if not (self.per_class and np.isnan(value))}
