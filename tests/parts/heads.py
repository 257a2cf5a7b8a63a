"""A toy set for each kind of task: fields, texts and values of the target; a new kind needs an entry here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from runner import kinds
from runner.parts.tasks._reading import Reading
from runner.parts.tasks._task import Place, Task
from runner.parts.tasks.question_answering import Guess

WORDS = ["red", "green", "blue", "tall", "small"]
EDGE = len(WORDS)
FIELDS = {"preference": {"beta": 1.0}}  # that toys need


class Toy(NamedTuple):
    """A task, its rows as the data have them, and its outputs."""

    task: Task
    texts: list[str]
    values: list[str]

    @property
    def columns(self) -> list[list[str]]:
        """The input columns: of pairs the first is always the same, or what is said of the texts."""
        if self.task.kind == "similarity":
            return [self.texts, [text if place % 2 else "which" for place, text in enumerate(self.texts)]]
        if self.task.kind == "preference":
            return [self.texts, [" ".join(reversed(text.split(" "))) for text in self.texts]]
        return [["which"] * len(self.texts), self.texts] if len(self.task.inputs) > 1 else [self.texts]

    @property
    def sequences(self) -> list[str]:
        """The texts that become sequences of tokens, in the order of the stream."""
        if self.task.form.parts == 1:
            return self.texts
        first, second = (self.texts, self.texts) if self.task.kind == "seq2seq" else self.columns
        return [text for pair in zip(first, second, strict=True) for text in pair]

    @property
    def counts(self) -> dict[str, int]:
        """How often each unit of the target occurs."""
        found: dict[str, int] = {}
        for value, *texts in zip(self.values, *self.columns, strict=True):
            for unit in self.task.units(value, texts):
                found[unit] = found.get(unit, 0) + 1
        return found

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.task.outputs(self.counts)

    @property
    def reading(self) -> Reading:
        """One token a word between two special ones; the first text of a pair is but one token more in front."""
        before = [(0, 0), (0, 5)][: 1 if self.task.form.parts > 1 else len(self.task.inputs)]
        places = [[*before, *spans(text), (0, 0)] for text in self.sequences]
        flat = np.array([place for row in places for place in row])
        pairs = np.full(len(places), len(before))
        spoken = self.spoken(len(before)) if self.task.speaks else ()
        return Reading(self.columns, np.cumsum([0, *map(len, places)]), flat[:, 0], flat[:, 1], None, pairs, *spoken)

    def spoken(self, before: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens, which of them count, and bytes by sequence: words count but for the first, sources don't."""
        tokens, judged = [], []
        for place, text in enumerate(self.sequences):
            words = [WORDS.index(word) for word in text.split(" ")]
            counts = self.task.speaks != "seq2seq" or place % 2
            first = self.task.speaks == "causal"
            tokens += [*[EDGE] * before, *words, EDGE]
            judged += [*[0] * before, *[int(counts and not (first and at == 0)) for at in range(len(words))], 0]
        return np.array(tokens), np.array(judged), np.array([len(text) for text in self.sequences])

    @property
    def targets(self) -> np.ndarray:
        found = self.task.targets(self.values, self.outputs, self.reading)
        if self.task.speaks != "masked":
            return found
        hide, rng, bounds = self.task.hide(EDGE, EDGE), np.random.default_rng(0), self.reading.offsets
        cuts = [slice(*ends) for ends in pairwise(bounds)]
        return np.concatenate([hide(self.reading.tokens[cut], found[cut], rng)[1] for cut in cuts])

    @property
    def place(self) -> Place:
        return Place("toy", "test", self.outputs, tuple(map(str, range(len(self.values)))))

    def gathered(self, said: Sequence[Any]) -> Any:
        """Answers to the rows."""
        return self.task.gathered(self.place, self.task.written(self.values, self.reading), said)


def spans(text: str) -> list[tuple[int, int]]:
    """The places of words between single spaces."""
    found, start = [], 0
    for word in text.split(" "):
        found.append((start, start + len(word)))
        start += len(word) + 1
    return found


