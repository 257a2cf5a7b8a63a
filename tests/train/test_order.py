"""The order of rows: every row once an epoch, a pure function of (seed, epoch), in shares that the mixing says."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.kinds import Part, pick
from runner.spec.tables import Experiment
from runner.train.feed import Feed, grouped
from runner.train.order import Draw, chunks, draws, parts_of, passes, quotas, shares_of, turns
from tests.model.tiny import experiment, stream

laws = settings(deadline=None, max_examples=50)
sizes = st.lists(st.integers(1, 40), min_size=1, max_size=3)
batch_sizes = st.integers(1, 9)
seeds = st.integers(0, 2**32 - 1)


def mixing(strategy: str, **fields: Any) -> Part:
    return pick("mixing", strategy).model_validate({"strategy": strategy, **fields})


PROPORTIONAL = mixing("proportional")


def streams(counts: list[int]) -> dict[str, Any]:
    """Streams `a`, `b`, `c` of so many rows, of lengths from 1 to 20."""
    return {
        name: stream([1 + row * 7 % 20 for row in range(count)], name=name)
        for name, count in zip("abc", counts, strict=False)
    }


def drawn(counts: list[int], seed: int = 1, epoch: int = 0, **options: Any) -> list[Draw]:
    given_options = {"mixing": PROPORTIONAL, "batch_size": 4, "accumulate": 1, "grouped": True} | options
    return draws(streams(counts), seed=seed, epoch=epoch, **given_options)


@given(sizes, batch_sizes, st.integers(1, 4), st.booleans(), seeds, st.integers(0, 50))
@laws
def test_a_proportional_epoch_has_each_row_once(counts, batch_size, accumulate, grouped, seed, epoch):
    found = drawn(counts, seed, epoch, batch_size=batch_size, accumulate=accumulate, grouped=grouped)
    seen = Counter((draw.stream, row) for draw in found for row in draw.rows)
    assert seen == Counter((name, row) for name, count in zip("abc", counts, strict=False) for row in range(count))
    assert len(found) == sum(-(-count // batch_size) for count in counts)


@given(sizes, batch_sizes, st.booleans(), seeds)
@laws
def test_batches_are_full_but_the_last_of_each_stream(counts, batch_size, grouped, seed):
    found = drawn(counts, seed, batch_size=batch_size, grouped=grouped)
    for name, count in zip("abc", counts, strict=False):
        lengths = [len(draw.rows) for draw in found if draw.stream == name]
        rest = [count % batch_size] if count % batch_size else []
        assert lengths == [batch_size] * (count // batch_size) + rest


@given(sizes, seeds, st.integers(0, 50), st.booleans())
@laws
def test_the_order_is_a_function_of_seed_and_epoch_alone(counts, seed, epoch, grouped):
    first = drawn(counts, seed, epoch, grouped=grouped)
    np.random.seed(seed % 7)
    random.seed(seed % 5)
    torch.manual_seed(seed % 3)
    assert drawn(counts, seed, epoch, grouped=grouped) == first


@pytest.mark.parametrize("grouped", [True, False])
def test_another_seed_or_epoch_has_another_order(grouped):
    orders = {
        tuple((draw.stream, draw.rows) for draw in drawn([40, 30], seed, epoch, grouped=grouped))
        for seed in (1, 2, 3)
        for epoch in (0, 1, 2)
    }  # fmt: skip
    assert len(orders) == 9


def test_streams_of_one_size_have_orders_of_their_own():
    found = drawn([40, 40], grouped=False)
    first, second = ([row for draw in found if draw.stream == name for row in draw.rows] for name in "ab")
    assert sorted(first) == sorted(second) and first != second


@given(sizes, batch_sizes, st.integers(1, 5), seeds)
@laws
def test_shares_are_parts_of_the_examples_of_a_step(counts, batch_size, accumulate, seed):
    found = drawn(counts, seed, batch_size=batch_size, accumulate=accumulate)
    for step in chunks(found, accumulate):
        examples = sum(len(draw.rows) for draw in step)
        for draw in step:
            assert draw.shares == pytest.approx({"mood": 1 / examples, "size": 1 / examples})


def test_a_task_weighs_by_its_examples_and_each_of_its_units_alike():
    words = replace(stream([3, 4], name="a"), targets={"tags": np.array([-100, 0, 1, -100, 0, 0, 0])})
    words = replace(words, by_token=frozenset(["tags"]))
    step = [("a", (0, 1)), ("b", (2, 0, 1))]
    assert shares_of(step, {"a": words, "b": stream([2, 2, 2], name="b")}) == pytest.approx(
        {"tags": 2 / 5 / 5, "mood": 3 / 5 / 3, "size": 3 / 5 / 3}
    )


def test_chunks_literal():
    assert [each.tolist() for each in chunks(np.array([5, 1, 4, 2, 3]), 2)] == [[5, 1], [4, 2], [3]]


@given(st.integers(0, 12), st.integers(0, 3), st.sampled_from(["separate", "mixed"]))
@settings(deadline=None, max_examples=20)
def test_going_on_means_the_rest_of_the_same_order(first_batch, first_epoch, batches):
    spec = experiment(batch_size=4, accumulate=2, epochs=9)
    feed = Feed(
        spec, {"train": streams([40, 11])}, mixing("proportional", batches=batches), 3, SimpleNamespace(packed=True), 0
    )
    feed.first_epoch, feed.first_batch = first_epoch, first_batch
    whole = feed.epoch_draws(first_epoch)
    assert list(feed.train_dataloader().sampler) == whole[first_batch:]
    assert [(batch.stream, batch.rows, batch.shares) for batch in feed.train_dataloader()] == [
        (" + ".join(name for name, _ in draw.pieces), sum((rows for _, rows in draw.pieces), ()), draw.shares)
        for draw in whole[first_batch:]
    ]
    feed.trainer = SimpleNamespace(current_epoch=1)
    assert list(feed.train_dataloader().sampler) == feed.epoch_draws(first_epoch + 1)


def padding(batches: list[tuple[int, ...]], lengths: np.ndarray) -> int:
    """Tokens that padding would add."""
    return sum(int(lengths[list(rows)].max()) * len(rows) - int(lengths[list(rows)].sum()) for rows in batches)


def one_pass(lengths: np.ndarray, seed: int, grouped: bool) -> list[tuple[int, ...]]:
    endless = passes(lengths, (seed,), 16, grouped)
    return [next(endless) for _ in range(-(-len(lengths) // 16))]


@given(seeds)
@settings(deadline=None, max_examples=10)
def test_grouping_by_length_saves_nine_tenths_of_the_padding(seed):
    lengths = np.random.default_rng(seed).lognormal(3, 0.8, 3000).astype(int).clip(2, 512)
    grouped, shuffled = one_pass(lengths, seed, True), one_pass(lengths, seed, False)
    assert padding(grouped, lengths) < 0.1 * padding(shuffled, lengths)
    firsts = [int(lengths[list(rows)].max()) for rows in grouped[:40]]
    assert firsts != sorted(firsts), "short texts must not all come first"


weights = mixing("weights", weights={"a": 3.0, "b": 1.0, "c": 0.5})


@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=3),
    st.sampled_from([PROPORTIONAL, mixing("uniform"), mixing("temperature", temperature=3.0), weights]),
    seeds,
)
@laws
def test_each_stream_gets_its_share_of_the_batches_within_one(counts, strategy, seed):
    named = dict(zip("abc", counts, strict=False))
    found = Counter(turns(named, strategy, np.random.default_rng(seed), strategy.shares(named)))
    assert sum(found.values()) == sum(counts)
    for name, share in strategy.shares(named).items():
        assert abs(found[name] - share * sum(counts)) < 1 + 1e-6


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (PROPORTIONAL, {"a": 16, "b": 4}),
        (mixing("uniform"), {"a": 10, "b": 10}),
        (mixing("weights", weights={"a": 1.0, "b": 4.0}), {"a": 4, "b": 16}),
        (mixing("temperature", temperature=1.0), {"a": 16, "b": 4}),
        (mixing("temperature", temperature=2.0), {"a": 13, "b": 7}),  # 4 : 2 of 20 batches
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_shares_literal(strategy, expected):
    counts = {"a": 16, "b": 4}
    found = turns(counts, strategy, np.random.default_rng(0), strategy.shares(counts))
    assert Counter(found) == expected
    assert found != sorted(found), "the streams must be mixed"


def test_round_robin_literal():
    order = [draw.stream for draw in drawn([4, 16, 8], mixing=mixing("round_robin"))]
    assert order == ["a", "b", "c", "a", "b", "c", "a"]


@given(st.lists(st.integers(1, 40), min_size=2, max_size=3), st.sampled_from(["uniform", "round_robin"]), seeds)
@laws
def test_a_small_stream_is_repeated_whole_before_any_row_comes_again(counts, strategy, seed):
    found = drawn(counts, seed, mixing=mixing(strategy))
    for name, count in zip("abc", counts, strict=False):
        rows = [row for draw in found if draw.stream == name for row in draw.rows]
        for part in chunks(np.array(rows), count)[:-1]:
            assert sorted(part.tolist()) == list(range(count))


def test_weights_are_those_of_data_sets_whatever_their_streams():
    """`b` is read by two choices of columns: its share is divided by their rows."""
    rows = {"a:text": 40, "b:text": 30, "b:text+more": 10}
    found = parts_of(rows, mixing("weights", weights={"a": 1.0, "b": 3.0}), 10)
    assert found == pytest.approx({"a:text": 0.25, "b:text": 0.5625, "b:text+more": 0.1875})
    named = {name: stream([3] * count, name=name) for name, count in rows.items()}
    order = draws(
        named, mixing("weights", weights={"a": 1.0, "b": 3.0}), 1, 0, batch_size=10, accumulate=1, grouped=True
    )
    assert Counter(draw.stream for draw in order) == {"a:text": 2, "b:text": 5, "b:text+more": 1}


def test_a_cap_counts_rows_before_the_temperature():
    rows = {"a": 1600, "b": 64}
    assert parts_of(rows, mixing("temperature", temperature=2.0), 4) == pytest.approx({"a": 20 / 24, "b": 4 / 24})
    assert parts_of(rows, mixing("temperature", temperature=2.0, cap=256), 4) == pytest.approx(
        {"a": 8 / 12, "b": 4 / 12}
    )
    assert parts_of(rows, mixing("temperature", temperature=2.0, cap=1), 4) == pytest.approx({"a": 0.5, "b": 0.5})


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=5), st.integers(1, 500))
@laws
def test_quotas_are_whole_and_within_one(weights, total):
    parts = {str(index): weight / sum(weights) for index, weight in enumerate(weights)}
    found = quotas(parts, total)
    assert found.sum() == total
    assert all(abs(count - part * total) < 1 + 1e-6 for count, part in zip(found, parts.values(), strict=True))


MIXED = mixing("proportional", batches="mixed")


@given(sizes, batch_sizes, st.integers(1, 3), st.booleans(), seeds, st.integers(0, 50))
@laws
def test_a_mixed_epoch_has_each_row_once_and_full_batches(counts, batch_size, accumulate, grouped, seed, epoch):
    found = drawn(counts, seed, epoch, mixing=MIXED, batch_size=batch_size, accumulate=accumulate, grouped=grouped)
    seen = Counter((name, row) for draw in found for name, rows in draw.pieces for row in rows)
    assert seen == Counter((name, row) for name, count in zip("abc", counts, strict=False) for row in range(count))
    lengths = [sum(len(rows) for _, rows in draw.pieces) for draw in found]
    assert lengths[:-1] == [batch_size] * (len(found) - 1) and 0 < lengths[-1] <= batch_size
    assert (
        drawn(counts, seed, epoch, mixing=MIXED, batch_size=batch_size, accumulate=accumulate, grouped=grouped) == found
    )


@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=3),
    st.sampled_from(
        [
            mixing("proportional", batches="mixed"),
            mixing("uniform", batches="mixed"),
            mixing("round_robin", batches="mixed"),
        ]
    ),
    seeds,
)
@laws
def test_each_mixed_batch_has_the_share_of_each_stream(counts, strategy, seed):
    """Within two rows at each end of the batch, of the rows that the epoch gives to the stream."""
    found = drawn(counts, seed, mixing=strategy, batch_size=6)
    whole = Counter({name: 0 for name, _ in zip("abc", counts, strict=False)})
    for draw in found:
        whole.update({name: len(rows) for name, rows in draw.pieces})
    for draw in found[:-1]:
        rows = {name: len(rows) for name, rows in draw.pieces}
        for name, count in whole.items():
            assert abs(rows.get(name, 0) - 6 * count / sum(counts)) < 4


def test_shares_of_mixed_batches_are_those_of_their_step():
    words = replace(stream([3, 4], name="a"), targets={"tags": np.array([-100, 0, 1, -100, 0, 0, 0])})
    named = {"a": replace(words, by_token=frozenset(["tags"])), "b": stream([2, 2, 2], name="b")}
    (only,) = draws(named, MIXED, 1, 0, batch_size=8, accumulate=1, grouped=True)
    assert only.shares == pytest.approx({"tags": 2 / 5 / 5, "mood": 3 / 5 / 3, "size": 3 / 5 / 3})


@pytest.mark.parametrize(
    ("batching", "task", "expected"),
    [
        ("auto", {"type": "classification"}, True),
        ("auto", {"type": "causal_lm"}, False),
        ("length_grouped", {"type": "causal_lm"}, True),
        ("random", {"type": "classification"}, False),
    ],
)
def test_texts_are_grouped_by_length_where_each_counts_alike(batching, task, expected):
    experiment = Experiment.model_validate(
        {
            "name": "order",
            "model": {"base": "package:some-model"},
            "data": {"rows": {"train": "rows.csv"}},
            "tasks": {"it": {**task, "data": ["rows"]}},
            "train": {"batching": batching},
        }
    )
    assert grouped(experiment) is expected
