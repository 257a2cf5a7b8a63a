"""What every metric is: a number, or one a label, for each of many samples of the answers."""

from __future__ import annotations

from typing import ClassVar

from runner.kinds import Part
from runner.parts.answers import Answers
from runner.parts.metrics._resamples import Numbers, Resamples


class Metric(Part):
    """A metric whose `values` scores many samples at once, so that a bootstrap is cheap."""

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    higher_is_better: ClassVar[bool] = True
    per_class: ClassVar[bool] = False

    def values(self, resamples: Resamples) -> Numbers:
        """The score of each sample: shape [samples]; per class [samples, labels], NaN where a label doesn't occur."""
        raise NotImplementedError

    def scores(self, resamples: Resamples) -> dict[str, Numbers]:
        """The score of each sample under the key "", or under each label."""
        values = self.values(resamples)
        return dict(zip(resamples.answers.labels, values.T, strict=True)) if self.per_class else {"": values}

    def score(self, answers: Answers) -> dict[str, float]:
        """The score of the answers under the key "", or under each label that occurs in gold or predicted."""
        import numpy as np

        scores = self.scores(Resamples(answers, np.arange(len(answers))[None]))
        each = {key: float(values[0]) for key, values in scores.items()}
        return {key: value for key, value in each.items() if not (self.per_class and np.isnan(value))}
