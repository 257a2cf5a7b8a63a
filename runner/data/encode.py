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
from runner.data.tables import at, cuts, mapped, sizes, write
from runner.data.tokens import Cutter, Tokens, encoded

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
TABLE = "tokens.arrow"


def encode(
    table: pa.Table,
    inputs: Sequence[str],
    tokenizer_file: Path,
    max_length: int,
    cache: Cache,
    key_inputs: Mapping[str, Any],
    places: bool = False,
    stride: int | None = None,
) -> pa.Table:
    """The tokens of the rows, in their order, as the tokenizer encodes one text or a pair, special tokens included.

    Columns: `id`; `input_ids` list<int32>, at most `max_length`, of a pair the longer text is cut first; `pair` int32,
    the index of the first token of the second text, or the count of ids if there is none; `tokens` int32, the count
    before cutting. With `places` also `starts` and `ends` list<int32>: the characters of its text that each token
    spans, none for special tokens. With a `stride` the second text of a pair is not cut: a row becomes several
    sequences, each with as much of it as there is room, `stride` tokens of which stand in the one before; `row` int32
    is then the place of the row. `key_inputs` must tell the rows apart: the fingerprint of the data set and the name of
    the split.
    """
    key, why = encode_key(inputs, tokenizer_file, max_length, cache, key_inputs, places, stride)

    def build(entry: Path) -> Mapping[str, Any]:
        cutter = Cutter(tokenizer_file, max_length, len(inputs) > 1, places, stride)
        return {"rows": write(entry / TABLE, token_batches(table, inputs, cutter))}

    return mapped(cache.make("encode", key, build, why) / TABLE)


def encode_key(
    inputs: Sequence[str],
    tokenizer_file: Path,
    max_length: int,
    cache: Cache,
    key_inputs: Mapping[str, Any],
    places: bool = False,
    stride: int | None = None,
) -> tuple[str, dict[str, Any]]:
    """Key and inputs of the stage, for `Cache.explain("encode", ...)` without encoding anything."""
    why = {
        **key_inputs,
        "columns": list(inputs),
        "tokenizer": content_hash(tokenizer_file, cache),
        "max_length": max_length,
        "version": VERSION,
        **({"places": True} if places else {}),
        **({"stride": stride} if stride is not None else {}),
    }
    return fingerprint({"stage": "encode", **why}), why


def token_batches(table: pa.Table, inputs: Sequence[str], cutter: Cutter) -> Iterator[pa.RecordBatch]:
    """Record batches of tokens; one empty batch when there are no rows."""
    if not table.num_rows:
        yield token_batch([], [], 0, cutter)
    start = 0
    for ids, windows in encoded(table, inputs, cutter):
        yield token_batch(ids, windows, start, cutter)
        start += len(ids)


def token_batch(ids: list[str], windows: list[list[Tokens]], start: int, cutter: Cutter) -> pa.RecordBatch:
    """The sequences of some rows, the first of which is at place `start`."""
    import pyarrow as pa

    tokens = [each for row in windows for each in row]
    found = {
        "id": pa.array([id for id, row in zip(ids, windows, strict=True) for _ in row], pa.string()),
        "input_ids": lists([each.ids for each in tokens]),
        "pair": pa.array([each.pair for each in tokens], pa.int32()),
        "tokens": pa.array([each.uncut for each in tokens], pa.int32()),
    }
    if cutter.stride is not None:
        rows = [place for place, row in enumerate(windows, start) for _ in row]
        found["row"] = pa.array(rows, pa.int32())
    if cutter.places:
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
    """Tokens of an example before cutting, special tokens included; `truncated` is the share that would be cut."""

    rows: int
    mean: float
    p50: float
    p95: float
    max: int
    truncated: float


def lengths(
    table: pa.Table, inputs: Sequence[str], tokenizer_file: Path, max_length: int, sample: int = 2000
) -> Lengths:
    """How long the examples are, measured on those whose ids have the smallest hashes."""
    chosen = np.sort(np.argsort(keys(table["id"], b"sample:"), kind="stable")[:sample])
    table = table.select(["id", *inputs])
    cutter = Cutter(tokenizer_file, max_length, len(inputs) > 1)
    parts = (at(table, chosen[cut]) for cut in cuts(sizes(table)[chosen]))
    found = [each.uncut for part in parts for _, rows in encoded(part, inputs, cutter) for each, *_ in rows]
    counts = np.array(found or [0])
    p50, p95 = np.percentile(counts, [50, 95]).tolist()
    mean = float(np.minimum(counts, max_length).mean())
    return Lengths(len(chosen), mean, p50, p95, int(counts.max()), float((counts > max_length).mean()))
