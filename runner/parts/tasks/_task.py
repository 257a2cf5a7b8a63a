"""What every task is: columns in, a head, a loss for each labelled unit, Answers out. A kind is one file here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from runner.answers.answers import Answers, Shape
from runner.answers.answers import Place as Place
from runner.answers.choices import Choices
from runner.kinds import Family, Part
from runner.parts.tasks._form import Form

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading

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

    # The shape of its answers; metrics that read this shape fit.
    shape: ClassVar[Shape] = Choices
    # What the head looks at: one vector a text, or one a token, or tokens that a language model or a decoder writes.
    level: ClassVar[Literal["text", "token", "language", "reply"]] = "text"
    # The kind of language model that writes with the head of its own that the base has.
    speaks: ClassVar[Literal["", "causal", "masked", "seq2seq"]] = ""
    # Whether it needs to know what the model said before training.
    refers: ClassVar[bool] = False
    # Whether a row gives one loss, though the head looks at tokens.
    by_row: ClassVar[bool] = False
    # Whether a target may be a list or a table; the task gets it as JSON.
    nested: ClassVar[bool] = False
    # Whether values of the target are looked at one by one, by `units`; else each value is a label.
    surveyed: ClassVar[bool] = False
    # Units that are none of what the head looks for: a split needs others to be judged by.
    nothing: ClassVar[frozenset[str]] = frozenset()
    # Goes up whenever equal values come to count as something else.
    version: ClassVar[int] = 1

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
    def tunes(self) -> bool:
        """Whether `tuned` chooses something that changes the answers; baselines are then tuned alike."""
        return False

    @property
    def form(self) -> Form:
        """How a row becomes sequences of tokens."""
        return Form(self.inputs)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The input columns, one or two."""
        return (self.input,) if isinstance(self.input, str) else tuple(self.input)

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        """What one value of the target counts as, such as its labels; ValueError says why it is no target."""
        return (value,)

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        """The names of the head's outputs in their order, from how often train has each unit of the target."""
        raise NotImplementedError

    def heading(self, outputs: Sequence[str]) -> str:
        """What the head answers with, in a few words."""
        return f"{len(outputs)} labels"

    def shown(self, outputs: Sequence[str]) -> tuple[str, ...]:
        """The outputs as people shall read them."""
        return tuple(outputs)

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        """What is wrong; `counts[split][unit]` are how often the targets have it."""
        raise NotImplementedError

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """The target column as numbers that `loss` understands: a row or a number an example, or a number a token.

        A token that is not judged gets -100. Where a value is None, as in texts to be answered, any number will do.
        """
        raise NotImplementedError

    def written(self, values: Sequence[str], reading: Reading) -> Sequence[str]:
        """The target column as `gathered` needs it, out of the column and of what was read of the same rows."""
        return values

    def weights(self, counts: Mapping[str, int]) -> list[float] | None:
        """Weight of each output in the loss, in the order of `counts` (units of train); None weighs all alike."""
        return None

    def width(self, outputs: Sequence[str]) -> int:
        """Numbers that the head gives for each vector."""
        return len(outputs)

    def layer(self, hidden: int, outputs: Sequence[str]) -> torch.nn.Module:
        """The head: vectors of width `hidden`, one a text or one a token, to logits."""
        import torch

        return torch.nn.Linear(hidden, self.width(outputs))

    def parameters(self, hidden: int, outputs: Sequence[str]) -> int:
        """How many numbers that layer learns."""
        return (hidden + 1) * self.width(outputs)

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Loss of each labelled unit (an example, or a token that is judged), shape [units], in nats or squares.

        The caller sums and divides by the count of the step.
        """
        raise NotImplementedError

    def answer(self, output: Output) -> Any:
        """What the head says of each sequence of a batch: an array or list."""
        raise NotImplementedError

    def merged(self, said: Sequence[Any]) -> Any:
        """What the sequences of one row say together."""
        raise NotImplementedError

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Answers:
        """Answers out of the target column and of what `answer` gave, both in the order of `place.ids`."""
        raise NotImplementedError

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> Any:
        """What the head says of a text or pair, as JSON values for whoever asks a saved model."""
        raise NotImplementedError

    def tuned(self, answers: Answers) -> dict[str, Any]:
        """What is chosen by the answers on validation once training is done, as values of the fields that say it.

        The saved model has them instead of those of the spec.
        """
        return {}

    def settled(self, answers: Answers, tuned: Mapping[str, Any]) -> Answers:
        """The answers after what was tuned."""
        return answers
