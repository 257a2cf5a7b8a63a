"""Question answering: the part of a text that answers a question."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from runner.answers.answers import Shape
from runner.answers.texts import Texts
from runner.kinds import Family
from runner.parts.tasks._form import Form
from runner.parts.tasks._task import Counts, Fault, Place, Task, Text

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading

OUTSIDE = -100  # a token that can't be part of an answer
INSIDE = -1  # one that can
STARTS = 1 << 20  # more tokens than a sequence has


class Guess(NamedTuple):
    """The likeliest span of a sequence, in characters of the context, its score, and that of there being no answer."""

    score: float
    start: int
    end: int
    nothing: float


class QuestionAnswering(Task):
    """Find the answer to a question in a text, by cross-entropy of its first and its last token (as BERT does).

    The target is a table or a list of tables with `text` and `answer_start`, a character of the context, or with lists
    of both, as SQuAD has them. A context that is too long makes several sequences that overlap.

    ```toml
    type = "question_answering"
    data = ["reading"]
    input = ["question", "context"]
    target = "answers"
    ```
    """

    kind: ClassVar[str] = "question_answering"
    shape: ClassVar[Shape] = Texts
    level: ClassVar[Literal["text", "token", "language", "reply"]] = "token"
    nested: ClassVar[bool] = True
    surveyed: ClassVar[bool] = True

    type: Literal["question_answering"]
    """The kind of task."""
    input: Annotated[list[Text], Field(min_length=2, max_length=2)] = Field(default=["question", "context"])
    """Columns of the question and of the text that has the answer. Default question and context."""
    target: Text = "answers"
    """Column of the answers. Default answers."""
    stride: Annotated[int, Field(ge=0, le=100_000)] = 64
    """Tokens of the context that stand in two neighbouring sequences, where one does not hold it. Default 64."""
    longest: Annotated[int, Field(ge=1, le=1000)] = 30
    """Longest answer that is predicted, in tokens. Default 30."""
    no_answer: bool = False
    """Whether questions may have no answer, which is then predicted where it is likelier. Default false."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["squad_f1", "squad_exact_match"]
    )
    """Scores to compute; the first one enters `combined`. Default squad_f1 and squad_exact_match."""

    @property
    def form(self) -> Form:
        return Form(self.inputs, stride=self.stride)

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        found = self.spans(value, texts[1])
        if not found and not self.no_answer:
            raise ValueError("there is no answer; write `no_answer = true` if that is meant")
        return ("answer",) if found else ("no answer",)

    def spans(self, value: str, context: str) -> list[tuple[int, int]]:
        """Places of the answers in the context; ValueError where one is not there."""
        found = []
        for text, start in answers_of(value):
            if start < 0 or context[start : start + len(text)] != text or not text:
                there = context[max(start, 0) : max(start, 0) + len(text)]
                raise ValueError(f"the answer `{text[:40]}` is not at character {start} of its context: `{there[:40]}`")
            bare = text.strip()  # no token holds the space after a word
            if not bare:
                raise ValueError(f"the answer at character {start} is blank")
            first = start + text.index(bare)
            found.append((first, first + len(bare)))
        return found

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        return ("start", "end")

    def heading(self, outputs: Sequence[str]) -> str:
        return "a part of the text, or nothing" if self.no_answer else "a part of the text"

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        if not counts.get("train", {}).get("answer"):
            yield Fault(("target",), f"`{name}` has no answer in train: nothing to learn", "check `target`")

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """A number a token, int64: of the first of each sequence, place of the answer's first token + 2^20 * last.

        Both are 0 where the sequence has no answer, as in BERT. Tokens of the context have -1, all others -100.
        """
        import numpy as np

        assert reading.starts is not None and reading.ends is not None and reading.pairs is not None
        rows = np.arange(len(reading.pairs)) if reading.rows is None else reading.rows
        found = np.full(len(reading.starts), OUTSIDE, np.int64)
        for sequence, row in enumerate(rows.tolist()):
            here = slice(reading.offsets[sequence], reading.offsets[sequence + 1])
            starts, ends = reading.starts[here], reading.ends[here]
            own = np.flatnonzero((np.arange(len(starts)) >= reading.pairs[sequence]) & (ends > starts))
            found[here.start + own] = INSIDE
            value = values[row]
            spans = [] if value is None else self.spans(value, reading.texts[1][row])
            first, last = tokens_of(spans[0], own, starts, ends) if spans else (0, 0)
            found[here.start] = first + STARTS * last
        return found

    def written(self, values: Sequence[str], reading: Reading) -> Sequence[str]:
        """The right answers and the context, as JSON."""
        pairs = zip(values, reading.texts[1], strict=True)
        return [json.dumps([[text for text, _ in answers_of(v)], context], ensure_ascii=False) for v, context in pairs]

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Half the surprise at first and last token, shape [sequences], in nats."""
        import torch
        import torch.nn.functional as F

        logits, target = output.logits, output.target
        begins = (target >= 0).nonzero()[:, 0]
        lengths = torch.diff(begins, append=begins.new_tensor([len(target)]))
        each = [F.pad(part, (0, 0, 0, int(lengths.max()) - len(part)), value=-1e4) for part in split(logits, lengths)]
        stacked = torch.stack(each).float()
        first, last = target[begins] % STARTS, target[begins] // STARTS
        return (
            F.cross_entropy(stacked[..., 0], first, reduction="none")
            + F.cross_entropy(stacked[..., 1], last, reduction="none")
        ) / 2

    def answer(self, output: Output) -> list[Guess]:
        """The likeliest span of each sequence."""
        assert output.spans is not None and output.lengths is not None
        lengths, columns = output.lengths, (output.logits.double(), output.target, output.spans)
        parts = (split(each.cpu(), lengths) for each in columns)
        return [self.guess(*(each.numpy() for each in part)) for part in zip(*parts, strict=True)]

    def guess(self, logits: np.ndarray, target: np.ndarray, places: np.ndarray) -> Guess:
        """The likeliest span of one sequence that lies in the context and is not too long."""
        import numpy as np

        own = np.flatnonzero(target == INSIDE)
        nothing = float(logits[0].sum())
        if not len(own):
            return Guess(-np.inf, 0, 0, nothing)
        scores = logits[own, 0][:, None] + logits[own, 1]
        scores[~np.triu(np.tri(len(own), k=self.longest - 1, dtype=bool))] = -np.inf
        first, last = np.unravel_index(int(scores.argmax()), scores.shape)
        return Guess(float(scores[first, last]), int(places[own[first], 0]), int(places[own[last], 1]), nothing)

    def merged(self, said: Sequence[Any]) -> Guess:
        """The best span of all sequences; there is no answer only if none has one."""
        best = max(said, key=lambda guess: guess.score)
        return Guess(best.score, best.start, best.end, min(guess.nothing for guess in said))

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Texts:
        gold, predicted = [], []
        for value, guess in zip(values, map(self.chosen, said), strict=True):
            answers, context = json.loads(value)
            gold.append(tuple(dict.fromkeys(answers)))
            predicted.append(context[guess.start : guess.end])
        return Texts(*place, tuple(gold), tuple(predicted))

    def chosen(self, guess: Guess) -> Guess:
        """The guess, without a span where there may be none and that is likelier."""
        return guess._replace(start=0, end=0) if self.no_answer and guess.nothing > guess.score else guess

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
        """The answer, its place in the context, and by how much it is likelier than none, in log odds."""
        guess = self.chosen(said)
        text = texts[1][guess.start : guess.end]
        found = guess.score - guess.nothing
        score = found if found > float("-inf") else None  # no token of the context was read
        return {"text": text, "start": guess.start, "end": guess.end, "score": score}


def answers_of(value: str) -> list[tuple[str, int]]:
    """Text and first character of each answer; ValueError where the value has another form."""
    try:
        found = json.loads(value)
        if isinstance(found, dict) and isinstance(found["text"], list):
            return list(zip(map(str, found["text"]), map(int, found["answer_start"]), strict=True))
        tables = [found] if isinstance(found, dict) else found
        return [(str(table["text"]), int(table["answer_start"])) for table in tables]
    except (KeyError, TypeError, ValueError):
        raise ValueError("an answer needs `text` and `answer_start`") from None


def tokens_of(span: tuple[int, int], own: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[int, int]:
    """First and last token of an answer, or 0 and 0 where the sequence does not hold all of it."""
    inside = own[(starts[own] < span[1]) & (ends[own] > span[0])]
    if not len(inside) or starts[inside[0]] > span[0] or ends[inside[-1]] < span[1]:
        return 0, 0
    return int(inside[0]), int(inside[-1])


def split(values: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The values of each sequence."""
    found: tuple[torch.Tensor, ...] = values.split(lengths.tolist())  # type: ignore[no-untyped-call]
    return found
