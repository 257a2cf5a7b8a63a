"""Twins among rows of several columns: rows that are alike in each of them."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.parts.cleaners._minhash import bands_for
from runner.parts.cleaners._normal import normalised
from runner.parts.cleaners._pairs import Pairs, Texts
from runner.parts.cleaners._shingles import Shingles
from runner.parts.cleaners._twins import alike, repeats, side
from runner.parts.cleaners.exact_duplicates import ExactDuplicates
from runner.parts.cleaners.near_duplicates import NearDuplicates
from tests.parts.test_duplicates import LIKENESS, TEXTS, changed, jaccard, judged, law, sentence

COLUMNS = ("premise", "hypothesis")
PREMISE = "the patient was admitted with chest pain radiating to the left arm since two days " * 3
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=25)


def table_of(rows, columns=COLUMNS):
    """Rows with ids in their order."""
    texts = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    table = {"id": [f"{row:08}" for row in range(len(rows))], **texts, "label": ["x"] * len(rows)}
    return pa.table(table, pa.schema([(name, pa.string()) for name in table]))


def told(rows, columns=COLUMNS, **likeness):
    """The twins among rows."""
    with TemporaryDirectory() as folder:
        return list(repeats(table_of(rows, columns), columns, Path(folder), workers=1, **likeness).each())


def across(known, asked, columns=COLUMNS, threshold=0.8, unit="characters", size=5):
    """The twins of rows among others."""
    shingles = Shingles(unit, size)
    with TemporaryDirectory() as folder:
        sides = [
            side(table_of(rows, columns), columns, Path(folder, str(place)), threshold, shingles, 1)
            for place, rows in enumerate((known, asked))
        ]
        return list(alike(*sides, columns, shingles, threshold).each())


def similarity(first, second, **likeness):
    """The plain meaning: that of the column in which two rows are least alike."""
    return min(jaccard(one, other, **likeness) for one, other in zip(first, second, strict=True))


def normal(row):
    return tuple(map(normalised, row))


def nearly(draw, row, **likeness):
    """A row that differs in each column, and in each by at most a fifth."""
    while True:
        other = tuple(changed(draw, text, draw.randint(1, 1 + len(text.split()) // 25)) for text in row)
        if similarity(row, other, **likeness) >= 0.8 and normal(row) != normal(other):
            return other


def test_a_long_premise_that_rows_share_makes_them_no_twins():
    rows = [(PREMISE, text) for text in ("he is healthy", "the heart may be ill", "she slept well")]
    assert told(rows) == across(rows[:1], rows[1:]) == []
    assert judged(NearDuplicates(type="near_duplicates"), table_of(rows), COLUMNS) == set()


@pytest.mark.parametrize("second", ["a cat sits there", PREMISE + "and one word"])
def test_the_other_way_round_is_another_row(second):
    rows = [("a dog sleeps on the old red sofa", second), (second, "a dog sleeps on the old red sofa")]
    assert told(rows) == across(rows[:1], rows[1:]) == []


def test_a_line_break_does_not_part_columns():
    rows = [("one line", "two lines\nand more"), ("one line\ntwo lines", "and more")]
    assert told(rows) == across(rows[:1], rows[1:]) == []
    assert judged(ExactDuplicates(type="exact_duplicates"), table_of(rows), COLUMNS) == set()


def test_what_is_nearly_the_same_in_both_columns_is_found():
    rows = [(PREMISE, "the patient suffers from a disease of the heart"),
            (PREMISE + "or three", "the patient suffers from a disease of the hearts")]  # fmt: skip
    (found,), (other,) = told(rows), across(rows[:1], rows[1:])
    assert (found.position, found.twin, found.exact) == (1, 0, False)
    assert found.similarity == other.similarity == similarity(*rows)
    assert told([rows[0], (PREMISE + "!", rows[0][1].upper())])[0].exact


def test_the_same_in_some_columns_only():
    table = table_of([("one text", "of the first"), ("one text", "but another"), ("One text", "of the first.")])
    assert judged(ExactDuplicates(type="exact_duplicates"), table, COLUMNS) == set()
    assert {each[0] for each in judged(NearDuplicates(type="near_duplicates"), table, COLUMNS)} == {"00000002"}
    assert {each[0] for each in judged(NearDuplicates(type="near_duplicates"), table, ["premise"])} == {
        "00000001",
        "00000002",
    }


@law
@given(st.tuples(TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS), LIKENESS)
def test_rows_are_as_alike_as_their_least_alike_column(first, second, likeness):
    shape = {"unit": likeness["unit"], "size": likeness["size"]}
    columns = ("a", "b", "c")
    texts = Texts(table_of([first, second], columns), columns, np.array([0, 1]))
    found = Pairs(Shingles(**shape), texts, texts).alike(np.array([0, 0]), np.array([1, 0]))
    assert found.tolist() == [similarity(first, second, **shape), 1.0]


@law
@given(PAIRS, LIKENESS)
def test_every_twin_stays_and_is_alike_in_each_column(rows, likeness):
    shape = {"unit": likeness["unit"], "size": likeness["size"]}
    found = told(rows, **likeness)
    gone = {each.position for each in found}
    for each in found:
        similar = similarity(rows[each.position], rows[each.twin], **shape)
        assert each.twin not in gone
        assert each.similarity == similar >= likeness["threshold"]
        assert each.exact == (normal(rows[each.position]) == normal(rows[each.twin]))
    staying = [normal(row) for position, row in enumerate(rows) if position not in gone]
    assert len(set(staying)) == len(staying)


@law
@given(PAIRS, PAIRS, LIKENESS)
def test_every_twin_across_is_alike_in_each_column(known, asked, likeness):
    shape = {"unit": likeness["unit"], "size": likeness["size"]}
    found = {each.position: each for each in across(known, asked, **likeness)}
    first = {row: position for position, row in reversed(list(enumerate(map(normal, known))))}
    for position, row in enumerate(asked):
        each = found.get(position)
        if normal(row) in first:
            assert each == (position, first[normal(row)], 1.0, True)
        elif each:
            assert each.similarity == similarity(row, known[each.twin], **shape) >= likeness["threshold"]
            assert not each.exact


@law
@given(PAIRS, LIKENESS)
def test_the_order_of_the_columns_changes_nothing(rows, likeness):
    other = [row[::-1] for row in rows]
    assert told(rows, **likeness) == told(other, COLUMNS[::-1], **likeness)
    assert across(rows[::2], rows[1::2], **likeness) == across(other[::2], other[1::2], COLUMNS[::-1], **likeness)


@law
@given(st.lists(TEXTS, max_size=25), LIKENESS)
def test_a_column_that_all_rows_share_changes_no_exact_twin(texts, likeness):
    alone = {
        (each.position, each.twin) for each in told([(text,) for text in texts], ["text"], **likeness) if each.exact
    }
    both = told([(PREMISE, text) for text in texts], **likeness)
    assert {(each.position, each.twin) for each in both if each.exact} == alone


@pytest.mark.parametrize("seed,swapped", [(1, False), (2, True)])
def test_the_twins_of_random_rows_are_those_that_an_oracle_finds(seed, swapped):
    """Far from the threshold MinHash misses none of so few: rows of few texts, each as it is or changed a little."""
    draw = random.Random(seed)
    texts = [sentence(draw, 25) for _ in range(5)]
    rows = []
    for _ in range(80):
        row = [changed(draw, text, draw.choice([0, 1, 15])) for text in draw.sample(texts, 2)]
        rows.append(tuple(row[::-1] if swapped else row))
    kept, gone = [], set()
    for position, row in enumerate(rows):
        if any(similarity(row, rows[other]) >= 0.7 for other in kept):
            gone.add(position)
        else:
            kept.append(position)
    assert 15 < len(gone) < 65
    assert {each.position for each in told(rows, threshold=0.7)} == gone
    known, asked = rows[:40], rows[40:]
    expected = {place for place, row in enumerate(asked) if any(similarity(row, other) >= 0.7 for other in known)}
    assert {each.position for each in across(known, asked, threshold=0.7)} == expected


@pytest.mark.parametrize("lengths", [(20, 20), (80, 15), (15, 40, 30)])
@pytest.mark.parametrize("unit,size", [("characters", 5), ("words", 2)])
def test_planted_near_duplicates_are_found(lengths, unit, size):
    draw, pairs, columns = random.Random(3), [], ("a", "b", "c")[: len(lengths)]
    for _ in range(500):
        row = tuple(sentence(draw, draw.randint(words, 2 * words)) for words in lengths)
        pairs.append((row, nearly(draw, row, unit=unit, size=size)))
    likeness = {"threshold": 0.7, "unit": unit, "size": size}
    found = told([row for pair in pairs for row in pair], columns, **likeness)
    assert all(each.position == each.twin + 1 for each in found)
    assert len(found) >= 0.99 * len(pairs)
    found = across([row for row, _ in pairs], [row for _, row in pairs], columns, **likeness)
    assert all(each.position == each.twin for each in found)
    assert len(found) >= 0.99 * len(pairs)


@pytest.mark.parametrize("columns", [1, 2, 3, 20])
@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_rows_at_the_threshold_in_each_of_many_columns(threshold, columns):
    bands = bands_for(threshold, columns)
    assert bands.count * bands.rows <= 128 * columns
    assert bands.found(threshold) >= 0.98
    assert bands_for(0.7, columns).found(0.8) >= 0.99


def test_a_column_that_all_rows_share_makes_few_candidates(monkeypatch):
    draw, asked = random.Random(4), []
    plain = Pairs.alike

    def counted(self, rows, others):
        asked.append(len(rows))
        return plain(self, rows, others)

    monkeypatch.setattr(Pairs, "alike", counted)
    rows = [(PREMISE, sentence(draw, 10)) for _ in range(5_000)]
    assert told(rows) == across(rows[::2], rows[1::2]) == []
    assert sum(asked) < 5_000  # of 19 million pairs
