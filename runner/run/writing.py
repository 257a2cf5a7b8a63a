"""Texts that the best checkpoint writes, and the base before training beside it: samples and scores go to the log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from runner.answers.texts import Texts
from runner.data.identify import keys
from runner.data.prompt import Opening
from runner.evaluate.measure import measure
from runner.parts.proxies._proxy import Samples
from runner.parts.tasks._generate import Generate
from runner.parts.tasks._language import Language
from runner.parts.tokenizer import tokenizer
from runner.plan.streams import recipe_of
from runner.run.judging import judged, learned
from runner.run.scoring import final, recorded
from runner.run.work import Work
from runner.spec.tables import Fresh

Predict = Callable[[Any, str], Iterable[Any]]


class Row(NamedTuple):
    """A row of the data that a text is written for."""

    id: str
    opening: Opening


def writers(work: Work) -> dict[str, Generate]:
    """How the tasks that write do so."""
    tasks: Any = work.experiment.tasks
    found = {name: task.written_by for name, task in tasks.items() if isinstance(task, Language)}
    return {name: how for name, how in found.items() if how is not None}


def compared(work: Work) -> bool:
    """Whether the base before training is asked too: one that knows nothing yet is not."""
    return any(how.compare for how in writers(work).values()) and not isinstance(work.experiment.model.base, Fresh)


def written(work: Work, models: dict[str, Any], predict: Predict, streams: Any) -> list[dict[str, Any]]:
    """All scores as recorded: of texts for each model by its name, and how surprised `before` was by the data.

    `predict(network, split)` yields what the heads of a network say of the batches of a split.
    """
    kept: list[dict[str, Any]] = []
    for name, how in writers(work).items():
        split = final(work, name)
        rows = chosen(work, name, split, how)
        said: dict[str, tuple[Texts, Samples]] = {}
        for model, network in models.items():
            if model == "best" or how.compare:
                given, scores = of_model(work, name, model, network, rows, split, how)
                prompts = [row.opening.text for row in rows]
                said[model] = given, Samples(prompts, given.predicted, partial(learned, work, name))
                kept += scores
        kept += judged(work, name, said, len(work.experiment.tasks[name].metrics) + len(how.metrics))
    if "before" in models:
        kept += surprised(work, models["before"], predict, streams)
    return kept


def chosen(work: Work, task: str, split: str, how: Generate) -> list[Row]:
    """The rows of a split whose ids have the smallest hashes, prompts cut at their beginning where they are long."""
    import pyarrow as pa

    part: Any = work.experiment.tasks[task]
    found: list[Row] = []
    for data in part.data:
        table = work.checked.loaded[data].splits.get(split)
        if table is not None:
            few = table.take(first(table["id"], how.rows))
            texts = [few[column].to_pylist() for column in part.form.columns]
            writer: Any = recipe_of(work.checked, [task]).cutter()
            found += map(Row, few["id"].to_pylist(), writer.openings(texts, how.prompt_tokens))
    ids = pa.chunked_array([[row.id for row in found]], pa.string())
    return [cut(found[at], room(work, part, how)) for at in first(ids, how.rows).tolist()]


def first(ids: Any, most: int) -> np.ndarray:
    """Places of the ids with the smallest hashes, in order."""
    return np.sort(np.argsort(keys(ids, b"samples:"), kind="stable")[:most])


def room(work: Work, part: Any, how: Generate) -> int:
    """Tokens of a prompt that leave the model room to write."""
    longest = work.checked.base.longest
    if part.speaks == "seq2seq" or longest is None:
        return work.experiment.model.max_length
    return max(longest - how.max_tokens, 1)


def cut(row: Row, most: int) -> Row:
    """The end of a prompt is what is gone on with."""
    return row._replace(opening=row.opening._replace(ids=row.opening.ids[-most:]))


def of_model(
    work: Work, task: str, model: str, network: Any, rows: list[Row], split: str, how: Generate
) -> tuple[Texts, list[dict[str, Any]]]:
    """The texts of one model and their scores."""
    from runner.model.generation import generated

    base = work.checked.base
    network.turn_to(task)
    seeds = [seed_of(work.trial.seed, row.id) for row in rows]
    tokens = generated(network.trunk, [row.opening.ids for row in rows], seeds, how, base.ends, base.padding)
    words = tokenizer(base.tokenizer_file)
    texts = [words.decode(each).strip() for each in tokens]
    gold = [row.opening.gold.strip() for row in rows]
    given = Texts(task, split, (), tuple(row.id for row in rows), tuple((each,) for each in gold), tuple(texts))
    work.log.write(
        "samples",
        split=split,
        task=task,
        model=model,
        ids=[row.id for row in rows],
        prompt=[row.opening.text for row in rows],
        gold=gold,
        text=texts,
        tokens=[len(each) for each in tokens],
        ended=[len(each) < how.max_tokens for each in tokens],
    )
    found = measure(given, how.metrics, **work.doubt)
    return given, recorded(work, split, model, found, len(work.experiment.tasks[task].metrics))


def surprised(work: Work, network: Any, predict: Predict, streams: Any) -> Iterator[dict[str, Any]]:
    """The scores of what the base before training says of the data, for tasks that write."""
    from runner.model.answer import answers

    tasks: Any = work.experiment.tasks
    own = [name for name, how in writers(work).items() if how.compare]
    for split in dict.fromkeys(final(work, name) for name in own):
        pieces = [piece for piece in predict(network, split) if piece.task in own and final(work, piece.task) == split]
        for given in answers(pieces, streams[split], tasks, work.checked.shown, split):
            metrics = tasks[given.task].metrics
            found = measure(given, metrics, **work.doubt)
            yield from recorded(work, split, "before", found)


def seed_of(seed: int, id: str) -> int:
    """The seed of one row's choices."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{id}".encode()).digest()[:8], "big")
