"""Laws of the classification head: its loss, its weights, its answers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds
from runner.parts.tasks._output import Output

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5], [-3.0, 4.0, 1.0], [0.0, 0.0, 9.0]])
TARGET = torch.tensor([0, 2, 2, 2])

law = settings(max_examples=25, deadline=None, database=None)
rows = st.lists(st.lists(st.floats(-200, 200, width=32), min_size=3, max_size=3), min_size=1, max_size=8)
counts = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 10**6), min_size=2, max_size=6)


def classification(**fields):
    table = {"type": "classification", "data": ["films"], **fields}
    return kinds.pick("tasks", "classification").model_validate(table)


def surprise(logits):
    """Minus the logarithm of softmax, in float64 by hand."""
    exact = np.array(logits.tolist())
    shifted = exact - exact.max(-1, keepdims=True)
    return np.log(np.exp(shifted).sum(-1, keepdims=True)) - shifted


def test_the_layer_maps_the_width_to_one_logit_a_label():
    layer = classification().layer(16, ["no", "yes", "maybe"])
    assert layer(torch.zeros(5, 16)).shape == (5, 3)


@law
@given(rows, st.data())
def test_the_loss_of_an_example_is_the_surprise_at_its_target(rows, data):
    logits = torch.tensor(rows)
    target = torch.tensor(data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows))))
    loss = classification().loss(Output(logits, target))
    assert loss.shape == (len(rows),)
    assert loss.tolist() == pytest.approx(surprise(logits)[np.arange(len(rows)), target], rel=1e-4, abs=1e-4)


def test_the_loss_by_hand():
    loss = classification().loss(Output(torch.tensor([[0.0, 0.0], [math.log(3), 0.0]]), torch.tensor([0, 1])))
    assert loss.tolist() == pytest.approx([math.log(2), math.log(4)])


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.75])
def test_label_smoothing_spreads_its_share_over_all_classes(label_smoothing):
    each = surprise(LOGITS)
    expected = (1 - label_smoothing) * each[np.arange(4), TARGET] + label_smoothing * each.mean(-1)
    found = classification(label_smoothing=label_smoothing).loss(Output(LOGITS, TARGET))
    assert found.tolist() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_weights_multiply_the_loss_of_their_class():
    task, weights = classification(), torch.tensor([0.5, 7.0, 2.0])
    expected = task.loss(Output(LOGITS, TARGET)) * torch.tensor([0.5, 2.0, 2.0, 2.0])
    assert torch.equal(task.loss(Output(LOGITS, TARGET), weights), expected)


def test_half_precision_logits_are_judged_in_single_precision():
    half = LOGITS.bfloat16()
    loss = classification().loss(Output(half, TARGET))
    assert loss.dtype == torch.float32
    assert torch.equal(loss, classification().loss(Output(half.float(), TARGET)))


@law
@given(rows)
def test_gradients_are_finite(rows):
    logits = torch.tensor(rows, requires_grad=True)
    classification(label_smoothing=0.1).loss(Output(logits, torch.zeros(len(rows), dtype=torch.int64))).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_the_loss_falls_on_a_toy_task():
    torch.manual_seed(0)
    inputs = torch.randn(64, 4)
    target = (inputs[:, 0] > 0).long()
    task = classification()
    layer = task.layer(4, ["no", "yes"])
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    losses = []
    for _ in range(60):
        loss = task.loss(Output(layer(inputs), target)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 3
    assert (task.answer(Output(layer(inputs).detach(), target)).argmax(-1) == target.numpy()).mean() > 0.95


@law
@given(rows)
def test_answers_are_probabilities(rows):
    given_so = classification().answer(Output(torch.tensor(rows), TARGET))
    assert given_so.dtype == np.float64
    assert given_so.shape == (len(rows), 3)
    assert (given_so >= 0).all()
    assert given_so.sum(-1) == pytest.approx(np.ones(len(rows)), abs=1e-12)


def test_answers_by_hand():
    found = classification().answer(Output(torch.tensor([[math.log(3), 0.0]]), TARGET))
    assert found == pytest.approx(np.array([[0.75, 0.25]]))


@pytest.mark.parametrize(
    "class_weights,counts,expected",
    [
        ("balanced", {"a": 3, "b": 1}, [2 / 3, 2.0]),
        ("balanced", {"b": 1, "a": 3}, [2.0, 2 / 3]),
        ("balanced", {"a": 5, "b": 5}, [1.0, 1.0]),
        ({"a": 3.0}, {"a": 1, "b": 3}, [2.0, 2 / 3]),
        ({"a": 2.0, "b": 2.0}, {"a": 1, "b": 3}, [1.0, 1.0]),
    ],
)
def test_class_weights_by_hand(class_weights, counts, expected):
    assert classification(class_weights=class_weights).weights(counts) == pytest.approx(expected)


def test_no_class_weights_are_none():
    assert classification().weights({"a": 3, "b": 1}) is None


@law
@given(counts, st.sampled_from(["balanced", {"a": 0.5, "b": 4.0}]))
def test_the_mean_weight_of_a_training_row_is_one(counts, class_weights):
    weights = classification(class_weights=class_weights).weights(counts)
    total = sum(weight * count for weight, count in zip(weights, counts.values(), strict=True))
    assert total / sum(counts.values()) == pytest.approx(1)


@law
@given(counts)
def test_balanced_classes_weigh_the_same_as_a_whole(counts):
    weights = classification(class_weights="balanced").weights(counts)
    wholes = [weight * count for weight, count in zip(weights, counts.values(), strict=True)]
    assert wholes == pytest.approx([sum(counts.values()) / len(counts)] * len(counts))


def test_a_class_without_rows_gets_a_finite_weight():
    weights = classification(class_weights="balanced").weights({"a": 4, "b": 4, "c": 0})
    assert weights[:2] == [1.0, 1.0]
    assert math.isfinite(weights[2])


@pytest.mark.parametrize("written,inputs", [("text", ("text",)), (["question", "answer"], ("question", "answer"))])
def test_inputs_are_one_column_or_two(written, inputs):
    assert classification(input=written).inputs == inputs


@pytest.mark.parametrize("focal", [0.5, 1.0, 2.0])
def test_focal_loss_by_hand_with_finite_gradients(focal):
    logits = torch.tensor([[30.0, -30.0], [0.0, 0.0]], requires_grad=True)
    losses = classification(focal=focal).loss(Output(logits, torch.tensor([0, 1])))
    assert losses.tolist() == pytest.approx([0.0, 0.5**focal * math.log(2)], abs=1e-6)
    losses.sum().backward()
    assert torch.isfinite(logits.grad).all()
