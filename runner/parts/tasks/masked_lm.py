"""Masked language model: words of a text that were hidden from an encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from runner.answers.likelihoods import Likelihoods
from runner.parts.tasks._form import Form
from runner.parts.tasks._language import NOT_JUDGED, Language
from runner.parts.tasks._task import Place, Text

if TYPE_CHECKING:
    import numpy as np

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading

MASKED, RANDOM = 0.8, 0.1  # shares of the hidden tokens that become a mask, or any token (Devlin and others 2019)


class MaskedLm(Language):
    """Guess hidden words, other ones in each epoch, by cross-entropy of their tokens (Devlin and others 2019).

    Whole words are hidden: four fifths of their tokens become a mask, a tenth any token, a tenth stay.

    ```toml
    type = "masked_lm"
    data = ["stories"]
    input = "text"
    ```
    """

    kind: ClassVar[str] = "masked_lm"
    speaks: ClassVar[Literal["", "causal", "masked", "seq2seq"]] = "masked"

    type: Literal["masked_lm"]
    """The kind of task."""
    input: Text = "text"
    """Column of the text. Default text."""
    target: Text = ""
    """Column of the text, the same as `input`."""
    probability: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the words that are hidden, at least one. Default 0.15."""

    @model_validator(mode="before")
    @classmethod
    def with_target(cls, given: Any) -> Any:
        if isinstance(given, dict) and "target" not in given:
            return {**given, "target": given.get("input", "text")}
        return given

    @property
    def form(self) -> Form:
        return Form(self.inputs, stride=0)

    def heading(self, outputs: Sequence[str]) -> str:
        return "hidden words"

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """Of each token the number of its word in the sequence, int64 of shape [tokens]; special tokens have none."""
        import numpy as np

        assert reading.starts is not None and reading.ends is not None
        found = np.full(len(reading.starts), NOT_JUDGED, np.int64)
        rows = range(len(reading.offsets) - 1) if reading.rows is None else reading.rows.tolist()
        for sequence, row in enumerate(rows):
            here = slice(int(reading.offsets[sequence]), int(reading.offsets[sequence + 1]))
            found[here] = words(reading.texts[0][row], reading.starts[here], reading.ends[here])
        return found

    def written(self, values: Sequence[str], reading: Reading) -> Sequence[str]:
        """The texts."""
        return values

    def hide(self, mask: int, vocabulary: int) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
        """What hides words of a sequence: from its ids, the words of its tokens and a generator to ids and targets."""
        import numpy as np

        def hidden(ids: np.ndarray, words: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
            whole = int(words.max(initial=NOT_JUDGED)) + 1
            count = min(max(round(self.probability * whole), 1), whole)
            chosen = np.isin(words, rng.choice(whole, count, replace=False)) if whole > 0 else np.zeros(len(ids), bool)
            draw, other = rng.random(len(ids)), rng.integers(vocabulary, size=len(ids))
            shown = np.where(draw < MASKED, mask, np.where(draw < MASKED + RANDOM, other, ids))
            return np.where(chosen, shown, ids), np.where(chosen, ids, NOT_JUDGED).astype(np.int64)

        return hidden

    def answer(self, output: Output) -> list[Any]:
        """Of each sequence nats and number of its hidden tokens, and the characters that these stand for."""
        import numpy as np

        assert output.spans is not None and output.lengths is not None
        target, spans = output.target.cpu().numpy(), output.spans.cpu().numpy()
        ends = np.cumsum(output.lengths.cpu().numpy())[:-1]
        places = [
            part[own >= 0].tolist() for part, own in zip(np.split(spans, ends), np.split(target, ends), strict=True)
        ]
        return [(*each, place) for each, place in zip(super().answer(output), places, strict=True)]

    def merged(self, said: Sequence[Any]) -> Any:
        return (
            *map(sum, zip(*(each[:2] for each in said), strict=True)),
            [place for each in said for place in each[2]],
        )

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Likelihoods:
        sizes = [
            str(sum(len(text[start:end].encode()) for start, end in each[2]))
            for text, each in zip(values, said, strict=True)
        ]
        return super().gathered(place, sizes, said)


def words(text: str, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The number of the word that each token is a part of; a token goes on with a word of letters and digits."""
    import numpy as np

    found, word, before = np.full(len(starts), NOT_JUDGED, np.int64), -1, -1
    for token, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        if end <= start:
            continue
        inside = start == before and start > 0 and (text[start - 1 : start + 1].isalnum())
        word += not inside
        found[token], before = word, end
    return found
