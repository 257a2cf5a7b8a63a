"""Sequence to sequence: a text out of a text, by an encoder-decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.parts.tasks._form import Form
from runner.parts.tasks._generate import Generate
from runner.parts.tasks._language import Language
from runner.parts.tasks._output import Output
from runner.parts.tasks._task import Text


class Seq2Seq(Language):
    """Write the target of a source, by cross-entropy of its tokens.

    ```toml
    type = "seq2seq"
    data = ["papers"]
    input = "source"
    target = "target"
    ```
    """

    kind: ClassVar[str] = "seq2seq"
    level: ClassVar[Literal["text", "token", "language", "reply"]] = "reply"
    speaks: ClassVar[Literal["", "causal", "masked", "seq2seq"]] = "seq2seq"

    type: Literal["seq2seq"]
    """The kind of task."""
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=8)] = "source"
    """Column of the source, or columns of which `prompt` makes it. Default source."""
    target: Text = "target"
    """Column of what is to be written. Default target."""
    prompt: str = ""
    """The source, with input columns in braces, such as "summarise: {source}"; default one below the other."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability mass spread evenly over the vocabulary. Default 0."""
    generate: Generate | None = None
    """Texts to write and score once training is done; left out = none."""

    @property
    def form(self) -> Form:
        return Form((*self.inputs, self.target), "source", prompt=self.prompt)

    def heading(self, outputs: Sequence[str]) -> str:
        return "a text out of a text"

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Any) -> Any:
        """Of each token that the decoder writes its id, int64 of shape [tokens]."""
        import numpy as np

        return np.where(reading.judged > 0, reading.tokens, -100).astype(np.int64)

    def written(self, values: Sequence[str], reading: Any) -> Sequence[str]:
        """Bytes of the target of each row."""
        return list(map(str, reading.bytes[1::2].tolist()))

    def answer(self, output: Output) -> list[Any]:
        """Of each example the nats of its target, and its tokens."""
        return super().answer(output)[1::2]
