"""Preparation in slices: where they are cut changes nothing, and what they need in memory does not grow with the file."""

from __future__ import annotations

import json
import tracemalloc
from functools import partial

import pyarrow as pa
import pytest

from runner.cache.cache import Cache
from runner.data.augment import Asked, augment
from runner.data.clean import clean
from runner.data.read import read
from runner.data.tables import write
from runner.kinds import pick
from runner.parts import slices as slicing
from runner.parts.sources import parquet
from runner.spec.tables import Data
from tests.data import preparing

LONG = "ab cdefghij" * 10_000


def peak_of(work):
    """What Python and Arrow hold at most meanwhile, beyond what they held before."""
    before = pa.default_memory_pool()
    proxy = pa.proxy_memory_pool(before)
    pa.set_memory_pool(proxy)
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] + proxy.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)


@pytest.mark.parametrize(
    ("bytes_", "balance", "workers"), [(1, "oversample", "1"), (700, {"cap": 90}, "1"), (700, "oversample", "2")]
)
def test_where_slices_are_cut_changes_nothing(tmp_path, tokenizer_file, monkeypatch, bytes_, balance, workers):
    augment = [{"type": "swap_words", "copies": 3, "share": 0.7}, {"type": "combine_sentences", "copies": 2}]
    monkeypatch.setattr(preparing, "FIELDS", {**preparing.FIELDS, "balance": balance, "augment": augment})
    preparing.write(tmp_path)
    whole = preparing.prepare(tmp_path, Cache(tmp_path / "whole"), tokenizer_file)
    monkeypatch.setattr(slicing, "BYTES", bytes_)
    monkeypatch.setenv("RUNNER_WORKERS", workers)
    assert preparing.prepare(tmp_path, Cache(tmp_path / "cut"), tokenizer_file) == whole
    assert whole["dropped"]


def test_long_rows_are_cleaned_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNER_WORKERS", "1")
    monkeypatch.setattr(slicing, "BYTES", 1 << 20)
    data = Data.model_validate({"train": "t.jsonl", "clean": [{"type": "lowercase"}, {"type": "exact_duplicates"}]})
    peaks = []
    for rows in (40, 160, 320):
        folder = tmp_path / str(rows)
        folder.mkdir()
        lines = (json.dumps({"text": f"{row} {LONG}", "label": "xy"[row % 2]}) + "\n" for row in range(rows))
        (folder / "t.jsonl").write_text("".join(lines))
        cache = Cache(folder / "cache")
        origin = read("t.jsonl", folder, None, cache)
        peaks.append(peak_of(partial(clean, "train", origin, data, ("text",), ("label",), cache, None)))
    assert max(peaks) < 1.3 * min(peaks)


def test_augmentation_holds_few_bytes_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(slicing, "BYTES", 1 << 15)
    part = pick("augment", "swap_words").model_validate({"type": "swap_words", "share": 0.05})
    peaks = {}
    for rows in (5_000, 10_000, 20_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        texts = [f"one of {row} texts" for row in range(rows)]
        table = pa.table({"id": [f"{row * 7919 % rows:05}" for row in range(rows)], "text": texts})
        table = table.append_column("label", pa.array(["xy"[row % 2] for row in range(rows)]))
        write(folder / "rows.arrow", table.to_batches(max_chunksize=500))
        del table, texts
        work = partial(augment, folder / "rows.arrow", [], [Asked(0, part, {}, {})], ["text"], ["label"], folder)
        peaks[rows] = peak_of(partial(work, Cache(folder / "cache")))
    assert peaks[20_000] - peaks[10_000] < 10_000 * 150
    assert peaks[10_000] - peaks[5_000] < 5_000 * 200


@pytest.mark.parametrize("bytes_", [1, 400, 1 << 20])
def test_row_groups_are_read_in_order_however_few_at_once(tmp_path, monkeypatch, bytes_):
    import pyarrow.parquet as pq

    table = pa.table({"text": [f"{row} text" * 9 for row in range(30)]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=7)
    monkeypatch.setattr(slicing, "BYTES", bytes_)
    monkeypatch.setattr(parquet, "BYTES", bytes_)
    found = list(parquet.Parquet(type="parquet").batches(tmp_path / "t.parquet"))
    assert pa.Table.from_batches(found).to_pydict() == {**table.to_pydict(), "_line": list(range(1, 31))}
    assert max(batch.num_rows for batch in found) <= (1 if bytes_ == 1 else 30)
