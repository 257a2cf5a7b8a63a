"""Language: what tasks share whose head is the language model that the base brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.answers.answers import Shape
from runner.answers.likelihoods import Likelihoods
from runner.kinds import Family
from runner.parts.tasks._generate import Generate
from runner.parts.tasks._task import Counts, Fault, Place, Task

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading

NOT_JUDGED = -100


class Language(Task):
    """Tokens of a text, each guessed by a model of the whole vocabulary."""

    shape: ClassVar[Shape] = Likelihoods
    level: ClassVar[Literal["text", "token", "language", "reply"]] = "language"
    surveyed: ClassVar[bool] = True

    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["perplexity", "bits_per_byte"]
    )
    """Scores to compute; the first one enters `combined`. Default perplexity and bits_per_byte."""

    @property
    def written_by(self) -> Generate | None:
        """How texts are generated once training is done."""
        return getattr(self, "generate", None)

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        return ("text",)

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        return ("text",)

    def width(self, outputs: Sequence[str]) -> int:
        return 0

    def heading(self, outputs: Sequence[str]) -> str:
        return "texts"

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        if not counts.get("train"):
            yield Fault(("input",), f"`{name}` has no text in train: nothing to learn", "check `input`")

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """Of each token the id of the next one, where that counts; int64 of shape [tokens]."""
        import numpy as np

        assert reading.tokens is not None and reading.judged is not None
        found = np.full(len(reading.tokens), NOT_JUDGED, np.int64)
        told = np.flatnonzero(reading.judged)
        told = told[~np.isin(told, reading.offsets[:-1])]  # nothing stands before the first token of a sequence
        found[told - 1] = reading.tokens[told]
        return found

    def written(self, values: Sequence[str], reading: Reading) -> Sequence[str]:
        """Bytes of what is judged of each row."""
        import numpy as np

        assert reading.bytes is not None
        rows = np.arange(len(reading.bytes)) if reading.rows is None else reading.rows
        return list(map(str, np.bincount(rows, reading.bytes, len(values)).astype(int).tolist()))

    def layer(self, hidden: int, outputs: Sequence[str]) -> torch.nn.Module:
        """Nothing: the base brings its own head."""
        import torch

        return torch.nn.Identity()

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Surprise at each token that counts, shape [tokens that count], in nats."""
        smoothing = getattr(self, "label_smoothing", 0.0)
        return (1 - smoothing) * output.logits[:, 0] + smoothing * output.logits[:, 1]

    def answer(self, output: Output) -> list[Any]:
        """Of each sequence the nats of its tokens that count, and their number."""
        nats, tokens = sums(output)
        return list(zip(nats[:, 0].tolist(), tokens.tolist(), strict=True))

    def merged(self, said: Sequence[Any]) -> Any:
        return tuple(map(sum, zip(*said, strict=True)))

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Likelihoods:
        import numpy as np

        nats, tokens = (np.array([each[column] for each in said]) for column in (0, 1))
        return Likelihoods(
            *place, nats.astype(float), tokens.astype(np.int64), np.array(list(map(int, values)), np.int64)
        )

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
        """How surprising the text is."""
        return {"nats": said[0], "tokens": said[1]}


def sums(output: Output) -> tuple[np.ndarray, np.ndarray]:
    """By sequence the sums over its tokens that count of each column of the logits, and the number of these tokens."""
    import numpy as np

    assert output.lengths is not None
    lengths = output.lengths.cpu().numpy()
    owner = np.repeat(np.arange(len(lengths)), lengths)[output.target.cpu().numpy() >= 0]
    told = output.logits.detach().double().cpu().numpy()
    found = np.stack([np.bincount(owner, column, len(lengths)) for column in told.T], 1)
    return found, np.bincount(owner, minlength=len(lengths))
