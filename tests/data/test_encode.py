"""Tokens in the cache are those of the tokenizer, one by one."""

from __future__ import annotations

import os

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from runner.data import tokens
from runner.data.encode import encode, encode_key, lengths
from runner.data.recipe import Recipe
from runner.errors import RunnerError
from runner.parts.tasks._form import Form

texts = st.lists(st.sampled_from(["the", "a", "cat", "dog", "sat", "unknown", "catabc", "", "!"]), max_size=12).map(
    " ".join
)
laws = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


def table(*columns: list[str]) -> pa.Table:
    ids = [str(i) for i in range(len(columns[0]))]
    return pa.table({"id": ids, **dict(zip("ab", columns, strict=False))})


def reference(tokenizer_file, max_length: int | None) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    if max_length is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_length)
    return tokenizer


@given(st.lists(st.tuples(texts, texts), max_size=20), st.integers(4, 30), st.booleans())
@laws
def test_as_the_tokenizer_encodes_one_by_one(tokenizer_file, cache, rows, max_length, pairs):
    columns = [[row[i] for row in rows] for i in range(1 + pairs)]
    key = {"rows": rows}
    found = encode(
        table(*columns), Recipe(Form(tuple("ab"[: 1 + pairs])), tokenizer_file, max_length), cache, key
    ).to_pylist()
    cut, whole = reference(tokenizer_file, max_length), reference(tokenizer_file, None)
    for number, row in enumerate(zip(*columns, strict=True)):
        ids = cut.encode(*row).ids
        first_part = [position for position, kind in enumerate(cut.encode(*row).type_ids) if kind == 1]
        assert found[number] == {
            "id": str(number),
            "input_ids": ids,
            "pair": first_part[0] if first_part else len(ids),
            "tokens": len(whole.encode(*row).ids),
        }
    assert len(found) == len(rows)


def test_literal(tokenizer_file, cache):
    found = encode(
        table(["the cat"], ["a dog ran"]), Recipe(Form(("a", "b")), tokenizer_file, 64), cache, {}
    ).to_pylist()
    assert found == [{"id": "0", "input_ids": [2, 4, 6, 3, 5, 7, 11, 3], "pair": 4, "tokens": 8}]


def test_batches_are_bounded_in_characters(monkeypatch):
    monkeypatch.setattr(tokens, "BATCH_CHARACTERS", 10)
    monkeypatch.setattr(tokens, "BATCH_ROWS", 3)
    found = list(tokens.batches(pa.table({"id": list("12345"), "a": ["x" * 20, "y", "z", "w" * 8, ""]})))
    assert [batch["id"] for batch in found] == [["1"], ["2", "3"], ["4", "5"]]


def test_cached_by_what_decides_the_tokens(tokenizer_file, cache, tmp_path):
    rows = table(["the cat"])
    for max_length in (8, 8, 9):
        encode(rows, Recipe(Form(("a",)), tokenizer_file, max_length), cache, {"data": "x", "split": "train"})
    key = encode_key(Recipe(Form(("a",)), tokenizer_file, 7), cache, {"data": "x", "split": "train"})
    assert cache.explain("encode", *key) in ("miss: `max_length` was 8, now 7", "miss: `max_length` was 9, now 7")
    copy = tmp_path / "copy.json"
    copy.write_bytes(tokenizer_file.read_bytes())
    encode(rows, Recipe(Form(("a",)), copy, 9), cache, {"data": "x", "split": "train"})
    entries = list((cache.folder / "encode").glob("[!.]*"))
    assert len(entries) == 2
    whys = {cache.manifest("encode", entry.name)["why"] for entry in entries}
    assert "miss: `max_length` was 8, now 9" in whys


def test_a_megabyte(tokenizer_file, cache):
    found = encode(table(["the cat " * 130_000, "a" * 1_000_000]), Recipe(Form(("a",)), tokenizer_file, 16), cache, {})
    assert found["tokens"].to_pylist() == [260_002, 3]
    assert found["input_ids"].to_pylist()[0] == [2, *[4, 6] * 7, 3]


def test_lengths(tokenizer_file):
    rows = table([" ".join(["cat"] * n) for n in range(1, 101)])
    assert vars(lengths(rows, Recipe(Form(("a",)), tokenizer_file, 52))) == {
        "rows": 100,
        "mean": 39.75,
        "p50": 52.5,
        "p95": pytest.approx(97.05),
        "max": 102,
        "truncated": 0.5,
        "lost": 0.0,
    }
    assert lengths(rows, Recipe(Form(("a",)), tokenizer_file, 52), sample=10).rows == 10


def test_no_room_beside_special_tokens(tokenizer_file, cache):
    with pytest.raises(RunnerError, match="max_length 3 leaves no room beside 3 special tokens"):
        encode(table(["the"], ["cat"]), Recipe(Form(("a", "b")), tokenizer_file, 3), cache, {})


def test_no_tokenizer(cache, put):
    with pytest.raises(RunnerError, match="is no tokenizer that can be read"):
        encode(table(["the"]), Recipe(Form(("a",)), put("tokenizer.json", "{}"), 8), cache, {})


@pytest.mark.skipif(tokens.CHOSEN is not None, reason="TOKENIZERS_PARALLELISM is set")
def test_forked_children_do_not_tokenise_in_parallel(tokenizer_file, cache, monkeypatch):
    monkeypatch.setenv(tokens.PARALLELISM, "")
    encode(table(["the"]), Recipe(Form(("a",)), tokenizer_file, 8), cache, {})
    assert os.environ[tokens.PARALLELISM] == "false"
