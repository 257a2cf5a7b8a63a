"""Tag accuracy: the share of words with the right tag."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.answers import Shape
from runner.answers.resamples import Numbers, ratio
from runner.answers.tags import TagCounts, Tags
from runner.parts.metrics._metric import Metric


class TagAccuracy(Metric):
    """Share of all words whose tag is right, from 0 to 1; words that were cut away count too.

    ```toml
    type = "tag_accuracy"
    ```
    """

    kind: ClassVar[str] = "tag_accuracy"
    reads: ClassVar[Shape] = Tags

    type: Literal["tag_accuracy"] = "tag_accuracy"
    """The metric's name."""

    def values(self, resamples: TagCounts) -> Numbers:
        sums = resamples.sums(resamples.answers.right)
        return ratio(sums[:, 0], sums[:, 1])
