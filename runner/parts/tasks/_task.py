"""What every task is: columns in, a head, a loss for each example, Answers out. A kind is one file beside this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from runner.kinds import Family, Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

Text = Annotated[str, Field(min_length=1)]
Counts = Mapping[str, Mapping[str, int]]


class Fault(NamedTuple):
    """What is wrong between a task and its data; `where` is a path below `[tasks.NAME]`."""

    where: tuple[str, ...]
    message: str
    hint: str = ""
    severity: str = "error"


class Task(Part):
    """The fields that all tasks share, and what a kind must do."""

    type: str
    """The kind of task."""
    data: Annotated[list[Text], Field(min_length=1)]
    """Names of the data sets that this head learns from."""
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=2)] = "text"
    """Column of the text, or two columns for a pair of texts. Default text."""
    target: Text = "label"
    """Column of the label. Default label."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["macro_f1", "accuracy"]
    )
    """Scores to compute; the first one enters `combined`. Default macro_f1 and accuracy."""
    loss_weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Factor of this task's loss in the sum over tasks. Default 1."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The input columns, one or two."""
        return (self.input,) if isinstance(self.input, str) else tuple(self.input)

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        """The names of the head's outputs in their order, from how often train has each value of the target."""
        raise NotImplementedError

    def shown(self, outputs: Sequence[str]) -> tuple[str, ...]:
        """The outputs as people shall read them."""
        return tuple(outputs)

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        """What is wrong; `counts[split][value]` are rows by value of the target."""
        raise NotImplementedError

    def targets(self, values: Sequence[str], outputs: Sequence[str]) -> npt.NDArray[np.int64]:
        """The target column as numbers that `loss` understands."""
        raise NotImplementedError

    def weights(self, counts: Mapping[str, int]) -> list[float] | None:
        """Weight of each output in the loss, in the order of `counts` (rows of train); None weighs all alike."""
        raise NotImplementedError

    def layer(self, hidden: int, outputs: Sequence[str]) -> torch.nn.Module:
        """The head: pooled vectors of width `hidden` to logits."""
        raise NotImplementedError

    def loss(self, logits: torch.Tensor, target: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Loss of each example, shape [examples], in nats; the caller sums and divides by the count of the step."""
        raise NotImplementedError

    def answer(self, logits: torch.Tensor) -> Any:
        """Probabilities, a float64 array of shape [examples, outputs]."""
        raise NotImplementedError
