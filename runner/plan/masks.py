"""Masks: which tokens of a row count in the loss, for people and for checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from runner.data.load import Loaded
from runner.data.tokens import Tokens
from runner.parts.tasks._reading import Reading
from runner.parts.tokenizer import tokenizer
from runner.plan.base import Base
from runner.plan.recipes import recipe
from runner.spec.tables import Experiment

SAMPLE = 1000
LONGEST = 160  # tokens of a row that are shown


class Learned(NamedTuple):
    """Of so many rows: tokens that count, rows that lose some by being cut, and rows that lose all."""

    rows: int
    judged: int
    lost: int
    empty: int


def learned(experiment: Experiment, base: Base, loaded: Mapping[str, Loaded], task: str) -> Learned:
    """Of the first training rows of a task that a language model writes."""
    rows = [
        row for data in experiment.tasks[task].data for row in windows(experiment, base, loaded[data], [task], SAMPLE)
    ]
    judged = [sum(sum(each.judged) for each in row) for row in rows]
    lost = [any(each.lost for each in row) for row in rows]
    return Learned(len(rows), sum(judged), sum(lost), sum(not each for each in judged))


def windows(experiment: Experiment, base: Base, data: Loaded, tasks: Sequence[str], most: int) -> list[list[Tokens]]:
    """The sequences of the first training rows."""
    how = recipe(base, experiment.tasks, experiment.model, tasks)
    table = data.splits["train"].slice(0, most)
    return list(how.cutter().windows([table[column].to_pylist() for column in how.form.columns]))


def hidden(task: Any, base: Base, rows: list[list[Tokens]], texts: Sequence[str], seed: int) -> list[list[Tokens]]:
    """The same sequences with words hidden, which count: those of the first epoch, where order alone decides more."""
    import numpy as np

    hide = task.hide(*base.masking)
    found = []
    for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
        made = []
        for each in row:
            starts, ends = (np.array([place[side] for place in each.places]) for side in (0, 1))
            reading = Reading([[text]], np.array([0, len(each.ids)]), starts, ends)
            ids, target = hide(
                np.array(each.ids), task.targets([text], (), reading), np.random.default_rng([seed, 1, number])
            )
            made.append(each._replace(ids=ids.tolist(), judged=(target >= 0).astype(int).tolist()))
        found.append(made)
    return found


def segments(tokens: Tokens, base: Base) -> list[tuple[str, bool]]:
    """A sequence as text, in pieces that count or don't."""
    words = tokenizer(base.tokenizer_file)
    judged = tokens.judged or [0] * len(tokens.ids)
    pairs = list(zip(tokens.ids, judged, strict=True))[:LONGEST]
    found = [
        (words.decode([id for id, _ in group], skip_special_tokens=False), bool(counts))
        for counts, group in groupby(pairs, key=lambda pair: pair[1])
    ]
    return found + ([("…", False)] if len(tokens.ids) > LONGEST else [])


def line(pieces: Sequence[Sequence[Any]], colour: bool) -> str:
    """The pieces in one line; what counts is green, or stands between brackets."""
    open_, close = ("\x1b[32m", "\x1b[0m") if colour else ("⟦", "⟧")
    shown = ((text.replace("\n", "⏎"), counts) for text, counts in pieces)
    return "".join(f"{open_}{text}{close}" if counts else text for text, counts in shown)
