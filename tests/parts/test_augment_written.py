"""What models write: by choices of each text's own, guarded against echoes, compared with the parent."""

import random
from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from pydantic import ValidationError

from runner import kinds
from runner.data.named import resolved
from runner.errors import RunnerError
from runner.parts.augment._augmentation import Parent, Refused
from runner.parts.augment._encoder import Encoder
from runner.parts.augment._filler import Filler, Gap, in_letters_of, words_of
from runner.parts.augment._generation import TOO_LONG, UNFINISHED, Choices, Sampling, Writer
from runner.parts.augment._models import load
from runner.parts.augment._written import ECHO, EMPTY, SAME, anew, told
from runner.parts.augment.paraphrase import CHAT

TEXTS = [" ".join(["the quick fox runs now", "a good film", "bad day and words", "cat sees dog"][: 1 + n % 4] * (1 + n % 3))
         for n in range(24)]  # fmt: skip
KINDS = {
    "masked": {"type": "masked_words", "model": "./masked"},
    "causal": {"type": "paraphrase", "model": "./causal", "max_tokens": 60},
    "chat": {"type": "paraphrase", "model": "./chat", "max_tokens": 60},
    "seq2seq": {"type": "paraphrase", "model": "./seq2seq", "max_tokens": 60},
    "two": {"type": "back_translate", "to": "./seq2seq", "back": "./seq2seq", "max_tokens": 60},
    "told": {"type": "back_translate", "model": "./chat", "language": "French", "max_tokens": 60},
}


def build(fields):
    return kinds.pick("augment", fields["type"]).model_validate(fields)


def ready(fields, folder):
    part = build(fields)
    (places,), faults = resolved({0: part}, folder)
    assert faults == []
    return part.ready(places)


def parents(texts, seed=0):
    return [Parent(text, text, random.Random(f"{seed} {text}"), []) for text in texts]


@pytest.mark.parametrize("name", KINDS)
def test_what_is_written_beside_a_text_changes_nothing(name, writers):
    write = ready(KINDS[name], writers)
    texts = list(dict.fromkeys(TEXTS))
    together = list(write(parents(texts)))
    assert together == [next(iter(write([each]))) for each in parents(texts)]
    assert together == list(write(parents(texts[::-1])))[::-1]
    new = [each for each in together if isinstance(each, str)]
    assert len(set(new)) > 2
    assert all(each.strip() for each in new)


@pytest.mark.parametrize("name", KINDS)
def test_each_copy_is_another(name, writers):
    write = ready(KINDS[name], writers)
    made = {each for seed in range(30) for each in write(parents([TEXTS[1]], seed)) if isinstance(each, str)}
    assert len(made) > 3


def test_a_text_longer_than_the_model_takes_is_refused(writers):
    assert next(iter(ready(KINDS["causal"], writers)(parents(["fox " * 600, "fox"])))) == TOO_LONG


def test_an_answer_without_an_end_is_refused(writers):
    writer = Writer(writers / "causal")
    assert writer.text([5, 7, 1, 9]) == "quick fox"
    assert writer.text([1]) == ""
    assert writer.text([5, 7]) == UNFINISHED
    assert writer.answers([], "{text}", [], Sampling(1.0, 1.0, 4)) == []


def test_chat_models_get_a_message(writers):
    writer = Writer(writers / "chat")
    assert writer.chats and not Writer(writers / "causal").chats
    assert writer.tokens("quick fox") == [5, 7, 1]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("A fast fox.", "A fast fox."),
        ('Here is the text in other words:\n\n"A fast fox."', "A fast fox."),
        ("A fast fox.\n\nI hope this helps!", "A fast fox."),
        ("“A fast fox.”", "A fast fox."),
        ("rewritten text: A fast fox.", "A fast fox."),
        ("Sure! In other words: the quick fox!", Refused("repeats its parent and adds to it")),
        ("Rewrite the text in different words.", ECHO),
        ("", ""),
    ],
)
def test_what_chat_models_add_is_left_out(answer, found):
    assert told(answer, "The quick fox", CHAT) == found


def test_a_text_of_several_lines_keeps_its_lines():
    assert told("A fast fox.\nIt ran.", "The quick fox.\nIt runs.", CHAT) == "A fast fox.\nIt ran."


@pytest.mark.parametrize(
    ("answer", "found"),
    [("the QUICK fox!", SAME), ("  ", EMPTY), ("the fox", "the fox"), (Refused("why"), Refused("why"))],
)
def test_echoes_are_refused(answer, found):
    assert anew(answer, "The quick fox") == found


def test_answers_are_compared_with_their_parents():
    part = build({**KINDS["causal"], "min_similarity": 0.5, "max_similarity": 0.9})
    seen = []

    def similarities(some, others):
        seen.extend(zip(some, others, strict=True))
        return [0.4, 0.5, 0.9, 0.95]

    answers = ["far", EMPTY, "near", "nearer", "same"]
    found = list(part.compared(SimpleNamespace(similarities=similarities), parents(["a", "b", "c", "d", "e"]), answers))
    assert seen == [("far", "a"), ("near", "c"), ("nearer", "d"), ("same", "e")]
    assert found == [Refused("similarity with its parent below 0.5"), EMPTY, "near", "nearer",
                     Refused("similarity with its parent above 0.9")]  # fmt: skip


