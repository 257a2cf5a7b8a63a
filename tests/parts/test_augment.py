"""Laws of augmentations: the same choices give the same text, no text is lost, and what each kind promises."""

import random
import re
from collections import Counter

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.data.named import resolved
from runner.parts.augment._augmentation import Augmentation, Parent, Refused

NAMES = [name for name in kinds.names("augment") if issubclass(kinds.pick("augment", name), Augmentation)]
PEERS = ["one more text", "and another"]
TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(["quick", "The", "fox", "runs.", "Quick!", "Now", "3.5", "naïve", "\x00", "🙂", "a"]), max_size=25
).map(" ".join)
laws = settings(deadline=None, max_examples=60)


# What the examples name is on no test machine: tiny models stand in, below the folder of the fixture `writers`.
TINY = {
    "masked_words": {"model": "./masked"},
    "paraphrase": {"model": "./causal", "embedder": "./encoder", "min_similarity": -1.0, "max_tokens": 12},
    "back_translate": {"to": "./seq2seq", "back": "./seq2seq", "max_tokens": 12},
}
READY = {}


@pytest.fixture(scope="module", autouse=True)
def folder(writers):
    READY["folder"] = writers
    yield
    READY.clear()


def build(name, **fields):
    part = kinds.pick("augment", name)
    example = tomli.loads(re.findall(r"```toml\n(.*?)```", part.__doc__, re.DOTALL)[-1])
    given = {key.strip(): value for key, value in example.items()}
    return part.model_validate({**given, **TINY.get(name, {}), **fields})


def ready(part):
    """What makes the variants; models are loaded once."""
    key = part.model_dump_json()
    if key not in READY:
        (places,), faults = resolved({0: part}, READY["folder"])
        assert faults == []
        READY[key] = part.ready(places)
    return READY[key]


def varied(part, parents):
    made = zip(parents, ready(part)(parents), strict=True)
    return [parent.text if isinstance(each, Refused) else each for parent, each in made]


def vary(part, text, seed=0, peers=PEERS):
    (made,) = varied(part, [Parent("id", text, random.Random(seed), peers)])
    return made


def in_order(few, many):
    rest = iter(many)
    return all(each in rest for each in few)


@pytest.mark.parametrize("name", NAMES)
@given(text=TEXTS, seed=st.integers(0, 2**32))
@laws
def test_the_same_choices_give_the_same_text_that_is_not_empty(name, text, seed):
    part = build(name)
    before = random.getstate()
    made = vary(part, text, seed)
    assert made == vary(part, text, seed)
    assert random.getstate() == before
    assert made.strip() or not text.strip()


@pytest.mark.parametrize("name", NAMES)
def test_who_else_is_varied_changes_nothing(name):
    texts = ["The quick fox. It runs. Away now.", "Quick, said she. He went.", "no"]
    part = build(name)
    alone = [vary(part, text, seed) for seed, text in enumerate(texts)]
    parents = [Parent(str(seed), text, random.Random(seed), PEERS) for seed, text in enumerate(texts)]
    assert varied(part, parents) == alone
    assert varied(part, [Parent(p.id, p.text, random.Random(int(p.id)), PEERS) for p in parents[::-1]]) == alone[::-1]


@pytest.mark.parametrize("name", NAMES)
def test_a_long_text_is_varied(name):
    text = "quick brown fox. " * 20_000 + "A last one, which runs."
    part = build(name)
    made = vary(part, text)
    assert len(made) > 100_000
    assert part.models or made.split() != text.split(), "only a model may find a text too long"


@given(TEXTS, st.integers(0, 99))
@laws
def test_what_happens_to_the_words(text, seed):
    words = text.split()
    table = {"quick": ["fast"]}
    assert Counter(vary(build("swap_words"), text, seed).split()) == Counter(words)
    assert in_order(vary(build("delete_words"), text, seed).split(), words)
    assert in_order(words, vary(build("insert_words", table=table), text, seed).split())
    marked = vary(build("punctuation"), text, seed).split()
    assert in_order(words, marked)
    marks = Counter(marked) - Counter(words)
    assert set(marks) <= set(".;?:!,") and marks.total() == len(marked) - len(words) <= max(1, int(0.3 * len(words)))
    assert marks or not words
    assert len(vary(build("synonyms", table=table), text, seed).split()) == len(words)


@given(TEXTS, st.integers(0, 99))
@laws
def test_both_texts_are_in_a_combined_one(text, seed):
    made = vary(build("combine_sentences"), text, seed)
    assert made in {joined for peer in PEERS for joined in (f"{text} {peer}", f"{peer} {text}")}
    assert vary(build("combine_sentences"), text, seed, []) == text


def test_literal_values():
    assert vary(build("synonyms", table={"quick": ["fast"]}), "The Quick fox") == "The fast fox"
    assert vary(build("synonyms", table={"quick": ["fast"]}), 'the "Quick," fox') == 'the "fast," fox'
    assert (
        vary(build("synonyms", table={"e.g.": ["such as"], "e.g": ["no"]}), "Dogs, e.g. this") == "Dogs, such as this"
    )
    assert sorted(vary(build("insert_words", table={"quick": ["fast"]}), "(quick) fox").split()) == [
        "(quick)",
        "fast",
        "fox",
    ]
    assert sorted(vary(build("insert_words", table={"quick": ["fast"]}), "quick fox").split()) == [
        "fast",
        "fox",
        "quick",
    ]
    assert vary(build("shuffle_sentences"), "He paid 3.5 pounds. She left!") == "She left! He paid 3.5 pounds."
    assert vary(build("shuffle_sentences"), "one sentence, e.g. this") == "one sentence, e.g. this"
    assert vary(build("delete_words", alpha=0.999), "a b c") in {"a", "b", "c"}


def test_typos_are_slips_of_one_letter():
    made = {vary(build("typos"), "keyboard", seed) for seed in range(300)}
    assert {"leyboard", "ekyboard", "kyboard", "kkeyboard"} <= made
    assert all(abs(len(each) - 8) <= 1 for each in made)
    assert vary(build("typos"), "a 12 ok", 1) == "a 12 ok"
