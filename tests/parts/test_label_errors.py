"""Label errors: planted wrong labels are found, whatever the order of the rows."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.parts.cleaners.label_errors import LabelErrors, parts

TOPICS = {
    "card": "card plastic chip contactless arrive delivery post",
    "cash": "cash machine atm withdraw notes money wall",
    "pin": "pin code number forgot change secret digits",
    "transfer": "transfer send bank account pending friend iban",
    "rate": "exchange rate euro dollar currency convert abroad",
}
COMMON = ["please", "help", "me", "what", "is", "the", "why", "can", "i", "my", "how", "to", "with", "this"]


def planted(rows=400, wrong=0.08, seed=0):
    """A table of sentences, and the ids whose label is another topic's."""
    draw = random.Random(seed)
    flipped, table = {}, []
    for number in draw.sample(range(1_000_000), rows):
        topic = draw.choice(list(TOPICS))
        words = draw.choices(TOPICS[topic].split(), k=4) + draw.choices(COMMON, k=5)
        draw.shuffle(words)
        label = draw.choice([other for other in TOPICS if other != topic]) if draw.random() < wrong else topic
        if label != topic:
            flipped[f"{number:06}"] = (label, topic)
        table.append({"id": f"{number:06}", "text": " ".join(words), "label": label, "group": "all"})
    return pa.Table.from_pylist(table), flipped


def judged(table, targets=("label",), **fields):
    """What the cleaner says, by id."""
    found = list(LabelErrors(type="label_errors", **fields).judge(table, ["text"], list(targets), Path("nowhere")))
    ids = table["id"].to_pylist()
    assert len({each.position for each in found}) == len(found)
    return {ids[each.position]: each for each in found}


def test_most_planted_errors_are_found_and_little_else():
    table, flipped = planted(800)
    found = judged(table)
    hits = [id for id in found if id in flipped]
    assert len(hits) >= 0.8 * len(flipped)
    assert len(hits) >= 0.8 * len(found)
    named = [found[id].reason == "label `{}` looks wrong: `{}` is likelier".format(*flipped[id]) for id in hits]
    assert np.mean(named) >= 0.9


@given(st.randoms(use_true_random=False), st.integers(30, 80))
@settings(deadline=None, max_examples=8)
def test_no_order_of_the_rows_changes_anything(draw, rows):
    table, _ = planted(rows, seed=rows)
    order = list(range(rows))
    draw.shuffle(order)
    plain, other = ({id: each[1:] for id, each in judged(each).items()} for each in (table, table.take(order)))
    assert plain == other == {id: each[1:] for id, each in judged(table).items()}


def test_the_order_of_the_rows_changes_nothing():
    table, _ = planted(200)
    mixed = table.take(np.random.RandomState(0).permutation(table.num_rows))
    plain, other = ({id: each[1:] for id, each in judged(each).items()} for each in (table, mixed))
    assert plain == other != {}


@pytest.mark.parametrize("action,flagged", [("flag", True), ("drop", False)])
def test_rows_are_flagged_or_dropped(action, flagged):
    table, _ = planted(200)
    assert {each.flagged for each in judged(table, action=action).values()} == {flagged}


def test_it_works_on_the_training_files_unless_told_otherwise():
    assert LabelErrors(type="label_errors").files == ["train"]
    assert LabelErrors(type="label_errors", files=["test"]).files == ["test"]


def test_labels_of_too_few_rows_are_left_out():
    table, _ = planted(200)
    rare = pa.Table.from_pylist(
        [{"id": f"rare-{number}", "text": "cash machine atm", "label": "rare", "group": "all"} for number in range(4)]
    )
    more = pa.concat_tables([table, rare])
    without, found = judged(table), judged(more)
    assert {id: each[1:] for id, each in found.items()} == {id: each[1:] for id, each in without.items()}
    assert judged(more, folds=4) != found


def test_each_target_is_judged_and_a_row_is_told_once():
    table, _ = planted(200)
    labels = table["label"].to_pylist()
    table = table.append_column("again", pa.array(labels))
    found = judged(table, ["label", "again", "group"])
    assert found.keys() == judged(table).keys()
    for each in found.values():
        first, second = each.reason.split("; ")
        assert first.startswith("`label`: label") and second.replace("`again`", "`label`", 1) == first


@pytest.mark.parametrize(
    "texts,labels",
    [
        ([], []),
        (["a"], ["x"]),
        (["some text"] * 20, ["x"] * 20),
        ([""] * 20, ["x", "y"] * 10),
        (["\0", "?"] * 10, ["x", "y"] * 10),
        (["text"] * 6, list("abcdef")),
    ],
)
def test_where_nothing_can_be_learned_nothing_is_told(texts, labels):
    columns = {"id": [f"{place:02}" for place in range(len(texts))], "text": texts, "label": labels}
    table = pa.table(columns, pa.schema([(name, pa.string()) for name in columns]))
    assert judged(table) == {}


def test_each_fold_has_rows_of_each_label():
    codes = np.array([0] * 7 + [1] * 5 + [2] * 23)
    found = parts(codes, [bytes([row * 7 % 251]) for row in range(len(codes))], 5)
    for code in range(3):
        sizes = np.bincount(found[codes == code], minlength=5)
        assert sizes.min() >= 1 and sizes.max() - sizes.min() <= 1
