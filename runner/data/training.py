"""The stages after `split`, which change only what is learned from: `balance` and `augment`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runner.parts.augment._augmentation import Augmentation
from runner.spec.tables import Data

VERSION = 2
Places = Mapping[str, Path]


class Training(NamedTuple):
    """A stage: what decides its rows beside those that go in, and what writes train anew into an entry."""

    stage: str
    why: Mapping[str, Any]
    write: Callable[[Places, Path], None]


def trainings(data: Data, inputs: Sequence[str], targets: Sequence[str]) -> Iterator[Training]:
    """The stages that a spec asks for, in their order."""
    if data.sample is not None or data.balance not in (None, "class_weights"):
        by = [data.balance_by] if data.balance_by else targets
        why = {**data.model_dump(mode="json", include={"sample", "balance"}), "by": sorted(by), "version": VERSION}
        yield Training("balance", why, partial(balanced, data, by))
    writing = [part for part in data.augment if isinstance(part, Augmentation)]  # mixup is a matter of training
    if writing:
        why = {"augment": [part.model_dump(mode="json") for part in writing], "version": VERSION}
        yield Training("augment", why, partial(augmented, writing, inputs, targets))


def balanced(data: Data, by: Sequence[str], places: Places, entry: Path) -> None:
    """Sample and balance train by the classes that the columns `by` make."""
    from runner.data.balance import balance  # loads numpy, which known data do without

    balance(places["train"], data, by, entry)


def augmented(parts: Any, inputs: Sequence[str], targets: Sequence[str], places: Places, entry: Path) -> None:
    """Add new rows to train, none of which stands in another split."""
    from runner.data.augment import augment

    augment(
        places["train"], [path for split, path in places.items() if split != "train"], parts, inputs, targets, entry
    )