def toy(kind: str, rows: int = 40, seed: int = 0, **fields: Any) -> Toy:
    """Texts of two to five different words, and a target that follows from them."""
    rng = np.random.default_rng(seed)
    task = kinds.pick("tasks", kind).model_validate({"type": kind, "data": ["toys"], **FIELDS.get(kind, {}), **fields})
    texts = [" ".join(rng.choice(WORDS, rng.integers(2, 6), replace=False)) for _ in range(rows)]
    texts += [" ".join(WORDS), "blue green"]  # every label occurs
    if task.speaks == "causal":  # one word follows from another
        starts = rng.integers(len(WORDS), size=len(texts)).tolist()
        texts = [
            " ".join((WORDS * 2)[start : start + len(text.split(" "))])
            for start, text in zip(starts, texts, strict=True)
        ]
    assert isinstance(task, Task)
    values = [VALUES[kind](text) for text in texts]
    if kind == "similarity":
        values = [str(float(place % 2)) for place in range(len(texts))]
    return Toy(task, texts, values)


def answer(word: str, text: str) -> dict[str, Any]:
    """A word of a text as SQuAD tells it."""
    return {"text": word, "answer_start": text.index(word)}


VALUES = {
    "causal_lm": lambda text: text,
    "masked_lm": lambda text: text,
    "preference": lambda text: text,
    "seq2seq": lambda text: text,
    "similarity": lambda text: "1.0",
    "classification": lambda text: "warm" if text.startswith("red") else "cold",
    "multilabel": lambda text: json.dumps([word for word in WORDS[:3] if word in text]),
    "question_answering": lambda text: json.dumps([answer(min(text.split(" "), key=WORDS.index), text)]),
    "ordinal": lambda text: str(len(set(text.split(" ")) & {"red", "tall"})),
    "regression": lambda text: str(text.count("tall") - text.count("small") / 2),
    "token_classification": lambda text: json.dumps(
        ["B-SIZE" if word in WORDS[3:] else "B-COLOUR" if word == "red" else "O" for word in text.split(" ")]
    ),
}


SURE = 5.0  # margin of a preference


def perfect(each: Toy) -> Sequence[Any]:
    """What a head would say that is right and sure."""
    target, shape = each.targets, each.task.shape.shape
    if shape == "likelihoods":
        return [(0.0, len(text.split(" ")), spans(text))[: 2 + (each.task.speaks == "masked")] for text in each.texts]
    if shape == "preferences":
        return [SURE] * len(each.texts)
    if each.task.kind == "similarity":
        return np.stack([[[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]] for cosine in target.tolist()])
    if shape == "choices":
        return np.eye(len(each.outputs))[target]
    if shape in ("sets", "quantities"):
        return target.astype(np.float64)
    if shape == "texts":
        spans_ = [each.task.spans(value, text)[0] for value, text in zip(each.values, each.texts, strict=True)]
        return [Guess(1.0, start, end, 0.0) for start, end in spans_]
    code = {tag: index for index, tag in enumerate(each.outputs)}
    tags = [json.loads(value)[1] for value in each.task.written(each.values, each.reading)]
    return [(list(range(len(row))), [code[tag] for tag in row]) for row in tags]


def guessed(each: Toy, seed: int) -> Any:
    """Answers of which about half are right."""
    rng = np.random.default_rng(seed)
    right, shape = perfect(each), each.task.shape.shape
    if shape == "likelihoods":
        return each.gathered([(float(rng.exponential(3)), *rest) for _, *rest in right])
    if shape == "preferences":
        return each.gathered(rng.normal(size=len(right)).tolist())
    if each.task.kind == "similarity":
        wild = rng.normal(size=np.shape(right))
        return each.gathered(wild / np.linalg.norm(wild, axis=-1, keepdims=True))
    if shape == "texts":
        return each.gathered([guess if rng.random() < 0.5 else guess._replace(start=0) for guess in right])
    if shape == "tags":
        wild = [(words, [int(code) if rng.random() < 0.5 else int(rng.integers(len(each.outputs))) for code in codes])
                for words, codes in right]  # fmt: skip
        return each.gathered(wild)
    mixed = np.array(right) * rng.random(np.shape(right)) + 0.3 * rng.random(np.shape(right))
    return each.gathered(mixed / mixed.sum(-1, keepdims=True) if shape == "choices" else mixed)
