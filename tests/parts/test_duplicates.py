"""Exact and near duplicates: which rows go, by which twin, whatever the order of the rows."""

import random
import re
import string
import sys
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.parts.cleaners import _buckets, _chains
from runner.parts.cleaners._buckets import banded, greedy
from runner.parts.cleaners._minhash import bands_for
from runner.parts.cleaners._normal import normal, normalised, others
from runner.parts.cleaners._order import by_id
from runner.parts.cleaners._pairs import Pairs, Texts
from runner.parts.cleaners._shingles import Shingles
from runner.parts.cleaners._twins import alike, repeats, side
from runner.parts.cleaners.exact_duplicates import ExactDuplicates
from runner.parts.cleaners.near_duplicates import NearDuplicates

WORDS = ["".join(random.Random(seed).choices(string.ascii_lowercase, k=3 + seed % 6)) for seed in range(2_000)]
PIECES = st.sampled_from(["card", "lost my", "Money", "é", "\0", "!", "?!", " ", "a", "b", "कि", "12", "transfer"])
TEXTS = st.lists(PIECES, max_size=9).map("".join)
SETS = st.lists(TEXTS, max_size=30)
LIKENESS = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from([0.3, 0.5, 0.8, 1.0]),
        "unit": st.sampled_from(["characters", "words"]),
        "size": st.integers(1, 5),
    }
)

law = settings(max_examples=50, deadline=None)


def rows_of(texts, labels=None, seed=0):
    """A table whose ids are in no order."""
    numbers = random.Random(seed).sample(range(10_000_000), len(texts))
    columns = {"id": [f"{number:08}" for number in numbers], "text": texts, "label": labels or ["x"] * len(texts)}
    return pa.table(columns, pa.schema([(name, pa.string()) for name in columns]))


def shuffled(table, seed):
    return table.take(np.random.RandomState(seed).permutation(table.num_rows))


def judged(part, table, inputs=("text",)):
    """What a cleaner says, with ids for positions."""
    with TemporaryDirectory() as folder:
        found = list(part.judge(table, list(inputs), ["label"], Path(folder)))
        assert not any(Path(folder).iterdir())
    assert len({each.position for each in found}) == len(found)
    return {(table["id"][each.position].as_py(), each.reason, each.twin) for each in found}


def told(table, **likeness):
    with TemporaryDirectory() as folder:
        return list(repeats(table, ["text"], Path(folder), **likeness).each())


def between(reference, others, threshold=0.8, unit="characters", size=5, workers=None):
    shingles = Shingles(unit, size)
    with TemporaryDirectory() as folder:
        known = side(reference, ["text"], Path(folder, "known"), threshold, shingles, workers)
        asked = side(others, ["text"], Path(folder, "asked"), threshold, shingles, workers)
        return list(alike(known, asked, ["text"], shingles, threshold).each())


def without(table, found):
    gone = {each[0] for each in found}
    return table.filter(pa.array([id not in gone for id in table["id"].to_pylist()], pa.bool_()))


def shingles(text, unit="characters", size=5):
    """The plain meaning."""
    units = normalised(text) if unit == "characters" else normalised(text).split()
    return {tuple(units[start : start + size]) for start in range(max(1, len(units) - size + 1))}


def jaccard(first, second, **likeness):
    one, other = shingles(first, **likeness), shingles(second, **likeness)
    return len(one & other) / len(one | other)


def sentence(draw, words):
    return " ".join(draw.choices(WORDS, k=words))


def changed(draw, text, times):
    """The text with some of its words replaced."""
    words = text.split()
    for place in draw.sample(range(len(words)), times):
        words[place] = draw.choice(WORDS)
    return " ".join(words)


@pytest.mark.parametrize(
    "text,expected",
    [
        ("  Hello,\tWORLD_2!\n", "hello world 2"),
        ("Straße", "strasse"),
        ("किताब, की", "किताब की"),
        ("a\0b", "a b"),
        ("?!  :-)", "?! :-)"),
        ("", ""),
        (" \n", ""),
    ],
)
def test_what_counts_of_a_text(text, expected):
    assert normalised(text) == expected


