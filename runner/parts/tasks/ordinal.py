"""Ordinal: one of several labels that have an order, such as stars or grades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.answers.choices import Choices, codes
from runner.kinds import Family
from runner.parts.tasks._labelled import Labelled
from runner.parts.tasks._task import Counts, Fault, Place

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output


class Ordinal(Labelled):
    """Choose one of several labels in their order, by CORN (Shi, Cao and Raschka 2021, arXiv:2111.08851).

    Output k says how likely the label is above the k-th, given that it is above those before.

    ```toml
    type = "ordinal"
    data = ["reviews"]
    target = "stars"
    labels = ["1", "2", "3", "4", "5"]
    ```
    """

    kind: ClassVar[str] = "ordinal"

    type: Literal["ordinal"]
    """The kind of task."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["quadratic_kappa", "accuracy"]
    )
    """Scores to compute; the first one enters `combined`. Default quadratic_kappa and accuracy."""

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        """The labels from low to high; those that are not listed must be numbers."""
        return tuple(self.labels) if self.labels else tuple(sorted(train, key=lambda label: (rank(label), label)))

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        words = [label for label in outputs if rank(label) == float("inf")]
        if words and not self.labels:
            message = f"`{words[0]}` of `{name}` is no number: nobody knows the order of the labels"
            yield Fault(("target",), message, "list `labels` from low to high")
        yield from super().faults(name, outputs, counts)

    def width(self, outputs: Sequence[str]) -> int:
        return max(len(outputs) - 1, 1)

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Surprise at the steps up to the label and at its going no further, shape [examples], in nats."""
        import torch
        import torch.nn.functional as F

        logits, target = output.logits, output.target[:, None]
        steps = torch.arange(logits.shape[-1], device=logits.device)
        above = (target > steps).float()
        asked = target >= steps
        each = F.binary_cross_entropy_with_logits(logits.float(), above, reduction="none")
        return (each * asked).sum(-1)

    def answer(self, output: Output) -> np.ndarray:
        """Probabilities, a float64 array of shape [examples, labels]."""
        import torch

        above = output.logits.double().sigmoid().cumprod(-1)
        edges = torch.ones_like(above[:, :1])
        found: np.ndarray = (torch.cat([edges, above], -1) - torch.cat([above, 0 * edges], -1)).cpu().numpy()
        return found

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Choices:
        """The highest label that is more likely reached than not: the median."""
        import numpy as np

        gold = codes(self.shown(values), place.labels)
        probabilities = np.array(said, np.float64).reshape(len(values), len(place.labels))
        reached = probabilities[:, ::-1].cumsum(1)[:, ::-1]
        return Choices(*place, gold, (reached[:, 1:] > 0.5).sum(1), probabilities)


def rank(label: str) -> float:
    """The number that a label is; infinity if it is none."""
    try:
        return float(label)
    except ValueError:
        return float("inf")
