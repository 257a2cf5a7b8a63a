"""Laws of every kind of task; a new file in `runner/parts/tasks/` is found by itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.model.language import of_scores
from runner.parts.tasks._output import Output
from runner.plan.names import fitting
from tests.parts.heads import SURE, VALUES, WORDS, answer, guessed, perfect, toy

TASKS = kinds.names("tasks")
SCORED = [(kind, metric) for kind in TASKS for metric in fitting(toy(kind).task)]

LONGER = ("bleu", "rouge_2")  # one word has no pair of words
BEST = {"perplexity": 1.0, "reward_margin": SURE}

every_task = pytest.mark.parametrize("kind", TASKS)
every_metric = pytest.mark.parametrize("kind,metric", SCORED)
law = settings(max_examples=10, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def score(metric, answers):
    return kinds.pick("metrics", metric)().score(answers)


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)


def test_every_kind_has_a_toy_set():
    assert set(VALUES) == set(TASKS)


@every_task
def test_the_data_of_the_toy_set_are_sound(kind):
    each = toy(kind)
    counts = {"train": each.counts, "test": each.counts}
    assert [fault for fault in each.task.faults("toy", each.outputs, counts) if fault.severity == "error"] == []


@every_metric
def test_perfect_answers_score_best(kind, metric):
    if metric.startswith("distinct"):
        return  # it tells how texts vary, not whether they are right
    each = toy(kind)
    if metric in LONGER:
        each = each._replace(values=[json.dumps([answer(text, text)]) for text in each.texts])
    best = BEST.get(metric, 1.0 if kinds.pick("metrics", metric).higher_is_better else 0.0)
    found = score(metric, each.gathered(perfect(each)))
    assert found and list(found.values()) == pytest.approx([best] * len(found), abs=1e-6)  # targets are float32


@every_metric
@law
@given(seeds)
def test_the_order_of_rows_does_not_matter(kind, metric, seed):
    answers = guessed(toy(kind), seed)
    rows = np.random.default_rng(seed).permutation(len(answers))
    assert score(metric, answers.take(rows)) == near(score(metric, answers))


@every_metric
@law
@given(seeds)
def test_a_metric_keeps_within_its_range(kind, metric, seed):
    low, high = kinds.pick("metrics", metric).range
    found = score(metric, guessed(toy(kind), seed)).values()
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in found if not np.isnan(value))


@every_metric
@law
@given(seeds)
def test_many_samples_at_once_score_as_one_by_one(kind, metric, seed):
    answers = guessed(toy(kind), seed)
    rows = np.random.default_rng(seed).integers(len(answers), size=(3, len(answers)))
    together = kinds.pick("metrics", metric)().scores(answers.resamples(rows))
    for index, each in enumerate(rows):
        alone = kinds.pick("metrics", metric)().scores(answers.take(each).resamples(np.arange(len(each))[None]))
        assert {key: values[index] for key, values in together.items()} == near({k: v[0] for k, v in alone.items()})


@every_task
@law
@given(seeds)
def test_answers_tell_a_text_for_each_example(kind, seed):
    answers = guessed(toy(kind), seed)
    told = answers.told()
    assert len(told.gold) == len(told.predicted) == len(told.confidence) == len(told.gold_probability) == len(answers)
    assert all(isinstance(text, str) for text in (*told.gold, *told.predicted))


def vectors(each):
    """One vector a token, and the mean of these a text: which words are there."""
    words = {text: index for index, text in enumerate(sorted({w for row in each.sequences for w in row.split(" ")}))}
    eye, edge = np.eye(len(words) + 1), np.zeros(len(words) + 1)
    edge[-1] = 1
    before = [edge] * (1 if each.task.form.parts > 1 else len(each.task.inputs))
    rows = [np.stack([*before, *(eye[words[word]] for word in row.split(" ")), edge]) for row in each.sequences]
    first = [row[len(before)] for row in rows]
    tokens = torch.tensor(np.concatenate(rows), dtype=torch.float32)
    sums = np.stack([np.concatenate([row.sum(0), start]) for row, start in zip(rows, first, strict=True)])
    return tokens if each.task.level != "text" else torch.tensor(sums, dtype=torch.float32)


def width(each):
    """Numbers that the task gets for each vector."""
    return 8 if each.task.kind == "similarity" else each.task.width(each.outputs)


def output(each, logits, target):
    """The logits with what is known of the tokens."""
    spans = torch.from_numpy(np.stack([each.reading.starts, each.reading.ends], axis=1))
    return Output(logits, target, torch.from_numpy(np.diff(each.reading.offsets)), spans)


def head(each, hidden):
    """What is trained: of tasks without a layer of their own the model below, here a linear one."""
    if each.task.speaks:
        return torch.nn.Linear(hidden, len(WORDS) + 1)
    return torch.nn.Linear(hidden, 8) if each.task.kind == "similarity" else each.task.layer(hidden, each.outputs)


def logits_of(each, layer, inputs, target):
    """What the network gives to the task."""
    if not each.task.speaks:
        return layer(inputs)
    judged = target >= 0
    scores = layer(inputs)[judged] if isinstance(layer, torch.nn.Module) else layer
    before = [of_scores(torch.zeros_like(scores), target[judged])] if each.task.refers else []
    return torch.cat([of_scores(scores, target[judged]), *before], -1)


def learned(each, steps=200):
    """A head after some steps, and its mean losses."""
    torch.manual_seed(0)
    inputs, target = vectors(each), torch.from_numpy(each.targets)
    layer = head(each, inputs.shape[1])
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        loss = each.task.loss(output(each, logits_of(each, layer, inputs, target), target)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return layer, losses


@every_task
def test_the_loss_falls_on_a_toy_set_and_the_answers_become_right(kind):
    each = toy(kind)
    layer, losses = learned(each)
    assert losses[-1] < losses[0] / 3
    with torch.no_grad():
        target = torch.from_numpy(each.targets)
        logits = logits_of(each, layer, vectors(each), target)
    answers = each.gathered(each.task.answer(output(each, logits, target)))
    first = each.task.metrics[0]
    found = next(iter(score(first, each.task.settled(answers, each.task.tuned(answers))).values()))
    assert found < 1.1 if first == "perplexity" else found > (0.8 if each.task.kind == "similarity" else 0.95)


@every_task
def test_a_loss_a_unit_whose_gradients_are_finite(kind):
    each = toy(kind)
    target = torch.from_numpy(each.targets)
    shape = (int((target >= 0).sum()), len(WORDS) + 1) if each.task.speaks else (len(vectors(each)), width(each))
    logits = torch.randn(*shape, generator=torch.Generator().manual_seed(1)) * 50
    logits.requires_grad_(True)
    told = logits_of(each, logits, None, target) if each.task.speaks else logits
    losses = each.task.loss(output(each, told, target))
    by_token = each.task.level != "text" and not each.task.by_row
    units = int((target >= 0).sum()) if by_token else len(each.texts)
    assert losses.shape == (units,) and bool((losses >= 0).all())
    losses.sum().backward()
    assert torch.isfinite(logits.grad).all()


@every_task
def test_texts_to_be_answered_need_no_target(kind):
    each = toy(kind)
    target = torch.from_numpy(each.task.targets([None] * len(each.texts), each.outputs, each.reading))
    logits = torch.zeros(len(vectors(each)), width(each))
    if each.task.speaks:
        logits = logits_of(each, torch.zeros(int((target >= 0).sum()), len(WORDS) + 1), None, target)
    said = each.task.answer(output(each, logits, target))
    assert len(said) == len(each.texts)
    for row, *texts in zip(said, *each.columns, strict=True):
        each.task.reply(row, each.outputs, texts)