@law
@given(SETS, st.integers(1, 6))
def test_texts_of_a_batch_are_normalised_as_one_by_one(texts, pad):
    found = {}
    for part in normal(pa.array(texts, pa.string()), pad):
        found |= dict(zip(part.rows.tolist(), part.texts, strict=True))
        codes = part.codes.tolist()
        for text, length in zip(part.texts, part.lengths.tolist(), strict=True):
            units = [code if code != 0xD800 else 0 for code in codes[:length]]
            assert units == [ord(each) for each in text.decode()]
            assert codes[length : length + pad] == [0] * pad
            codes = codes[length + pad :]
        assert codes == []
    assert [found[row].decode() for row in range(len(texts))] == list(map(normalised, texts))


@law
@given(st.lists(st.text("ab\0é-", max_size=20), unique=True, max_size=40), st.integers(1, 9))
def test_rows_in_the_order_of_their_ids(ids, size):
    chunks = [pa.array(ids[start : start + size], pa.string()) for start in range(0, len(ids), size)]
    order = by_id(pa.table({"id": pa.chunked_array(chunks, pa.string())}))
    assert [ids[row] for row in order.tolist()] == sorted(ids)


def test_marks_count_as_letters():
    marks = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M"]
    assert [mark for mark in marks if others().match(mark)] == []


@law
@given(TEXTS, TEXTS, st.sampled_from(["characters", "words"]), st.integers(1, 6))
def test_the_similarity_of_a_pair_is_that_of_its_sets(first, second, unit, size):
    texts = Texts(pa.table({"text": [first, second, first]}), ["text"], np.array([0, 1, 2]))
    found = Pairs(Shingles(unit, size), texts, texts).alike(np.array([0, 0, 1, 1]), np.array([1, 2, 0, 1]))
    similar = jaccard(first, second, unit=unit, size=size)
    assert found.tolist() == [similar, 1.0, similar, 1.0]


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 4),
    st.integers(1, 6),
    st.sampled_from([0, 1, 2, 1000]),
    st.sampled_from([1, 3, 10, 1000]),
)
@settings(max_examples=200, deadline=None)
def test_by_rounds_and_in_blocks_the_same_rows_go_as_one_by_one(seed, rows, bands, values, rounds, pairs):
    draw = np.random.RandomState(seed)
    keys = draw.randint(0, values, (bands, rows)).astype(np.uint32)
    similar = draw.random_sample((rows, rows))
    similar = np.minimum(similar, similar.T)
    kept = []
    for row in range(rows):
        if not any(similar[row, other] >= 0.4 and (keys[:, row] == keys[:, other]).any() for other in kept):
            kept.append(row)
    with TemporaryDirectory() as folder:
        bands = banded(keys, Path(folder))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_buckets, "ROUNDS", rounds)
            patch.setattr(_chains, "PAIRS", pairs)
            twins, similarities = greedy(bands, rows, 0.4, lambda *pair: similar[pair])
    assert np.flatnonzero(twins < 0).tolist() == kept
    gone = np.flatnonzero(twins >= 0)
    assert (similarities[gone] == similar[gone, twins[gone]]).all() and (similarities[gone] >= 0.4).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 120), st.sampled_from([0.3, 0.6]), st.sampled_from([1, 50, 100_000]))
def test_of_a_chain_the_same_rows_go_in_blocks_as_by_rounds(seed, rows, threshold, pairs):
    words = random.Random(seed).choices(WORDS, k=rows + 12)
    texts = [" ".join(words[row : row + 12]) for row in range(rows)]
    table = pa.table({"id": [f"{row:04}" for row in range(rows)], "text": texts})
    found = []
    for rounds in (0, 1_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_buckets, "ROUNDS", rounds)
            patch.setattr(_chains, "PAIRS", pairs)
            found.append(told(table, threshold=threshold, unit="words", size=1))
    assert [each.position for each in found[0]] == [each.position for each in found[1]]
    gone = {each.position for each in found[0]}
    assert all(each.twin not in gone and each.similarity >= threshold for each in found[0])


