"""Two texts of the same class as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from runner.answers.choices import Choices
from runner.parts.augment._augmentation import Augmentation, Parent, Refused
from runner.parts.tasks._task import Task


class CombineSentences(Augmentation):
    """Join a text with another of the same labels, in either order; of a pair both texts with those of one other row.

    ```toml
    type = "combine_sentences"
    ```
    """

    kind: ClassVar[str] = "combine_sentences"
    together: ClassVar[bool] = True

    type: Literal["combine_sentences"]
    """The kind of augmentation."""

    def unfit(self, task: Task) -> str:
        return super().unfit(task) or ("" if task.shape is Choices else "it joins texts of the same single label")

    def variants(self, parents: Iterable[Parent]) -> Iterator[str | Refused]:
        for parent in parents:
            if not parent.peers:
                yield parent.text
                continue
            both = [parent.text, parent.peers[parent.rng.randrange(len(parent.peers))]]
            parent.rng.shuffle(both)
            yield " ".join(both)
