"""Tags: one tag for each word of each example, and the spans that tags in the BIO scheme make."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from runner.answers.answers import Place, Told
from runner.answers.counted import Counted, Counts
from runner.answers.resamples import Numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Row = Sequence[str]


class Span(NamedTuple):
    """Words `start` to `end` (not included) have this type."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Tags(Counted):
    """`gold` and `predicted` have the tags of each example's words; with `spans` they follow the BIO scheme.

    A word that was cut away is predicted "O" in that scheme, else the empty tag, which is never right.
    """

    shape: ClassVar[str] = "tags"

    gold: tuple[Row, ...]
    predicted: tuple[Row, ...]
    spans: bool
    spaces: bool = True  # whether single spaces part the words of all texts

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: npt.NDArray[np.int64]) -> Tags:
        index = rows.tolist()
        gold, predicted = (tuple(each[row] for row in index) for each in (self.gold, self.predicted))
        return replace(self, ids=(), gold=gold, predicted=predicted)

    def told(self) -> Told:
        nothing: list[float | None] = [None] * len(self)
        gold, predicted = (
            [json.dumps(list(row), ensure_ascii=False) for row in each] for each in (self.gold, self.predicted)
        )
        return Told(gold, predicted, nothing, nothing)

    @classmethod
    def retold(cls, place: Place, told: Told) -> Tags:
        """Labels that all are those of BIO make it spans."""
        gold, predicted = (tuple(tuple(json.loads(row)) for row in each) for each in (told.gold, told.predicted))
        return cls(*place, gold, predicted, all(label == "O" or label[:2] in ("B-", "I-") for label in place.labels))

    def resamples(self, rows: npt.NDArray[np.int64]) -> TagCounts:
        return TagCounts(self, rows)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """What is counted: the types of spans, or the tags."""
        kinds = {label.partition("-")[2] for label in self.labels if label != "O"} if self.spans else {*self.labels}
        return tuple(sorted(kinds))

    @cached_property
    def counts(self) -> Numbers:
        """For gold, predicted and hits how often each example has each type, shape [3, examples, types]."""
        import numpy as np

        found = np.zeros((3, len(self), len(self.types)))
        place = {type: index for index, type in enumerate(self.types)}
        for row, both in enumerate(zip(self.gold, self.predicted, strict=True)):
            gold, predicted = (set(spans_of(each) if self.spans else words_of(each)) for each in both)
            for kind, each in enumerate((gold, predicted, gold & predicted)):
                for span in each:
                    if span.type in place:
                        found[kind, row, place[span.type]] += 1
        return found

    @cached_property
    def right(self) -> Numbers:
        """Words of each example with the right tag, and words: shape [examples, 2]."""
        import numpy as np

        pairs = zip(self.gold, self.predicted, strict=True)
        return np.array([(sum(map(str.__eq__, g, p)), len(g)) for g, p in pairs], np.float64).reshape(-1, 2)


def words_of(tags: Row) -> Iterator[Span]:
    """Each word as a span of its own."""
    return (Span(tag, word, word + 1) for word, tag in enumerate(tags))


def spans_of(tags: Row) -> Iterator[Span]:
    """The spans of IOB2 as seqeval counts them in its strict mode: B- begins one, I- of its type goes on."""
    start, kind = 0, ""
    for word, tag in enumerate([*tags, "O"]):
        mark, _, type = tag.partition("-")
        if kind and (mark != "I" or type != kind):
            yield Span(kind, start, word)
            kind = ""
        if mark == "B":
            start, kind = word, type


@dataclass(frozen=True, eq=False)
class TagCounts(Counts[Tags]):
    """Counts of spans by type, or of tags, shape [samples, types]."""

    @property
    def names(self) -> Sequence[str]:
        return self.answers.types

    @cached_property
    def gold(self) -> Numbers:
        return self.sums(self.answers.counts[0])

    @cached_property
    def predicted(self) -> Numbers:
        return self.sums(self.answers.counts[1])

    @cached_property
    def hits(self) -> Numbers:
        return self.sums(self.answers.counts[2])
