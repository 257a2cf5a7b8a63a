"""The linear-chain CRF: against enumeration of all taggings, whatever lies beside a text, and with its scheme kept."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.parts.tasks import _crf
from runner.parts.tasks._output import Output
from tests.parts.heads import toy
from tests.parts.test_heads import output, score, vectors

OUTPUTS = ("O", "B-A", "I-A", "B-B", "I-B")
IGNORED = -100

law = settings(max_examples=25, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)
# Of each text which words have a token, by how far each is from the one before; texts without any too.
texts = st.lists(st.lists(st.sampled_from([1, 1, 1, 2]), max_size=4), min_size=1, max_size=4)


def task(**fields):
    table = {"type": "token_classification", "data": ["news"], "crf": True, **fields}
    return kinds.pick("tasks", "token_classification").model_validate(table)


def chain(seed, outputs=OUTPUTS, hidden=3, spread=1.0, **fields):
    """A head whose scores of order are random too."""
    torch.manual_seed(seed)
    head = task(**fields).layer(hidden, outputs)
    for each in head.parameters():
        torch.nn.init.normal_(each, std=spread)
    return head


def batch(head, gaps, seed, spread=1.0):
    """Texts between two special tokens each, some words with a second token, and random tags."""
    rng = np.random.default_rng(seed)
    tags = len(head.starts)
    target, lengths = [], []
    for text in gaps:
        row = [IGNORED]
        for word in np.cumsum(text).astype(int) - 1:
            row += [int(rng.integers(tags)) + tags * int(word)] + [IGNORED] * int(rng.integers(2))
        target += [*row, IGNORED]
        lengths.append(len(row) + 1)
    logits = torch.from_numpy(rng.normal(size=(len(target), tags)).astype(np.float32)) * spread
    return Output(logits, torch.tensor(target), torch.tensor(lengths), None, head)


def of_texts(out):
    """By text the scores of its words, their tags and numbers."""
    tags = out.logits.shape[-1]
    for logits, target in zip(
        out.logits.split(out.lengths.tolist()), out.target.split(out.lengths.tolist()), strict=True
    ):
        judged = target >= 0
        yield logits[judged].double(), (target[judged] % tags).tolist(), (target[judged] // tags).tolist()


def worth(head, scores, taggings):
    """The scores of taggings [taggings, words], term by term."""
    starts, ends, order = (each.detach().double().numpy() for each in (head.starts, head.ends, head.transitions))
    if not taggings.shape[1]:
        return np.zeros(len(taggings))
    words = scores.numpy()[np.arange(taggings.shape[1]), taggings].sum(1)
    return starts[taggings[:, 0]] + ends[taggings[:, -1]] + words + order[taggings[:, :-1], taggings[:, 1:]].sum(1)


def every(scores):
    found = list(itertools.product(range(scores.shape[1]), repeat=len(scores)))
    return np.array(found, np.int64).reshape(len(found), len(scores))


def sound(tags, numbers):
    """Whether names of tags keep to the scheme, where a word without a token is O."""
    whole = dict(zip(numbers, tags, strict=True))
    row = [whole.get(word, "O") for word in range(max(numbers, default=-1) + 1)]
    return all(not b.startswith("I-") or a[2:] == b[2:] for a, b in itertools.pairwise(["O", *row]))


@law
@given(seeds, texts, st.sampled_from([("O", "B-A"), OUTPUTS[:3], OUTPUTS]))
def test_the_loss_is_that_of_all_taggings_enumerated(seed, gaps, outputs):
    head = chain(seed, outputs)
    out = batch(head, gaps, seed)
    losses = task().loss(out)
    assert losses.shape == (sum(map(len, gaps)),)
    for (scores, tags, _), own in zip(of_texts(out), losses.split([len(each) for each in gaps]), strict=True):
        right = np.array([tags], np.int64).reshape(1, -1)
        expected = np.logaddexp.reduce(worth(head, scores, every(scores))) - worth(head, scores, right)[0]
        assert float(own.detach().double().sum()) == pytest.approx(expected, abs=1e-4)
        torch.testing.assert_close(own, own.mean().expand(len(own)) if tags else own)


@law
@given(seeds, texts, st.sampled_from(["bio", "plain"]))
def test_the_answer_is_the_best_of_all_taggings_that_keep_to_the_scheme(seed, gaps, scheme):
    head = chain(seed, scheme=scheme)
    out = batch(head, gaps, seed)
    said = task(scheme=scheme).answer(out)
    for (scores, _, numbers), (words, codes) in zip(of_texts(out), said, strict=True):
        assert words == numbers
        fits = [scheme == "plain" or sound([OUTPUTS[tag] for tag in each], numbers) for each in every(scores)]
        taggings = every(scores)[fits]
        assert codes in taggings.tolist()
        chosen = worth(head, scores, np.array([codes], np.int64).reshape(1, -1))[0]
        assert chosen == pytest.approx(worth(head, scores, taggings).max(), abs=1e-4)


@law
@given(seeds, st.lists(st.lists(st.sampled_from([1, 1, 1, 2]), max_size=30), min_size=1, max_size=5))
def test_what_lies_beside_a_text_changes_nothing(seed, gaps):
    head = chain(seed)
    out = batch(head, gaps, seed)
    losses = task().loss(out).split([len(each) for each in gaps])
    said = task().answer(out)
    cut = out.lengths.tolist()
    for row, (logits, target) in enumerate(zip(out.logits.split(cut), out.target.split(cut), strict=True)):
        alone = Output(logits, target, out.lengths[row : row + 1], None, head)
        torch.testing.assert_close(task().loss(alone), losses[row], atol=1e-5, rtol=1e-5)
        assert task().answer(alone) == [said[row]]


@law
@given(seeds, st.floats(0.1, 50))
def test_long_texts_have_finite_gradients_and_losses_of_at_least_nothing(seed, spread):
    head = chain(seed, spread=spread)
    out = batch(head, [[1] * 200, [], [1], [1] * 3], seed, spread)
    losses = task().loss(out._replace(logits=out.logits.requires_grad_(True)))
    assert losses.shape == (204,) and bool((losses > -1e-5 * spread).all())
    losses.sum().backward()
    assert all(bool(torch.isfinite(each.grad).all()) for each in (out.logits, head.transitions, head.starts, head.ends))


@law
@given(seeds, texts)
def test_no_broken_scheme_is_ever_said(seed, gaps):
    """However much the scores would like one; the words that were cut away are O."""
    head = chain(seed, spread=20.0)
    out = batch(head, gaps, seed, 20.0)
    strict = task(broken="error")
    for (_, _, numbers), (words, codes) in zip(of_texts(out), strict.answer(out), strict=True):
        row = ["O"] * (max(numbers, default=0) + 2)
        for word, code in zip(words, codes, strict=True):
            row[word] = OUTPUTS[code]
        assert strict.sound(list(row)) == row


@law
@given(seeds, texts)
def test_a_new_head_judges_as_one_without_a_crf(seed, gaps):
    """Transitions begin at zero: then words are independent, and a text's surprise is the sum of its words'."""
    torch.manual_seed(seed)
    head, plain = task().layer(3, OUTPUTS), task(crf=False)
    out = batch(head, gaps, seed)
    torch.testing.assert_close(task().loss(out).sum(), plain.loss(out).sum(), atol=1e-4, rtol=1e-5)
    torch.manual_seed(seed)
    torch.testing.assert_close(plain.layer(3, OUTPUTS).weight, head.emissions.weight, atol=0, rtol=0)


def test_two_words_literal():
    """Scores 1 and 2 for the right tags, 3 for their order: all four taggings are worth 6, 1, 2 and 0."""
    head = task(scheme="plain").layer(1, ("X", "Y"))
    with torch.no_grad():
        head.transitions[0, 1] = 3.0
    out = Output(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 3]), torch.tensor([2]), None, head)
    surprise = math.log(sum(map(math.exp, (6, 1, 2, 0)))) - 6
    assert task(scheme="plain").loss(out).tolist() == pytest.approx([surprise / 2] * 2, abs=1e-6)
    assert task(scheme="plain").answer(out) == [([0, 1], [0, 1])]


def test_an_order_outweighs_what_a_word_looks_like():
    """Without a CRF the second word is B-A and the first one I-A, which begins nothing."""
    head = task().layer(1, OUTPUTS[:3])
    with torch.no_grad():
        head.transitions[1, 2] = 4.0
    logits = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    out = Output(logits, torch.tensor([0, 3]), torch.tensor([2]), None, head)
    assert task(crf=False).answer(out) == [([0, 1], [2, 1])]
    assert task().answer(out) == [([0, 1], [1, 2])]


def test_after_a_word_without_a_token_a_span_begins_anew():
    head = task().layer(1, OUTPUTS[:3])
    logits = torch.tensor([[0.0, 9.0, 0.0], [0.0, 1.0, 9.0]])
    near = Output(logits, torch.tensor([0, 3]), torch.tensor([2]), None, head)
    assert task().answer(near) == [([0, 1], [1, 2])]
    assert task().answer(near._replace(target=torch.tensor([0, 6]))) == [([0, 2], [1, 1])]


@pytest.mark.parametrize("scheme", ["bio", "plain"])
def test_what_the_plan_counts_is_what_is_learned(scheme):
    head = task(scheme=scheme).layer(7, OUTPUTS)
    assert sum(each.numel() for each in head.parameters()) == task(scheme=scheme).parameters(7, OUTPUTS)
    assert task().parameters(7, OUTPUTS) == 8 * 5 + 25 + 10
    assert task(crf=False).parameters(7, OUTPUTS) == 8 * 5
    assert set(head.state_dict()) == {"emissions.weight", "emissions.bias", "transitions", "starts", "ends"}


def said_of(each, layer, target):
    return output(each, layer(vectors(each)), target)._replace(head=layer)


@pytest.mark.parametrize("scheme", ["bio", "plain"])
def test_the_loss_falls_on_a_toy_set_and_the_answers_become_right(scheme):
    each = toy("token_classification", crf=True, scheme=scheme)
    torch.manual_seed(0)
    layer, target = each.task.layer(vectors(each).shape[1], each.outputs), torch.from_numpy(each.targets)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(60):
        loss = each.task.loss(said_of(each, layer, target)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 3
    with torch.no_grad():
        answers = each.gathered(each.task.answer(said_of(each, layer, target)))
    assert next(iter(score("micro_f1", answers).values())) > 0.95


def test_texts_to_be_answered_need_no_target():
    each = toy("token_classification", crf=True)
    target = torch.from_numpy(each.task.targets([None] * len(each.texts), each.outputs, each.reading))
    layer = each.task.layer(vectors(each).shape[1], each.outputs)
    with torch.no_grad():
        said = each.task.answer(said_of(each, layer, target))
    assert [words for words, _ in said] == [list(range(len(text.split(" ")))) for text in each.texts]
    for row, text in zip(said, each.texts, strict=True):
        assert json.dumps(each.task.reply(row, each.outputs, [text]))


def test_batches_without_any_word_lose_nothing():
    head = chain(1)
    out = batch(head, [[], []], 1)
    losses = task().loss(out)
    assert losses.shape == (0,) and float(losses.sum().detach()) == 0.0
    losses.sum().backward()
    assert not any(each.grad.any() for each in (head.transitions, head.starts, head.ends))
    assert task().answer(out) == [([], []), ([], [])]
    assert not len(_crf.words(out).counts)