def test_similarity_is_the_cosine_whatever_stands_beside(writers):
    encoder = Encoder(writers / "encoder")
    assert encoder.similarities(["quick fox"], ["quick fox"]) == pytest.approx([1.0])
    (alone,) = encoder.similarities(["quick fox"], ["bad day"])
    assert encoder.similarities(["quick fox", "the " * 99], ["bad day", "a"])[0] == pytest.approx(alone, abs=1e-5)
    assert alone < 0.999
    assert encoder.similarities([], []) == []


def draw(logits, seeds, **sampling):
    whole = Sampling(**{"temperature": 1.0, "top_p": 1.0, "max_tokens": 1, **sampling})
    choices = Choices(seeds, whole, [1] * len(seeds), 0)
    scores = torch.tensor([logits] * len(seeds))
    made = choices(None, scores)
    assert (made.isfinite().sum(-1) == 1).all()
    return made.argmax(-1).tolist()


def test_tokens_are_chosen_by_their_probability():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().tolist()
    counts = Counter(draw(logits, range(4000)))
    assert [counts[each] / 4000 for each in range(4)] == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)
    assert set(draw(logits, range(200), top_p=0.6)) == {0, 1}
    assert set(draw(logits, range(200), top_p=0.01)) == {0}
    assert set(draw(logits, range(200), temperature=0.01)) == {0}
    assert set(draw([0.0, -torch.inf, -torch.inf], range(50))) == {0}


def test_a_row_at_its_limit_ends():
    choices = Choices([1, 2], Sampling(1.0, 1.0, 9), [1, 2], 3)
    scores = torch.tensor([[0.0, 1.0, 0.5, -torch.inf]] * 2)
    ended = [(choices(None, scores).argmax(-1) == 3).tolist() for _ in range(3)]
    assert ended == [[False, False], [True, False], [True, True]]


def test_a_masked_word_gets_another_and_the_rest_stays(writers):
    write = ready({**KINDS["masked"], "alpha": 0.3}, writers)
    for text in ["The quick, brown fox;  runs\naway!", "fox", "“Quick!”"]:
        (made,) = write(parents([text]))
        before, after = text, made
        for mark in ' ,;\n!“”':  # fmt: skip
            assert before.count(mark) == after.count(mark)
        assert made != text
        assert len(made.split()) == len(text.split())


def test_only_whole_words_are_filled_in(writers):
    _, tokenizer = load(writers / "masked", "masked")
    words = words_of(tokenizer, 29)
    assert {"the", "fox", "a"} <= set(words)
    assert not {"[MASK]", "[END]", "s", "##s", ".", "?"} & set(words)


def test_the_choice_is_by_probability_and_never_the_old_word(writers):
    filler = Filler(writers / "masked", 2)
    at = {word: id for id, word in enumerate(filler.words) if word}
    tokens, shares = [at["fox"], at["cat"], at["dog"]], [0.6, 0.3, 0.1]
    assert filler.choice("Fox", tokens, shares, 0.0) == "Cat"
    assert filler.choice("fox", tokens, shares, 0.76) == "dog"
    assert filler.choice("bad", tokens, shares, 0.99) == "cat"
    assert filler.choice("fox", [at["fox"]], [1.0], 0.5) == "fox"


def test_a_text_that_holds_the_mask_stays(writers):
    filler = Filler(writers / "masked", 2)
    text = "the [MASK] fox"
    assert list(filler.fill([text], [[Gap(0, 0, 3, 0.5)]])) == [text]


def test_letters_are_those_of_the_old_word():
    assert [in_letters_of(old, "cat") for old in ("DOG", "Dog", "dog", "I")] == ["CAT", "Cat", "cat", "Cat"]


def test_weights_that_are_missing_are_told(writers, tmp_path):
    with pytest.raises(RunnerError, match=r"lacks \d+ weights, such as `cls"):
        load(writers / "encoder", "masked")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RunnerError, match="does not load"):
        load(tmp_path, "causal")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "paraphrase", "model": "x", "prompt": "say it anew"}, "a prompt holds `{text}` once"),
        ({"type": "back_translate", "to": "x"}, "write either `to` and `back`, or `model` and `language`"),
        ({"type": "back_translate", "to": "x", "back": "y", "model": "z"}, "write either"),
        ({"type": "back_translate", "model": "z"}, "write either"),
        ({"type": "synonyms"}, "write either `table` or `wordnet`"),
        ({"type": "synonyms", "table": "x.csv", "wordnet": "oewn:2024"}, "write either `table` or `wordnet`"),
    ],
)
def test_fields_that_go_together(fields, message):
    with pytest.raises(ValidationError, match=message):
        build(fields)
