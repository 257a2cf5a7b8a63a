"""Preference: of two answers to a prompt the better one, learned by a language model without a model of rewards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.answers.answers import Shape
from runner.answers.preferences import Preferences
from runner.kinds import Family
from runner.parts.tasks._form import Form
from runner.parts.tasks._generate import Generate
from runner.parts.tasks._language import Language, sums
from runner.parts.tasks._task import Place, Text

if TYPE_CHECKING:
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading


class Preference(Language):
    """Raise the better of two answers over the worse one, by DPO (Rafailov and others 2023, arXiv:2305.18290).

    The reward of an answer is `beta` times how much likelier the model makes it than it was before training.

    ```toml
    type = "preference"
    data = ["answers"]
    input = "prompt"
    ```
    """

    kind: ClassVar[str] = "preference"
    shape: ClassVar[Shape] = Preferences
    speaks: ClassVar[Literal["", "causal", "masked", "seq2seq"]] = "causal"
    refers: ClassVar[bool] = True
    by_row: ClassVar[bool] = True

    type: Literal["preference"]
    """The kind of task."""
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=8)] = "prompt"
    """Column of the prompt, or columns of which `prompt` makes it. Default prompt."""
    target: Text = "chosen"
    """Column of the better answer. Default chosen."""
    rejected: Text = "rejected"
    """Column of the worse answer. Default rejected."""
    prompt: str = ""
    """The prompt, with input columns in braces; default one below the other."""
    chat: bool = False
    """Whether the prompt is laid out as the user's turn of a chat. Default false."""
    chat_template: str = ""
    """How chats are laid out (Jinja); default: the model's own."""
    beta: Annotated[float, Field(gt=0, le=100)] = 0.1
    """How strongly the model is held to what it was before training; small lets it go far. Default 0.1."""
    generate: Generate | None = None
    """Texts to write and score once training is done; left out = none."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["preference_accuracy", "reward_margin"]
    )
    """Scores to compute; the first one enters `combined`. Default preference_accuracy and reward_margin."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of the prompt, and of the worse answer."""
        return (*super().inputs, self.rejected)

    @property
    def form(self) -> Form:
        columns = (*self.inputs[:-1], self.target, self.rejected)
        return Form(columns, "versus", None, self.chat_template, self.prompt, self.chat)

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        if value == texts[-1]:
            raise ValueError("both answers are the same: neither is better")
        return ("pair",)

    def heading(self, outputs: Sequence[str]) -> str:
        return "the better of two answers"

    def written(self, values: Sequence[str], reading: Reading) -> Sequence[str]:
        """Nothing: the better answer is the first one."""
        return [""] * len(values)

    def margins(self, output: Output) -> torch.Tensor:
        """Reward of the better answer above that of the worse one, shape [pairs], in nats."""
        import torch

        assert output.lengths is not None
        sequences = torch.arange(len(output.lengths), device=output.target.device)
        owner = torch.repeat_interleave(sequences, output.lengths)[output.target >= 0]
        gained = output.logits[:, 3] - output.logits[:, 0]  # nats before training, less those now
        rewards = self.beta * gained.new_zeros(len(sequences)).index_add(0, owner, gained)
        return rewards[0::2] - rewards[1::2]

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Surprise that the better answer wins, shape [pairs], in nats."""
        import torch.nn.functional as F

        return -F.logsigmoid(self.margins(output))

    def answer(self, output: Output) -> list[Any]:
        """The margin of each pair."""
        nats, _ = sums(output)
        rewards = self.beta * (nats[:, 3] - nats[:, 0])
        return list((rewards[0::2] - rewards[1::2]).tolist())

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Preferences:  # type: ignore[override]
        import numpy as np

        return Preferences(*place, np.array(said, np.float64))

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
        """The margin."""
        return {"margin": float(said)}
