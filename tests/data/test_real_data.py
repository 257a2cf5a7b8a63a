"""Real data sets, from their files to splits."""

from __future__ import annotations

from collections import Counter

import pytest

from runner.cache.cache import Cache
from runner.data.files import source_of
from runner.data.load import Loaded, load
from runner.spec.tables import Data

UPOS = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"}
UPOS |= {"PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"}


@pytest.fixture(scope="module")
def load_real(real_data, tmp_path_factory):
    cache = Cache(tmp_path_factory.mktemp("cache"))

    def load_real(inputs, targets, **fields) -> Loaded:
        return load("real", Data.model_validate(fields), real_data, inputs, targets, cache)

    return load_real


def sizes(loaded: Loaded) -> dict[str, int]:
    return {name: table.num_rows for name, table in loaded.splits.items()}


def test_banking77(load_real):
    loaded = load_real(
        ("text",),
        ("label",),
        train="banking77/train.csv",
        validation={"fraction": 0.1, "stratify": "label"},
        test="banking77/test.csv",
    )
    found = sizes(loaded)
    assert found["test"] == 3080 and 8800 < found["train"] < 8820 and 985 < found["validation"] < 995
    gone = Counter(each.reason for each in loaded.dropped())
    assert sum(gone.values()) == 10_003 - found["train"] - found["validation"]
    assert set(gone) <= {f"{how} in {split}" for how in ("also", "nearly the same") for split in ("validation", "test")}
    assert all(len(set(table["label"].to_pylist())) == 77 for table in loaded.splits.values())
    row = loaded.splits["train"].slice(0, 1).to_pylist()[0]
    assert (row["id"], row["line"], row["text"]) == ("cad5bffeb3164b0d", 2, "I am still waiting on my card?")


def test_clinc150_by_domain(load_real):
    rule = {"column": "domain", "values": ["banking", "oos"]}
    loaded = load_real(("text",), ("label",), train="clinc150_small/train.csv", validation=rule)
    assert set(loaded.splits["validation"]["domain"].to_pylist()) == {"banking", "oos"}
    assert sum(sizes(loaded).values()) == 7600


def test_snips(load_real):
    loaded = load_real(("text",), ("label",), train="snips/train.jsonl", test="snips/test.jsonl", leakage="warn")
    assert sum(sizes(loaded).values()) == 2800
    slots = loaded.splits["train"]["slots"].to_pylist()
    assert max(Counter(len(row) for row in slots)) > 3


def test_med_nli_pairs(load_real):
    loaded = load_real(
        ("premise", "hypothesis"),
        ("label",),
        train="med_nli/train.csv",
        validation={"fraction": 0.2, "group": "premise"},
    )
    train, validation = (set(loaded.splits[name]["premise"].to_pylist()) for name in ("train", "validation"))
    assert not train & validation


def test_wnut17(real_data):
    path = real_data / "wnut17/train.conll"
    table = source_of(path, None).read(path)
    assert table.num_rows == 3394
    tags = [tag for row in table["tags"].to_pylist() for tag in row]
    assert sum(tag.startswith("B-") for tag in tags) == 1975
    assert table["_line"].to_pylist()[:2] == [1, 29]


def test_ud_english_ewt(real_data):
    path = real_data / "ud_english_ewt/train.conllu"
    table = source_of(path, None).read(path)
    assert table.num_rows == 1382
    assert set(table["genre"].to_pylist()) == {"answers", "email", "newsgroup", "reviews", "weblog"}
    assert all(len(row["tokens"]) == len(row["upos"]) == len(row["xpos"]) for row in table.to_pylist())
    assert set(table["upos"].combine_chunks().flatten().to_pylist()) == UPOS
