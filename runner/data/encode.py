"""The stage `encode`: token ids of every example in the cache, and how long the texts are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.cache.cache import Cache, fingerprint
from runner.data.files import content_hash
from runner.data.identify import keys
from runner.data.recipe import Recipe
from runner.data.tables import at, cuts, mapped, sizes, write
from runner.data.tokens import Tokens, encoded

if TYPE_CHECKING:
    import pyarrow as pa

    from runner.data.recipe import Cuts

VERSION = 1
TABLE = "tokens.arrow"


def encode(table: pa.Table, recipe: Recipe, cache: Cache, source: Mapping[str, Any]) -> pa.Table:
    """The tokens of the rows, in their order, as a recipe makes them, special tokens included.

    Columns: `id`; `input_ids` list<int32>, at most the maximum length, of a pair the longer text is cut first; `pair`
    int32, the index of the first token of the second text, or the count of ids if there is none; `tokens` int32, the
    count before cutting. With places also `starts` and `ends` list<int32>: the characters of its text that each token
    spans, none for special tokens. Where a row may become several sequences, `row` int32 is the place of the row. Where
    a language model writes, `judged` list<int32> says which tokens count (1 or 0), `bytes` int32 is the size of what
    they spell in UTF-8, and `lost` int32 how many of them were cut away. `source` must tell the rows apart.
    """
    key, why = encode_key(recipe, cache, source)

    def build(entry: Path) -> Mapping[str, Any]:
        return {"rows": write(entry / TABLE, token_batches(table, recipe))}

    return mapped(cache.make("encode", key, build, why) / TABLE)


def encode_key(recipe: Recipe, cache: Cache, source: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Key and inputs of the stage, for `Cache.explain("encode", ...)` without encoding anything."""
    form = recipe.form
    spoken = {"form": form.kind, "template": form.template, "prompt": form.prompt, "marks": recipe.marks._asdict()}
    why = {
        **source,
        "columns": list(form.columns),
        "tokenizer": content_hash(recipe.tokenizer_file, cache),
        "max_length": recipe.max_length,
        "version": VERSION,
        **({"places": True} if recipe.places else {}),
        **({"stride": form.stride} if form.stride is not None else {}),
        **({name: each for name, each in spoken.items() if each} if form.kind != "joined" else {}),
    }
    return fingerprint({"stage": "encode", **why}), why


def tokens_of(columns: Sequence[Sequence[str]], recipe: Recipe) -> pa.Table:
    """The same table of texts that are in no file, by column; their ids count from 0."""
    import pyarrow as pa

    names = [f"{place}" for place in range(len(columns))]
    table = pa.table({"id": list(map(str, range(len(columns[0])))), **dict(zip(names, columns, strict=True))})
    found = list(token_batches(table, recipe, names))
    return pa.Table.from_batches(found)


def token_batches(table: pa.Table, recipe: Recipe, columns: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
    """Record batches of tokens; one empty batch when there are no rows."""
    cutter = recipe.cutter()
    if not table.num_rows:
        yield token_batch([], [], 0, recipe)
    start = 0
    for ids, windows in encoded(table, columns or recipe.form.columns, cutter):
        yield token_batch(ids, windows, start, recipe)
        start += len(ids)


def token_batch(ids: list[str], windows: list[list[Tokens]], start: int, recipe: Recipe) -> pa.RecordBatch:
    """The sequences of some rows, the first of which is at place `start`."""
    import pyarrow as pa

    tokens = [each for row in windows for each in row]
    found = {
        "id": pa.array([id for id, row in zip(ids, windows, strict=True) for _ in row], pa.string()),
        "input_ids": lists([each.ids for each in tokens]),
        "pair": pa.array([each.pair for each in tokens], pa.int32()),
        "tokens": pa.array([each.uncut for each in tokens], pa.int32()),
    }
    if recipe.form.several:
        rows = [place for place, row in enumerate(windows, start) for _ in row]
        found["row"] = pa.array(rows, pa.int32())
    if recipe.spoken:
        found["judged"] = lists([each.judged for each in tokens])
        found["bytes"] = pa.array([each.bytes for each in tokens], pa.int32())
        found["lost"] = pa.array([each.lost for each in tokens], pa.int32())
    if recipe.places:
        found["starts"] = lists([[start for start, _ in each.places] for each in tokens])
        found["ends"] = lists([[end for _, end in each.places] for each in tokens])
    return pa.record_batch(found)


def lists(rows: Sequence[Sequence[int]]) -> pa.ListArray:
    """A column of lists of numbers."""
    import pyarrow as pa

    ends = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    flat = np.fromiter((number for row in rows for number in row), np.int32, count=int(ends[-1]))
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(flat))


@dataclass(frozen=True)
class Lengths:
    """Tokens of an example before cutting, special tokens included.

    `truncated` is the share of examples that would be cut, `lost` the share of those that lose tokens that count.
    """

    rows: int
    mean: float
    p50: float
    p95: float
    max: int
    truncated: float
    lost: float = 0.0


def sequences(table: pa.Table, recipe: Recipe, sample: int = 2000) -> int:
    """How many examples the rows become: they themselves, or the sequences of long texts; from a sample of many."""
    if not recipe.form.several or not table.num_rows:
        return int(table.num_rows)
    counts = [len(each) for _, rows in sampled(table, recipe, recipe.cutter(), sample) for each in rows]
    return round(int(table.num_rows) * sum(counts) / len(counts))


def sampled(table: pa.Table, recipe: Recipe, cutter: Cuts, sample: int) -> Iterator[tuple[list[str], list[Any]]]:
    """Ids and windows of the rows whose ids have the smallest hashes."""
    chosen = np.sort(np.argsort(keys(table["id"], b"sample:"), kind="stable")[:sample])
    table = table.select(["id", *recipe.form.columns])
    for cut in cuts(sizes(table)[chosen]):
        yield from encoded(at(table, chosen[cut]), recipe.form.columns, cutter)


def lengths(table: pa.Table, recipe: Recipe, sample: int = 2000) -> Lengths:
    """How long the examples are, measured on those whose ids have the smallest hashes."""
    rows = [row for _, rows in sampled(table, recipe, recipe.counter(), sample) for row in rows]
    counts = np.array([sum(each.uncut for each in row[: recipe.form.parts]) for row in rows] or [0])
    longest = recipe.max_length * recipe.form.parts
    p50, p95 = np.percentile(counts, [50, 95]).tolist()
    mean = float(np.minimum(counts, longest).mean()) if not recipe.form.several else float(counts.mean())
    lost = float(np.mean([any(each.lost for each in row) for row in rows] or [False]))
    return Lengths(len(rows), mean, p50, p95, int(counts.max()), float((counts > longest).mean()), lost)
