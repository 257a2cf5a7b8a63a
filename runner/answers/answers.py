"""Answers: what a model said about each example of one task and split, as columns; each shape is a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Place(NamedTuple):
    """Whose answers they are: the columns that all shapes of Answers begin with."""

    task: str
    split: str
    labels: tuple[str, ...]
    ids: tuple[str, ...]


class Told(NamedTuple):
    """Answers as the store keeps them, a value an example; probabilities are None where there are none."""

    gold: list[str]
    predicted: list[str]
    confidence: list[float | None]
    gold_probability: list[float | None]


@dataclass(frozen=True, eq=False)
class Answers:
    """One task's answers on one split; row i of every column is the same example. `labels` are the head's outputs."""

    # The word for this shape in the store.
    shape: ClassVar[str] = ""

    task: str
    split: str
    labels: tuple[str, ...]
    ids: tuple[str, ...]

    def __len__(self) -> int:
        raise NotImplementedError

    def take(self, rows: npt.NDArray[np.int64]) -> Self:
        """The answers of these rows, in this order, repeats allowed; ids are left out since resampling needs none."""
        raise NotImplementedError

    def told(self) -> Told:
        """For people who ask the store."""
        raise NotImplementedError

    @classmethod
    def retold(cls, place: Place, told: Told) -> Self:
        """What `told` gave, as answers again; LookupError, TypeError or ValueError where it doesn't say enough.

        Of probabilities only those of the chosen and of the right label are known.
        """
        raise NotImplementedError

    def resamples(self, rows: npt.NDArray[np.int64]) -> Any:
        """Samples of these answers: each row of `rows`, shape [samples, examples], lists the examples of one."""
        raise NotImplementedError


Shape: TypeAlias = type[Answers]  # a word for classes place field `type` hides Python's
