"""The stages after `split`, which change only what is learned from: `balance` and `augment`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.cache.cache import Cache, fingerprint
from runner.data.named import Asked, identity
from runner.spec.tables import Data

if TYPE_CHECKING:
    from runner.parts.augment._augmentation import Places as Named

VERSION = 4
Places = Mapping[str, Path]


class Training(NamedTuple):
    """A stage: what decides its rows beside those that go in, and what writes train anew into an entry.

    `apart` says that no row of its may stand in another split, so that those decide too. `most` counts rows and labels
    at most, where models write rows, which takes too long for the check of a spec.
    """

    stage: str
    why: Mapping[str, Any]
    write: Callable[[Places, Path], None]
    apart: bool = False
    most: Callable[[Places], dict[str, Any]] | None = None

    def key(self, keys: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Key and inputs of the stage, by what the splits hold."""
        others = {"others": {split: keys[split] for split in keys if split != "train"}} if self.apart else {}
        why = {"rows": keys["train"], **others, **self.why}
        return fingerprint({"stage": self.stage, **why}), why


def trainings(
    data: Data,
    inputs: Sequence[str],
    targets: Sequence[str],
    classes: Sequence[str],
    named: Sequence[Named],
    cache: Cache,
) -> Iterator[Training]:
    """The stages that a spec asks for, in their order.

    `classes` are the targets whose values are classes; `named` are the places of what each augmentation names.
    """
    if data.sample is not None or data.balance not in (None, "class_weights"):
        by = [data.balance_by] if data.balance_by else classes
        why = {**data.model_dump(mode="json", include={"sample", "balance"}), "by": sorted(by), "version": VERSION}
        yield Training("balance", why, partial(balanced, data, by))
    writing = zip(data.augmentations.values(), named, strict=True)
    asked = [Asked(at, part, places, identity(part, places, cache)) for at, (part, places) in enumerate(writing)]
    if asked:
        most = partial(at_most, asked, targets) if any(each.part.models for each in asked) else None
        why = {"augment": [each.identity for each in asked], "version": VERSION}
        yield Training("augment", why, partial(augmented, asked, inputs, targets, cache), True, most)


def balanced(data: Data, by: Sequence[str], places: Places, entry: Path) -> None:
    """Sample and balance train by the classes that the columns `by` make."""
    from runner.data.balance import balance  # loads numpy, which known data do without

    balance(places["train"], data, by, entry)


def augmented(
    asked: Sequence[Asked], inputs: Sequence[str], targets: Sequence[str], cache: Cache, places: Places, entry: Path
) -> None:
    """Add new rows to train, none of which stands in another split."""
    from runner.data.augment import augment

    others = [path for split, path in places.items() if split != "train"]
    augment(places["train"], others, asked, inputs, targets, entry, cache)


def at_most(asked: Sequence[Asked], targets: Sequence[str], places: Places) -> dict[str, Any]:
    """Rows and labels of train, if every variant is taken."""
    from runner.data.augment import most

    return most(places["train"], asked, targets)
