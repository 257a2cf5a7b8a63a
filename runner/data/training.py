"""The stages after `split`, which change only what is learned from: `balance` and `augment`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from runner.cache.cache import Cache, fingerprint
from runner.data.named import identity
from runner.parts.augment._augmentation import Augmentation
from runner.parts.augment._augmentation import Places as Named
from runner.spec.tables import Data

VERSION = 4
Places = Mapping[str, Path]


class Training(NamedTuple):
    """A stage: what decides its rows beside those that go in, and what writes train anew into an entry.

    `most` counts rows and labels at most, where models write rows, which takes too long for the check of a spec.
    """

    stage: str
    why: Mapping[str, Any]
    write: Callable[[Places, Path], None]
    most: Callable[[Places], dict[str, Any]] | None = None

    def key(self, keys: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Key and inputs of the stage, by what the splits hold: new rows must not stand in the others either."""
        others = {"others": {split: keys[split] for split in keys if split != "train"}}
        why = {"rows": keys["train"], **(others if self.stage == "augment" else {}), **self.why}
        return fingerprint({"stage": self.stage, **why}), why


def trainings(
    data: Data, inputs: Sequence[str], targets: Sequence[str], named: Sequence[Named], cache: Cache
) -> Iterator[Training]:
    """The stages that a spec asks for, in their order; `named` are the places of what each augmentation names."""
    if data.sample is not None or data.balance not in (None, "class_weights"):
        by = [data.balance_by] if data.balance_by else targets
        why = {**data.model_dump(mode="json", include={"sample", "balance"}), "by": sorted(by), "version": VERSION}
        yield Training("balance", why, partial(balanced, data, by))
    writing = [pair for pair in zip(data.augment, named, strict=True) if isinstance(pair[0], Augmentation)]
    if writing:  # mixup makes no rows: training does it
        parts: list[Any] = [part for part, _ in writing]
        identities = [identity(part, places, cache) for part, (_, places) in zip(parts, writing, strict=True)]
        asked = [(at, parts[at], writing[at][1], identities[at]) for at in range(len(parts))]
        most = partial(at_most, asked, targets) if any(part.models for part in parts) else None
        why = {"augment": identities, "version": VERSION}
        yield Training("augment", why, partial(augmented, asked, inputs, targets, cache), most)


def balanced(data: Data, by: Sequence[str], places: Places, entry: Path) -> None:
    """Sample and balance train by the classes that the columns `by` make."""
    from runner.data.balance import balance  # loads numpy, which known data do without

    balance(places["train"], data, by, entry)


def augmented(
    asked: Any, inputs: Sequence[str], targets: Sequence[str], cache: Cache, places: Places, entry: Path
) -> None:
    """Add new rows to train, none of which stands in another split."""
    from runner.data.augment import Asked, augment

    others = [path for split, path in places.items() if split != "train"]
    augment(places["train"], others, list(map(Asked._make, asked)), inputs, targets, entry, cache)


def at_most(asked: Any, targets: Sequence[str], places: Places) -> dict[str, Any]:
    """Rows and labels of train, if every variant is taken."""
    from runner.data.augment import Asked, most

    return most(places["train"], list(map(Asked._make, asked)), targets)
