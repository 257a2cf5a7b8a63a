"""Proxies: each gives every text a number or says that it can't; literal values, and laws over any texts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.parts.proxies._proxy import Samples
from runner.parts.proxies._words import sentences, words
from runner.parts.proxies.allowed import Allowed
from runner.parts.proxies.coherence import Coherence
from runner.parts.proxies.discourse_markers import DiscourseMarkers
from runner.parts.proxies.fluency import Fluency
from runner.parts.proxies.json import Json
from runner.parts.proxies.keyword_coverage import KeywordCoverage
from runner.parts.proxies.length import Length
from runner.parts.proxies.novelty import Novelty
from runner.parts.proxies.pattern import Pattern
from runner.parts.proxies.relevance import Relevance
from runner.parts.proxies.repetition import Repetition
from runner.parts.proxies.self_bleu import SelfBleu
from runner.parts.proxies.toxicity import Toxicity

CHEAP = (
    Allowed(type="allowed", values=["yes", "No"]),
    DiscourseMarkers(type="discourse_markers"),
    Json(type="json"),
    KeywordCoverage(type="keyword_coverage"),
    Novelty(type="novelty"),
    Pattern(type="pattern", expression="[a-z ]*"),
    Repetition(type="repetition", words=2),
    SelfBleu(type="self_bleu"),
)
texts = st.lists(st.text("ab, .\n{}1é", max_size=30), max_size=5)


def found(proxy: Any, *said: str, prompt: str = "the fox", train: tuple[str, ...] = (), **places: Path) -> list[Any]:
    return list(proxy.ready(places)(Samples([prompt] * len(said), said, lambda: train)))


def values(proxy: Any, *said: str, **more: Any) -> list[float | None]:
    return [each.value for each in found(proxy, *said, **more)]


def test_words_and_sentences() -> None:
    assert words("It’s the 2nd, isn't it? naïve") == ["it's", "the", "2nd", "isn't", "it", "naïve"]
    assert sentences('He said "no." Then he left! ...\nA line') == ['He said "no."', "Then he left!", "A line"]
    assert sentences(" ... ") == [] and sentences("") == []


def test_novelty_is_what_is_left_beside_the_longest_run_that_train_has() -> None:
    train = ("once upon a time there was a king", "a king and a queen")
    got = found(Novelty(type="novelty"), "Once upon a time a king", "a king, and a QUEEN", "new", "", train=train)
    assert [each.value for each in got] == [1 - 4 / 6, 0.0, 1.0, None]
    assert [each.raw for each in got] == ["4 words: once upon a time", "5 words: a king and a queen", "", ""]


@given(
    said=st.lists(st.text("ab ", max_size=12), min_size=1, max_size=3),
    train=st.lists(st.text("ab ", max_size=12), max_size=3),
)
def test_novelty_is_what_a_search_of_all_runs_finds(said: list[str], train: list[str]) -> None:
    def longest(text: list[str]) -> int:
        runs = {
            tuple(each[a:b])
            for each in map(words, train)
            for a in range(len(each))
            for b in range(a + 1, len(each) + 1)
        }
        return max(
            (b - a for a in range(len(text)) for b in range(a + 1, len(text) + 1) if tuple(text[a:b]) in runs),
            default=0,
        )

    expected = [1 - longest(words(text)) / len(words(text)) if words(text) else None for text in said]
    assert values(Novelty(type="novelty"), *said, train=tuple(train)) == expected


def test_keywords_of_the_prompt_that_the_text_takes_up() -> None:
    (got,) = found(KeywordCoverage(type="keyword_coverage"), "A Fox ran.", prompt="The fox and the hound")
    assert (got.value, got.raw) == (0.5, "lacks: hound")
    assert values(KeywordCoverage(type="keyword_coverage"), "anything", prompt="and the") == [None]


def test_connectives_count_in_the_sentences_after_the_first() -> None:
    (got,) = found(
        DiscourseMarkers(type="discourse_markers"), "But it rained. However, we went. We sang. We ate because we could."
    )
    assert (got.value, got.raw) == (2 / 3, "however, because")
    assert values(DiscourseMarkers(type="discourse_markers"), "But one.") == [None]


def test_repeated_runs() -> None:
    (got,) = found(Repetition(type="repetition", words=2), "a b a b a")
    assert (got.value, got.raw) == (0.5, "2 times: a b")
    assert values(Repetition(type="repetition"), "a b c", "a b c d") == [None, 0.0]


def test_self_bleu_is_that_of_sacrebleu_against_all_others() -> None:
    from sacrebleu import sentence_bleu

    said = ["the cat sat on the mat", "the cat sat on a hat today", "no words in common"]
    expected = [sentence_bleu(text, [one for one in said if one != text]).score / 100 for text in said]
    assert values(SelfBleu(type="self_bleu"), *said) == pytest.approx(expected)
    assert values(SelfBleu(type="self_bleu"), "alone") == [None]


def test_formats() -> None:
    assert values(Json(type="json"), '{"a": 1}', "{a: 1}", "NaN", "", "[" * 100_000) == [1, 0, 0, 0, 0]
    assert values(Pattern(type="pattern", expression="git .*"), "git log", "git log\n-p", "a git log") == [1, 1, 0]
    assert values(Allowed(type="allowed", values=["Yes", "no"]), " yes ", "NO", "maybe") == [1, 1, 0]
    assert values(Length(type="length"), "three short words", "") == [3, 0]


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        Pattern(type="pattern", expression="(")


def test_words_of_a_list_count_as_whole_words(tmp_path: Path) -> None:
    listed = tmp_path / "words.txt"
    listed.write_text("# a comment\nheck\ndarn it\n\n", encoding="utf-8")
    got = found(Toxicity(type="toxicity", words="words.txt"), "Heck! HECK", "checked", "oh darn  it", words=listed)
    assert [(each.value, each.raw) for each in got] == [(1.0, "heck"), (0.0, ""), (1.0, "darn  it")]
    listed.write_text("", encoding="utf-8")
    assert values(Toxicity(type="toxicity", words="words.txt"), "heck", words=listed) == [0.0]


@settings(max_examples=30)
@given(said=texts)
def test_every_text_gets_a_share_or_nothing_in_its_place(said: list[str]) -> None:
    for proxy in CHEAP:
        got = found(proxy, *said)
        assert len(got) == len(said)
        assert all(each.value is None or 0 <= each.value <= 1 + 1e-9 for each in got), proxy.kind


def test_a_text_is_nearest_to_itself(encoder: Path) -> None:
    proxy = Relevance(type="relevance", base="./encoder")
    same, other, empty = values(
        proxy, "the film was good", "sad sad sad", " ", prompt="the film was good", base=encoder
    )
    assert same == pytest.approx(1, abs=1e-5) and other is not None and other < 1 and empty is None


def test_sentences_that_say_the_same_cohere(encoder: Path) -> None:
    proxy = Coherence(type="coherence", base="./encoder")
    same, other, one = values(proxy, "we saw it. we saw it.", "we saw it. sad nasty sour!", "we saw it.", base=encoder)
    assert (
        same == pytest.approx(1, abs=0.01) and other is not None and same is not None and other < same and one is None
    )


def test_fluency_is_the_perplexity_that_transformers_tells(writers: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = writers / "causal"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    said = ["the film was good and we saw it", "a sad day"]
    expected = []
    for text in said:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        with torch.no_grad():
            expected.append(math.exp(model(input_ids=ids, labels=ids).loss.item()))
    assert values(Fluency(type="fluency", base="./causal"), *said, base=folder) == pytest.approx(expected, rel=1e-3)
    assert values(Fluency(type="fluency", base="./causal"), "", base=folder) == [None]


def test_what_is_kept_beside_a_value_is_text() -> None:
    assert all(json.dumps(each.raw) for proxy in CHEAP for each in found(proxy, "a b. a b", ""))
