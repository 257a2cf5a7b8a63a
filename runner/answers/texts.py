"""Texts: a text for each example, right if it is one of those that the data have."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from runner.answers.answers import Answers, Place, Told
from runner.answers.resamples import Resamples

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Texts(Answers):
    """`gold` has the texts that are right for each example, none where there is no answer; "" predicts that."""

    shape: ClassVar[str] = "texts"

    gold: tuple[tuple[str, ...], ...]
    predicted: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: npt.NDArray[np.int64]) -> Texts:
        index = rows.tolist()
        return replace(
            self,
            ids=(),
            gold=tuple(self.gold[row] for row in index),
            predicted=tuple(self.predicted[row] for row in index),
        )

    def told(self) -> Told:
        nothing: list[float | None] = [None] * len(self)
        gold = [each[0] if len(each) == 1 else json.dumps(each, ensure_ascii=False) for each in self.gold]
        return Told(gold, list(self.predicted), nothing, nothing)

    @classmethod
    def retold(cls, place: Place, told: Told) -> Texts:
        return cls(*place, tuple(map(listed, told.gold)), tuple(str(text) for text in told.predicted))

    def resamples(self, rows: npt.NDArray[np.int64]) -> Resamples[Texts]:
        return Resamples(self, rows)


def listed(text: str) -> tuple[str, ...]:
    """The right texts of an example: a JSON list of none or of several, else the text itself."""
    try:
        found = json.loads(text) if text.startswith("[") else text
    except ValueError:
        return (text,)
    several = isinstance(found, list) and len(found) != 1 and all(isinstance(each, str) for each in found)
    return tuple(found) if several else (text,)
