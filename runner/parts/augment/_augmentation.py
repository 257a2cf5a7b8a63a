"""What every augmentation is: training rows in, new rows with the same labels out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from runner.kinds import Part
from runner.parts.tasks._task import Fault, Task, Text


class Parent(NamedTuple):
    """One text of a training row that gets a variant.

    `rng` is seeded by (seed, kind, place in `augment`, id, copy, column), so that nothing depends on the order of the
    rows or on who else is augmented. `peers` are the texts of the other rows with the same labels, ordered by id.
    """

    id: str
    text: str
    rng: random.Random
    peers: Sequence[str]


class Refused(NamedTuple):
    """No variant, for this reason: a few words that many rows share, such as "the same as its parent"."""

    reason: str


Places = Mapping[str, Path]
Variants = Callable[[Iterable[Parent]], Iterator[str | Refused]]


class Augmentation(Part):
    """The fields that all augmentations share, and what a kind must do: `apply`, `variants`, or `ready` if it reads."""

    # Fields that name models, each with what fits: "masked", "causal", "seq2seq", "encoder". The new texts of a kind
    # that has some are written when a run or `runner data` needs them, not by the check of a spec.
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # Whether all columns of a row are varied by the same choices, as joining two rows must be.
    together: ClassVar[bool] = False
    # Fields in which a text names a file of the author's.
    files: ClassVar[tuple[str, ...]] = ()
    # Goes up whenever equal fields come to make other texts: what was made before is then made anew.
    version: ClassVar[int] = 1

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

    def unfit(self, task: Task) -> str:
        """Why the targets of a task would not stay true for the new texts; empty where they do."""
        return "its targets name places in the text, and words move" if task.level == "token" else ""

    def faults(self, places: Places) -> Iterator[Fault]:
        """What is wrong with what the fields name; `places` are the files and models by field, all found."""
        return iter(())

    def meaning(self) -> dict[str, Any]:
        """Fields whose value means something else on another machine, with what they mean on this one."""
        return {}

    def reads(self) -> Sequence[Path]:
        """Files beside `places` that the variants stand on."""
        return ()

    def ready(self, places: Places) -> Variants:
        """The function that makes the variants, got once: what is slow to set up is done here."""
        return self.variants

    def apply(self, text: str, rng: random.Random) -> str:
        """A variant of the text, never empty; the text itself where none can be made."""
        raise NotImplementedError

    def variants(self, parents: Iterable[Parent]) -> Iterator[str | Refused]:
        """A variant of each parent's text, in their order; the text itself where none can be made."""
        for parent in parents:
            yield self.apply(parent.text, parent.rng)
