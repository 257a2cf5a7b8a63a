"""Words, tags and spans of texts: what is a target, and which tokens it falls on."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.parts.tasks._reading import Reading
from runner.parts.tasks._task import Place
from runner.parts.tasks._words import firsts

TEXT = "Ann Lee's in New York."


def task(**fields):
    table = {"type": "token_classification", "data": ["news"], **fields}
    return kinds.pick("tasks", "token_classification").model_validate(table)


def spans(*each):
    return json.dumps([{"start": start, "end": end, "label": label} for start, end, label in each])


def test_spans_become_tags_of_words():
    words, tags = task().tags(spans((0, 7, "PER"), (13, 21, "LOC")), TEXT)
    assert [TEXT[start:end] for start, end in words] == ["Ann", "Lee", "'", "s", "in", "New", "York", "."]
    assert tags == ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "I-LOC", "O"]


def test_a_span_within_a_word_has_the_whole_word():
    assert task().tags(spans((1, 5, "PER")), TEXT)[1][:3] == ["B-PER", "I-PER", "O"]


def test_lists_of_tags_are_those_of_words_between_spaces():
    words, tags = task(scheme="plain").tags('["X", "Y"]', "Lee's in")
    assert (words, tags) == ([(0, 5), (6, 8)], ["X", "Y"])


@pytest.mark.parametrize(
    "value,text,why",
    [
        (spans((3, 99, "PER")), TEXT, "span 3 to 99 lies outside of the text, which has 22 characters"),
        (spans((5, 5, "PER")), TEXT, "span 5 to 5 lies outside"),
        (spans((3, 4, "PER")), TEXT, "span 3 to 4 holds no word"),
        (spans((0, 7, "PER"), (4, 9, "LOC")), TEXT, "span 4 to 9 (`Lee's`) overlaps the one before"),
        ('[{"start": 0, "end": 3}]', TEXT, "a span needs `start`, `end` and `label`"),
        ('["O", "O"]', "one", "2 tags for 1 words"),
        ('["X"]', "one", "`X` is none of B-TYPE, I-TYPE and O"),
        ("O", "one", "the target is no list of tags or spans"),
    ],
)
def test_what_is_no_target_says_why(value, text, why):
    with pytest.raises(ValueError) as error:
        task().units(value, (text,))
    assert why in str(error.value)


def test_broken_schemes_are_repaired_or_refused():
    value = '["I-A", "I-A", "I-B", "O", "I-A"]'
    assert task().tags(value, "a b c d e")[1] == ["B-A", "I-A", "B-B", "O", "B-A"]
    with pytest.raises(ValueError, match="`I-A` follows `O`: nothing to go on with"):
        task(broken="error").tags(value, "a b c d e")
    twice = spans((0, 3, "A"), (3, 6, "B"))
    assert task().tags(twice, "onetwo")[1] == ["B-A"]
    with pytest.raises(ValueError, match="shares a word"):
        task(broken="error").tags(twice, "onetwo")


def test_targets_fall_on_the_first_token_of_each_word():
    """Two tokens for `York`, special tokens around, the last word cut away."""
    places = np.array([(0, 0), (0, 3), (4, 7), (13, 16), (17, 19), (19, 21), (0, 0)])
    reading = Reading(
        [["Ann Lee in a New York .".replace(" in a", " inxx")]], np.array([0, 7]), places[:, 0], places[:, 1]
    )
    outputs = ("O", "B-PER", "I-PER")
    given_tags = '["B-PER", "I-PER", "O", "O", "O", "O"]'
    found = task().targets([given_tags], outputs, reading)
    words = [int(number) // 3 for number in found if number >= 0]
    tags = [outputs[int(number) % 3] for number in found if number >= 0]
    assert (words, tags) == ([0, 1, 3, 4], ["B-PER", "I-PER", "O", "O"])
    assert found[[0, 5, 6]].tolist() == [-100] * 3


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(0, 3))
@settings(max_examples=50, deadline=None, database=None)
def test_each_word_whose_tokens_are_there_is_judged_once(pieces, cut):
    words, starts, ends, place = [], [0], [0], 0
    for count in pieces:
        words.append((place, place + 2 * count))
        for piece in range(count):
            starts.append(place + 2 * piece)
            ends.append(place + 2 * piece + 2)
        place += 2 * count + 1
    keep = max(len(starts) - cut, 1)
    found = list(firsts(words, np.array([*starts[:keep], 0]), np.array([*ends[:keep], 0])))
    first = np.cumsum([1, *pieces])[:-1]
    assert found == [(word, token) for word, token in enumerate(first.tolist()) if token < keep]


@pytest.mark.parametrize("trimmed", [True, False])
def test_tokens_that_begin_with_the_space_before_a_word_are_its_own(trimmed):
    """As byte-level tokenizers give them, with offsets trimmed or not."""
    text = "the cat sat in London"
    words, _ = task(scheme="plain").tags('["D", "N", "V", "P", "N"]', text)
    starts = np.array([start - (start > 0 and not trimmed) for start, _ in words])
    assert list(firsts(words, starts, np.array([end for _, end in words]))) == [(n, n) for n in range(5)]


def test_a_token_over_two_words_is_that_of_the_first():
    assert list(firsts([(0, 1), (1, 2), (3, 4)], np.array([0, 2]), np.array([2, 4]))) == [(0, 0), (2, 1)]


def test_the_saved_model_parts_words_as_validation_did():
    from runner.answers.tags import Tags

    texts = ["book-saw it", "a b"]
    values = ['["X", "Y"]', '["Y", "Y"]']
    part = task(scheme="plain")
    gathered = part.gathered(
        Place("t", "validation", ("X", "Y"), ("1", "2")),
        part.written(values, Reading([texts], np.array([0]))),
        [([0, 1], [0, 1])] * 2,
    )
    assert isinstance(gathered, Tags)
    tuned = part.model_copy(update=part.tuned(gathered))
    assert [found["text"] for found in tuned.reply(([0, 1], [0, 1]), ("X", "Y"), texts[:1])] == ["book-saw", "it"]
    assert len(tuned.reply(([0], [0]), ("X", "Y"), texts[:1])) == 1  # of a word that was cut away nothing is said
    spans_ = task()
    value = spans((0, 4, "A"))
    answers = spans_.gathered(
        Place("t", "validation", ("O", "B-A"), ("1",)),
        spans_.written([value], Reading([texts[:1]], np.array([0]))),
        [([], [])],
    )
    assert spans_.tuned(answers) == {"words": "marks"}


@pytest.mark.parametrize(
    "scheme,value,why",
    [
        ("plain", "[]", "0 tags for 2 words"),
        ("plain", '["X", null]', "a tag is missing"),
        ("plain", '["X", ""]', "a tag is missing"),
        ("bio", '[{"start": 0, "end": 1, "label": null}]', "span 0 to 1 has no `label`"),
    ],
)
def test_tags_and_labels_must_be_there(scheme, value, why):
    with pytest.raises(ValueError, match=why):
        task(scheme=scheme).units(value, ("a b",))
