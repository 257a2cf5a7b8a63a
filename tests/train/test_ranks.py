"""Two processes that share the batches of each optimizer step end where one does, within 1e-6 of each weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from runner.train import state
from runner.train.order import Draw
from runner.train.ranks import ALONE, Ranks, interleaved
from tests.train.pair import Asked, Found, alone, pair

LORA = {"adapter": {"type": "lora", "rank": 2, "dropout": 0.2, "targets": ["query", "value"]}}
EACH = {"adapter": {**LORA["adapter"], "per_task": True}}
THAW = {"freeze": {"layers": "all", "thaw": 2}}
Pair = Callable[[Asked], list[Found]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("pair")) as fit:
        yield fit


def draw(task: str, row: int) -> Draw:
    return Draw(f"{task}:text", (row,), {task: 0.5})


def test_ranks_share_batches_in_turn_and_fill_up_with_what_counts_nothing():
    draws = [draw("a", 1), draw("b", 2), draw("a", 3)]
    first, second = (Ranks(rank, 2, "ddp").share(draws) for rank in (0, 1))
    assert [each.rows for each in first] == [(1,), (3,)]
    assert [each.rows for each in second] == [(2,), (3,)]
    assert second[1].shares == {"a": 0.0}
    assert [each.beyond for each in first] == [("b",), ()] and [each.beyond for each in second] == [("a",), ()]
    assert ALONE.share(draws) == draws


def test_what_was_dealt_out_is_put_in_order_again():
    assert interleaved([[1, 3, 5], [2, 4]]) == [1, 2, 3, 4, 5]
    assert interleaved([[]]) == []


def saved(folder: Path) -> dict[str, Any]:
    found = state.load(folder / "state.pt")
    best = state.load(folder / "best" / "best.pt")
    assert found is not None and best is not None
    return {**found, "best weights": best["weights"]}


def distance(one: Any, other: Any) -> float:
    """The largest difference of two numbers or tensors at the same place; all else must be equal."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return max((distance(each, other[key]) for key, each in one.items()), default=0.0)
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        return max(map(distance, one, other), default=0.0)
    if isinstance(one, torch.Tensor):
        assert one.shape == other.shape and one.dtype == other.dtype
        return float((one.double() - other.double()).abs().max()) if one.numel() else 0.0
    if isinstance(one, float):
        return abs(one - other)
    assert one == other
    return 0.0


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "plain": ({}, {}, False),
    "dropout": ({"dropout": 0.3}, {"clip_norm": 0.1}, False),
    "adapter": (LORA, {}, False),
    "virtual tokens": ({"adapter": {"type": "prompt_tuning", "tokens": 3}}, {"gradient_checkpointing": True}, True),
    "tasks apart": ({}, {"accumulate": 4}, True),
    "tasks apart, an odd number of batches": ({"pooling": "attention"}, {"batch_size": 3, "accumulate": 4}, True),
    "uncertainty": ({}, {"loss_balance": "uncertainty", "balance_rate": 0.1}, True),
    "frozen": ({"freeze": {"layers": 1, "embeddings": True}}, {}, False),
    "moving average": ({}, {"average": {"ema": 0.9}}, False),
    "average of epochs": ({}, {"average": {"last": 2}, "epochs": 3}, False),
    "recomputed": ({"dropout": 0.3}, {"gradient_checkpointing": True}, False),
    "recomputed adapter": (LORA, {"gradient_checkpointing": True}, True),
    "padded": ({"dropout": 0.3}, {"packing": False}, False),
    "bf16": ({}, {"precision": "bf16"}, False),
    "fewer steps": ({}, {"max_steps": 5}, True),
}
DDP = {
    "thaw": (THAW, {"epochs": 3}, True),
    "thaw by layer": ({"freeze": {**THAW["freeze"], "thaw_by": "layer"}}, {"epochs": 3}, False),
    "an adapter for each task": (EACH, {"gradient_checkpointing": True}, True),
    "pcgrad": ({}, {"loss_balance": "pcgrad"}, False),
    "pcgrad, tasks apart": ({}, {"loss_balance": "pcgrad", "accumulate": 4, "batch_size": 3}, True),
}


@pytest.mark.parametrize(
    ("strategy", "case"),
    [*(("ddp", case) for case in CASES | DDP), *(("fsdp", case) for case in CASES)],
)
def test_two_processes_end_where_one_does(encoder: Path, tmp_path: Path, both: Pair, strategy: str, case: str) -> None:
    model, train, apart = (CASES | DDP)[case]
    asked = Asked(encoder, tmp_path / "alone", model, train, apart)
    expected = alone(asked)
    first, second = both(asked._replace(folder=tmp_path / "both", strategy=strategy))
    assert (first.error, second.error) == ("", "")
    assert second.events == [], "one process records"
    assert distance(saved(tmp_path / "alone"), saved(tmp_path / "both")) < 1e-6
    assert distance(expected.events, first.events) < 1e-5


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("stop_at", [1, 6])
def test_two_processes_that_are_stopped_go_on_to_the_same_bits(
    encoder: Path, tmp_path: Path, both: Pair, strategy: str, stop_at: int
) -> None:
    """Within the first epoch, at its first step, and at its end; the averages and moments go along."""
    train = {"average": {"ema": 0.9}, "batch_size": 2, "loss_balance": "uncertainty"}
    asked = Asked(encoder, tmp_path / "whole", {"dropout": 0.3}, train, strategy=strategy)
    whole, _ = both(asked)
    cut = both(asked._replace(folder=tmp_path / "cut", stop_at=stop_at))
    assert [each.error for each in cut] == ["interrupted; the state is saved"] * 2
    rest, _ = both(asked._replace(folder=tmp_path / "cut"))
    assert distance(saved(tmp_path / "whole"), saved(tmp_path / "cut")) == 0
    assert cut[0].events + rest.events == whole.events


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_one_process_goes_on_where_two_were_stopped_and_two_where_one_was(
    encoder: Path, tmp_path: Path, both: Pair, strategy: str
) -> None:
    asked = Asked(encoder, tmp_path / "whole", LORA, {"batch_size": 2})
    alone(asked)
    together = asked._replace(strategy=strategy)
    for name, first, second in (
        ("one", lambda each: alone(each).error, lambda each: both(each._replace(strategy=strategy))[0].error),
        ("two", lambda each: both(each._replace(strategy=strategy))[0].error, lambda each: alone(each).error),
    ):
        part = together._replace(folder=tmp_path / name, strategy=None)
        assert first(part._replace(stop_at=1)) == "interrupted; the state is saved"
        assert second(part) == ""
        assert distance(saved(tmp_path / "whole"), saved(tmp_path / name)) < 1e-6
