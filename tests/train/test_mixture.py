"""Mixup: sums of vectors and losses, drawn for each batch from the seeds, and only in training."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import Interrupted
from runner.kinds import pick
from runner.parts.tasks._output import Output
from runner.train.fit import fit, quiet
from runner.train.mixture import Mixture, mixture
from tests.model.tiny import LABELS, experiment, network, same, stream, weights_of

TRAIN = {"films:text": stream([3 + row * 5 % 9 for row in range(22)], seed=1)}
VALIDATION = {"films:text": stream([4, 6, 5, 9, 3, 4], seed=2)}
Mixup = pick("augment", "mixup")


def part(**fields):
    return Mixup.model_validate({"type": "mixup", **fields})


def drawn(*words, examples=8, **fields):
    return mixture(part(**fields), examples, words or (1, 0, 0), torch.device("cpu"))


@given(examples=st.integers(1, 40), share=st.floats(0.01, 1), alpha=st.floats(0.01, 100), seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_each_example_has_a_partner_and_a_weight(examples, share, alpha, seed):
    found = drawn(seed, 3, 5, examples=examples, share=share, alpha=alpha)
    again = drawn(seed, 3, 5, examples=examples, share=share, alpha=alpha)
    assert sorted(found.partners.tolist()) == list(range(examples))
    assert bool(((found.own >= 0) & (found.own <= 1)).all())
    assert all(torch.equal(*both) for both in zip(found, again, strict=True))


def test_every_word_of_the_seed_counts():
    places = [drawn(1, 0, 0), drawn(2, 0, 0), drawn(1, 1, 0), drawn(1, 0, 1), drawn(1, 0, 0, seed=14)]
    assert len({tuple(each.own.tolist()) for each in places}) == 5


def test_a_share_of_the_examples_is_mixed():
    own = drawn(examples=10_000, share=0.25, alpha=1.0).own
    assert float((own < 1).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(own[own < 1].mean()) == pytest.approx(0.5, abs=0.02)


def test_literal_sums():
    mixed = Mixture(torch.tensor([1, 0]), torch.tensor([0.75, 1.0]))
    vectors = torch.tensor([[4.0, 0.0], [0.0, 8.0]])
    assert mixed.vectors(vectors).tolist() == [[3.0, 2.0], [0.0, 8.0]]
    target = torch.tensor([0, 1])
    assert mixed.loss(lambda output: output.target + 1.0, Output(target, target)).tolist() == [1.25, 2.0]


def test_the_loss_of_a_mixed_vector_is_least_where_both_labels_have_their_weight():
    task = experiment().tasks["mood"]
    mixed = Mixture(torch.tensor([1, 0]), torch.tensor([0.7, 0.7]))

    def loss(p):
        logits = torch.tensor([[p, 1 - p], [1 - p, p]]).log()
        return float(mixed.loss(task.loss, Output(logits, torch.tensor([0, 1]))).mean())

    assert min(np.linspace(0.05, 0.95, 19), key=loss) == pytest.approx(0.7)


def trained(encoder, folder, *, stop_at=None, seed=1, **mixup):
    quiet()
    spec = experiment(batch_size=4, epochs=2, learning_rate=0.01)
    spec.data["films"].augment.extend([part(**mixup)] if mixup else [])
    net, stop, events = network(encoder, seed=seed), threading.Event(), []

    def record(kind, **fields):
        events.append(fields)
        if fields["step"] == stop_at:
            stop.set()

    streams = {"train": TRAIN, "validation": VALIDATION}
    proportional = pick("mixing", "proportional").model_validate({})
    fit(net, spec, streams, LABELS, {"mood": [0.5, 1.5], "size": None}, proportional,
        seed=3, pad_id=0, folder=folder, record=record, stop=stop, show=False)  # fmt: skip
    return net, events


def test_a_fit_that_mixes_is_repeatable_goes_on_to_the_same_bits_and_is_another(encoder, tmp_path):
    whole, events = trained(encoder, tmp_path / "whole", alpha=0.5)
    plain, _ = trained(encoder, tmp_path / "plain")
    with pytest.raises(Interrupted):
        trained(encoder, tmp_path / "cut", alpha=0.5, stop_at=10)
    resumed, rest = trained(encoder, tmp_path / "cut", alpha=0.5, seed=9)
    assert same(weights_of(whole), weights_of(resumed))
    assert rest == events[len(events) - len(rest) :]
    assert not same(weights_of(whole), weights_of(plain))


def test_a_weight_of_one_everywhere_is_as_no_mixup(encoder, tmp_path):
    nobody, _ = trained(encoder, tmp_path / "nobody", alpha=0.5, share=1e-12)
    plain, _ = trained(encoder, tmp_path / "plain")
    assert same(weights_of(nobody), weights_of(plain))
