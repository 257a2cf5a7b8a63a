"""Sampling, balancing and augmenting: on train only, by hash, nested, and each new row beside its parent."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest

from runner import kinds
from runner.parts.augment._augmentation import Augmentation

TABLE = [(f"{'ab' if i % 5 else 'zz'} unlike any other {i * 7919}", "x" if i % 5 else "y") for i in range(500)]
FIELDS = {"train": "t.jsonl", "validation": "v.jsonl", "leakage": "warn"}


@pytest.fixture
def loaded(put, load_data):
    def load(table=TABLE, **fields):
        put("t.jsonl", "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in table))
        put("v.jsonl", '{"text": "not seen before", "label": "x"}\n{"text": "nor was this one", "label": "y"}\n')
        return load_data(**FIELDS, **fields)

    return load


def ids(found):
    return found.splits["train"]["id"].to_pylist()


def test_a_sample_is_stratified_and_part_of_a_larger_one(loaded):
    found = {size: loaded(sample=size) for size in (10, 100, 0.5, 500, 9999)}
    assert [found[size].rows["train"] for size in found] == [10, 100, 250, 500, 500]
    parts = [set(ids(each)) for each in found.values()]
    assert all(small <= large for small, large in pairwise(parts))
    assert found[100].labels["label"]["train"] == {"x": 80, "y": 20}
    assert found[10].rows["validation"] == 2


def test_the_order_of_rows_chooses_no_sample(loaded):
    assert sorted(ids(loaded(sample=50))) == sorted(ids(loaded(table=TABLE[::-1], sample=50)))


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("undersample", {"x": 100, "y": 100}),
        ("oversample", {"x": 400, "y": 400}),
        ({"cap": 150}, {"x": 150, "y": 100}),
        ("class_weights", {"x": 400, "y": 100}),
    ],
)
def test_classes_are_evened_out(loaded, balance, expected):
    found = loaded(balance=balance)
    assert found.labels["label"]["train"] == expected
    assert len(set(ids(found))) == sum(expected.values())
    assert found.rows["validation"] == 2


def test_oversampling_repeats_each_row_as_often(loaded):
    found = loaded(balance="oversample")
    times = Counter(id.partition("+")[0] for id in ids(found))
    texts = dict(zip(ids(found), found.splits["train"]["text"].to_pylist(), strict=True))
    assert Counter(times.values()) == {1: 400, 4: 100}
    assert all(texts[id] == texts[id.partition("+")[0]] for id in texts)


def test_new_rows_have_parents_labels_and_texts_of_their_own(loaded):
    found = loaded(augment=[{"type": "swap_words", "share": 0.3, "copies": 2}])
    rows = found.splits["train"].to_pylist()
    known = {row["id"]: row for row in rows}
    made = [row for row in rows if row["parent"]]
    assert len({row["parent"] for row in made}) == pytest.approx(150, abs=40)
    assert all(row["label"] == known[row["parent"]]["label"] for row in made)
    assert all(sorted(row["text"].split()) == sorted(known[row["parent"]]["text"].split()) for row in made)
    assert len({row["text"] for row in rows}) == len(rows)
    assert len(rows) - len(made) == 500
    assert "parent" not in found.splits["validation"].column_names
    (facts,) = (each for each in found.account if each["step"] == "swap_words")
    assert (facts["made"], facts["kept"]) == (len(made), len(rows))


KINDS = [kinds.pick("augment", name) for name in kinds.names("augment")]
WITHOUT_MODELS = [part.kind for part in KINDS if issubclass(part, Augmentation) and not part.models]
TABLES = {kind: {"table": {"unlike": ["other than"], "any": ["one"]}} for kind in ("synonyms", "insert_words")}
SENTENCES = [(f"{text}. Now it is a sentence, too.", label) for text, label in TABLE[:120]]


@pytest.mark.parametrize("kind", WITHOUT_MODELS)
def test_every_kind_makes_new_rows_of_train_whatever_the_order(loaded, kind):
    fields = {"augment": [{"type": kind, "share": 0.5, **TABLES.get(kind, {})}]}
    one, other = loaded(table=SENTENCES, **fields), loaded(table=SENTENCES[::-1], **fields)
    pairs = [sorted(zip(ids(each), each.splits["train"]["text"].to_pylist(), strict=True)) for each in (one, other)]
    assert pairs[0] == pairs[1]
    assert len(pairs[0]) > 150 and one.rows["validation"] == 2


def test_the_order_of_rows_makes_no_other_rows(loaded):
    fields = {"augment": [{"type": "swap_words", "share": 0.5}]}
    one, other = loaded(**fields), loaded(table=TABLE[::-1], **fields)
    pairs = [sorted(zip(ids(each), each.splits["train"]["text"].to_pylist(), strict=True)) for each in (one, other)]
    assert pairs[0] == pairs[1]


def test_a_variant_that_stands_in_a_later_split_is_not_made(loaded):
    found = loaded(table=[("before seen not", "x"), ("nor was this two", "y"), ("seen it before not", "x")],
                   augment=[{"type": "swap_words", "copies": 30}])  # fmt: skip
    assert "not seen before" not in found.splits["train"]["text"].to_pylist()
    assert len(found.splits["train"]) > 10


def test_a_change_of_later_stages_keeps_the_earlier(loaded, cache):
    plain, sampled = loaded(), loaded(sample=100)
    augmented = loaded(sample=100, augment=[{"type": "swap_words"}])
    assert [each.keys["validation"] for each in (sampled, augmented)] == [plain.keys["validation"]] * 2
    assert len({each.fingerprint for each in (plain, sampled, augmented)}) == 3
    for stage, count in (("clean", 2), ("split", 1), ("balance", 1), ("augment", 1)):
        assert len(list((cache.folder / stage).glob("[!.]*"))) == count


def test_pairs_are_combined_row_by_row(put, load_data):
    put("t.csv", "a,b,label\n" + "".join(f"left {i},right {i},{'xy'[i % 2]}\n" for i in range(40)))
    put("v.csv", "a,b,label\nnone,other,x\nnor,this,y\n")
    found = load_data(
        train="t.csv", validation="v.csv", leakage="warn", inputs=("a", "b"), augment=[{"type": "combine_sentences"}]
    )
    made = [row for row in found.splits["train"].to_pylist() if row["parent"]]
    assert len(made) == 40
    for row in made:
        assert row["a"].replace("left", "right") == row["b"]
        assert len({int(number) % 2 for number in row["a"].split()[1::2]}) == 1


def test_repeats_have_ids_of_their_own_whatever_ids_look_like(put, load_data):
    put("t.csv", "key,text,label\n1,one two,x\n1+1,three four,y\n3,five six,y\n1++1,seven eight,y\n")
    put("v.csv", "key,text,label\n9,none of these,x\n10,nor that one,y\n")
    found = load_data(train="t.csv", validation="v.csv", id="key", balance="oversample")
    assert len(set(ids(found))) == len(ids(found)) == found.rows["train"] == 6


def test_an_edit_of_another_split_balances_nothing_again(put, load_data, cache):
    put("t.csv", "text,label\n" + "".join(f"{i * 7919} is {i * 104729},{'xxy'[i % 3]}\n" for i in range(30)))
    put("v.csv", "text,label\nnone of these,x\nnor that one,y\n")
    fields = {"train": "t.csv", "validation": "v.csv", "balance": "oversample"}
    first = load_data(**fields)
    put("v.csv", "text,label\nnone of these,x\nnor that other one,y\n")
    again = load_data(**fields)
    assert again.fingerprint != first.fingerprint
    assert again.keys["train"] == first.keys["train"] and again.keys["validation"] != first.keys["validation"]
    assert len(list((cache.folder / "balance").glob("[0-9a-f]*"))) == 1
    new = {"augment": [{"type": "swap_words"}]}
    one = load_data(**fields, **new)
    put("v.csv", "text,label\nnone of these,x\nnor that one,y\n")
    assert load_data(**fields, **new).keys["train"] != one.keys["train"], "new rows may not stand in validation"