@pytest.mark.parametrize("part", [ExactDuplicates, NearDuplicates])
@law
@given(SETS, st.integers(0, 1_000))
def test_the_order_of_the_rows_changes_nothing(part, texts, seed):
    table = rows_of(texts, [text[:1] for text in texts])
    cleaner = part(type=part.kind)
    assert judged(cleaner, table) == judged(cleaner, shuffled(table, seed))


@pytest.mark.parametrize("part", [ExactDuplicates, NearDuplicates])
@law
@given(SETS)
def test_of_the_rows_that_stay_none_goes(part, texts):
    table, cleaner = rows_of(texts), part(type=part.kind)
    assert judged(cleaner, without(table, judged(cleaner, table))) == set()


@law
@given(SETS, LIKENESS)
def test_every_twin_stays_and_is_alike(texts, likeness):
    table = rows_of(texts)
    found = told(table, **likeness)
    gone = {each.position for each in found}
    for each in found:
        similar = jaccard(texts[each.position], texts[each.twin], unit=likeness["unit"], size=likeness["size"])
        assert each.twin not in gone
        assert each.similarity == similar >= likeness["threshold"]
        assert each.exact == (normalised(texts[each.position]) == normalised(texts[each.twin]))
    staying = [normalised(text) for position, text in enumerate(texts) if position not in gone]
    assert len(set(staying)) == len(staying)


@law
@given(SETS, SETS, LIKENESS)
def test_every_twin_across_is_alike_and_exact_ones_are_found(known, asked, likeness):
    found = {each.position: each for each in between(rows_of(known), rows_of(asked), **likeness)}
    first = {text: position for position, text in reversed(list(enumerate(map(normalised, known))))}
    for position, text in enumerate(asked):
        each = found.get(position)
        if normalised(text) in first:
            assert each == (position, first[normalised(text)], 1.0, True)
        elif each:
            similar = jaccard(text, known[each.twin], unit=likeness["unit"], size=likeness["size"])
            assert each.similarity == similar >= likeness["threshold"] and not each.exact


@law
@given(SETS, st.integers(0, 1_000))
def test_the_order_of_the_other_rows_changes_nothing(texts, seed):
    reference, others = rows_of(texts[::2]), rows_of(texts[1::2])
    mixed = shuffled(others, seed)

    def named(table):
        return {(table["id"][each.position].as_py(), *each[1:]) for each in between(reference, table)}

    assert named(others) == named(mixed)


def test_workers_change_nothing():
    draw = random.Random(1)
    texts = [sentence(draw, 8) for _ in range(3_000)]
    table = rows_of(texts + [changed(draw, text, 1) for text in texts])
    assert told(table, workers=2) == told(table, workers=1) != []


