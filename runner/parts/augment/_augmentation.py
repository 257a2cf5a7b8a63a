"""What every augmentation is: training rows in, new rows with the same labels out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from runner.kinds import Part
from runner.parts.tasks._task import Text


class Parent(NamedTuple):
    """One text of a training row that gets a variant.

    `rng` is seeded by (seed, kind, place in `augment`, id, copy, column), so that nothing depends on the order of the
    rows or on who else is augmented. `peers` are the texts of the other rows with the same labels, ordered by id.
    """

    id: str
    text: str
    rng: random.Random
    peers: Sequence[str]


class Augmentation(Part):
    """The fields that all augmentations share, and what a kind must do: `apply`, or `variants` if it needs more."""

    # Task types whose targets stay true for the new texts; a spec that asks for others is refused.
    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    type: str
    """The kind of augmentation."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the training rows that become parents, by the hash of their id. Default 1."""
    copies: Annotated[int, Field(ge=1, le=1000)] = 1
    """New rows made of each parent, fewer where a variant repeats a text that is there. Default 1."""
    columns: Annotated[list[Text], Field(min_length=1)] | None = None
    """Input columns that change; default: all that the tasks read."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 13
    """Seed of the choices; all runs of the spec share the rows made. Default 13."""

    def apply(self, text: str, rng: random.Random) -> str:
        """A variant of the text, never empty; the text itself where none can be made."""
        raise NotImplementedError

    def variants(self, parents: Iterable[Parent]) -> Iterator[str]:
        """A variant of each parent's text, in their order; the text itself where none can be made."""
        for parent in parents:
            yield self.apply(parent.text, parent.rng)