@pytest.mark.parametrize("unit,size", [("characters", 5), ("words", 2)])
def test_planted_near_duplicates_are_found(unit, size):
    draw, pairs = random.Random(2), []
    while len(pairs) < 2_000:
        text = sentence(draw, draw.randint(15, 40))
        other = changed(draw, text, draw.randint(1, 3))
        if 0.8 <= jaccard(text, other, unit=unit, size=size) < 1:
            pairs.append((text, other))
    table = rows_of([text for pair in pairs for text in pair])
    likeness = {"threshold": 0.7, "unit": unit, "size": size}
    assert {each.position // 2 for each in told(table, **likeness)} <= set(range(len(pairs)))
    assert len(told(table, **likeness)) >= 0.99 * len(pairs)
    found = between(rows_of([text for text, _ in pairs]), rows_of([text for _, text in pairs]), **likeness)
    assert all(each.position == each.twin for each in found)
    assert len(found) >= 0.99 * len(pairs)


def test_rows_that_are_half_alike_stay():
    draw, texts = random.Random(3), []
    while len(texts) < 20_000:
        text = sentence(draw, 10)
        other = changed(draw, text, 3)
        if 0.2 < jaccard(text, other) < 0.5:
            texts += [text, other]
    assert told(rows_of(texts), threshold=0.7) == []
    assert between(rows_of(texts[::2]), rows_of(texts[1::2]), threshold=0.7) == []


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_pairs_at_the_threshold(threshold):
    bands = bands_for(threshold)
    assert bands.count * bands.rows <= 128
    assert bands.found(threshold) >= 0.98
    assert bands_for(0.7).found(0.8) >= 0.99


def test_alike_rows_of_a_large_bucket_are_all_found():
    text = " ".join(WORDS[:60])
    table = rows_of([f"{text} {word}" for word in WORDS])
    assert len(told(table)) == 1_999
    assert len(between(table.slice(0, 1_000), table.slice(1_000))) == 1_000


@pytest.mark.parametrize("copies", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_many_copies_of_one_row(copies):
    table = rows_of(["the same text"] * copies)
    first = int(np.argmin(table["id"].to_pylist())) if copies < 100_000 else None
    found = told(table, workers=1)
    assert len(found) == copies - 1
    assert {each.twin for each in found} == ({first} if first is not None else {found[0].twin})
    assert len(between(table.slice(0, 10), table, workers=1)) == copies


@pytest.mark.parametrize("megabytes", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_a_very_long_text(megabytes):
    text = " ".join(random.Random(4).choices(WORDS, k=megabytes * 160_000))
    assert len(text) > megabytes * 1_000_000
    table = rows_of([text, "short", text + " and an end", text[: len(text) // 200]])
    found = told(table, workers=1)
    assert {(each.position, each.twin) for each in found} in ({(0, 2)}, {(2, 0)})


def test_texts_of_no_letters_differ_by_their_signs():
    assert told(rows_of([":)", ":(", "?", "\0", "\0\0", "😀", "😡"])) == []
    assert len(told(rows_of(["", " ", "\n", "!", " ! "]))) == 3


def table_of(*rows):
    """Rows of id, text and label."""
    return pa.table(dict(zip(("id", "text", "label"), map(list, zip(*rows, strict=True)), strict=True)))


def test_exact_duplicates_say_whether_the_label_is_another():
    table = table_of(("c", "Hello", "x"), ("a", "Hello", "x"), ("b", "Hello", "y"), ("d", "hello ", "x"))
    assert judged(ExactDuplicates(type="exact_duplicates"), table) == {
        ("b", "exact duplicate with another label", "a"),
        ("c", "exact duplicate", "a"),
    }


@pytest.mark.parametrize(
    "fields,gone",
    [
        ({"ignore_case": True}, {"b"}),
        ({"ignore_space": True}, {"c"}),
        ({"ignore_case": True, "ignore_space": True}, {"b", "c", "d"}),
    ],
)
def test_exact_duplicates_may_ignore_case_and_space(fields, gone):
    table = table_of(
        ("a", "Hello  you", "x"), ("b", "HELLO  you", "x"), ("c", " Hello you", "x"), ("d", "hello you", "x")
    )
    assert {each[0] for each in judged(ExactDuplicates(type="exact_duplicates", **fields), table)} == gone


def test_near_duplicates_say_whether_the_label_is_another():
    text = "please send me a new card to my new address in the north of the country"
    table = table_of(("c", text, "x"), ("a", text + "!!", "x"), ("b", text + " now", "y"), ("d", "another one", "x"))
    assert judged(NearDuplicates(type="near_duplicates"), table) == {
        ("b", "near duplicate with another label", "a"),
        ("c", "near duplicate", "a"),
    }


@pytest.mark.parametrize("part", [ExactDuplicates, NearDuplicates])
def test_no_rows_are_no_duplicates(part):
    assert judged(part(type=part.kind), rows_of([])) == set()
    assert between(rows_of([]), rows_of(["a"])) == between(rows_of(["a"]), rows_of([])) == []


def test_a_memory_mapped_table_of_many_batches(tmp_path, monkeypatch):
    draw = random.Random(5)
    table = rows_of([re.sub(" ", "  ", sentence(draw, 5)) for _ in range(500)] * 2)
    with pa.OSFile(str(tmp_path / "rows.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=7):
            writer.write_batch(batch)
    mapped = pa.ipc.open_file(pa.memory_map(str(tmp_path / "rows.arrow"))).read_all()
    assert told(mapped) == told(table)
    assert len(told(mapped)) == 500
    monkeypatch.setattr("runner.parts.cleaners._pairs.HELD", 10)
    assert told(mapped) == told(table)
    assert told(mapped.slice(0, 5)) == []
