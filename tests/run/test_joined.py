"""Trials that share the passes of a base are what they would be alone, but for the last bits."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Interrupted, RunnerError
from runner.plan.joint import sharing
from runner.run.coordinator import Coordinator
from runner.run.experiment import prepared
from runner.run.meeting import Meeting
from runner.run.supply import Queue
from runner.store.grids import members
from runner.store.query import query
from tests.conftest import TINY
from tests.run.grids import alone, done

GRID = """
[grid]
"train.learning_rate" = [1e-3, 5e-3]
"model.adapter.rank" = [2, 4]
seed = [1, 2]
"""
ADAPTER = '\n[model.adapter]\ntype = "lora"\nrank = 4\ndropout = 0.1\n'
VALUES = "SELECT run, split, model, task, metric, value FROM scores ORDER BY ALL"
CURVES = "SELECT run, step, split, task, metric, value FROM metrics ORDER BY ALL"


def write(tiny: Path, share: str, more: str = "", train: str = "", grid: str = GRID, adapter: str = ADAPTER) -> Path:
    text = TINY.replace("threads = 1", f'threads = 1\nworkers = 1\nshare = "{share}"\n{more}')
    text = text.replace("batch_size = 8", "batch_size = 4")  # few tokens, so that sharing pays
    text = text.replace("max_length = 16\n", f"max_length = 16\ndropout = 0.1\n{adapter}")
    tiny.write_text(text.replace('precision = "fp32"', f'precision = "fp32"\n{train}') + grid, encoding="utf-8")
    return tiny


def numbers(results: Path, sql: str) -> list[float]:
    return [row["value"] for row in query(results, sql).to_pylist()]


def alike(one: Path, other: Path) -> None:
    for sql in (VALUES, CURVES):
        first, second = numbers(one, sql), numbers(other, sql)
        assert len(first) == len(second) > 0
        assert first == pytest.approx(second, abs=2e-5, nan_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "train",
    ["", "accumulate = 2\nclip_norm = 0.1", 'early_stopping = { metric = "combined", patience = 1 }'],
    ids=["plain", "accumulated", "stopping"],
)
def test_trials_together_are_those_alone(tiny: Path, tmp_path: Path, train: str) -> None:
    spec, results = write(tiny, "adapters", train=train), tmp_path / "results"
    found = done(spec, results)
    assert len(found) == 8
    stages = query(results, "SELECT detail->>'together' AS n FROM stages WHERE name = 'train'").to_pylist()
    assert [row["n"] for row in stages] == ["8"] * 8
    alike(results, alone(write(tiny, "off", train=train), tmp_path / "apart"))


@pytest.mark.slow
def test_heads_on_tokens_and_other_adapters_share_a_base(tiny: Path, tmp_path: Path) -> None:
    axes = """
    [grid]
    "model.adapter" = [
      { type = "lora", rank = 2 }, { type = "lora", rank = 4, dora = true, dropout = 0.1 },
      { type = "lora", rank = 4, rslora = true, targets = ["query"] },
    ]
    """
    spec, results = write(tiny, "adapters", grid=axes), tmp_path / "results"
    assert len(done(spec, results)) == 3
    alike(results, alone(write(tiny, "off", grid=axes), tmp_path / "apart"))


@pytest.mark.slow
def test_one_fails_one_is_left_and_the_others_go_on(tiny: Path, tmp_path: Path) -> None:
    grid = '\n[grid]\n"train.learning_rate" = [1e-3, 5e-3, 2e-3]\n'
    spec, results = write(tiny, "adapters", grid=grid), tmp_path / "results"
    spoilt = results / "runs" / prepared(spec, results).entries[1].trial.run
    spoilt.mkdir(parents=True)
    (spoilt / "state").write_text("in the way", encoding="utf-8")
    with pytest.raises(RunnerError, match="1 of 3 trials did not finish"):
        done(spec, results)
    assert [row["state"] for row in members(results, "tiny")] == ["finished", "failed", "finished"]
    (failure,) = query(results, "SELECT run, kind FROM failures").to_pylist()
    assert failure == {"run": spoilt.name, "kind": "NotADirectoryError"}


@pytest.mark.slow
def test_killed_or_asked_to_leave_they_go_on_where_they_were(tiny: Path, tmp_path: Path) -> None:
    spec, results = longer(write(tiny, "adapters")), tmp_path / "results"
    seen: list[str] = []

    def disturb(now: Coordinator) -> None:
        child = now.running[0] if now.running else None
        if child is None or not all((results / "runs" / name / "state/state.json").exists() for name in child.orders):
            return
        if not seen:
            os.kill(child.job.process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        elif len(seen) == 1:
            now.stop()
            now.stop()
        seen.append("")

    trials = prepared(spec, results)
    coordinator = Coordinator(trials, Queue(trials.entries), results, (), disturb)
    with suppress(Interrupted):
        coordinator.conduct()
    assert "interrupted" in {each.state for each in coordinator.ended.values()}
    assert len(done(spec, results)) == 8
    alike(results, alone(longer(write(tiny, "off")), tmp_path / "apart"))


def longer(spec: Path) -> Path:
    spec.write_text(spec.read_text(encoding="utf-8").replace("epochs = 3", "epochs = 12"), encoding="utf-8")
    return spec


@pytest.mark.parametrize(
    ("more", "train", "adapter", "why"),
    [
        ("", "", ADAPTER, "share the rest"),
        ("", "batch_size = 1_000 #", ADAPTER, "keeps the cores busy by itself"),
        ("time_limit = 5", "", ADAPTER, "limits of time and memory"),
        ("", 'loss_balance = "pcgrad"', ADAPTER, "projected"),
        ("", "packing = false", ADAPTER, "padded"),
        ("", "gradient_checkpointing = true", ADAPTER, "computed twice"),
        ("", "", '\n[model.adapter]\ntype = "ia3"\n', "no adapter by LoRA"),
        ("", "", ADAPTER + "per_task = true\n", "adapter of its own"),
    ],
)
def test_who_shares_and_why_not(tiny: Path, tmp_path: Path, more: str, train: str, adapter: str, why: str) -> None:
    grid = "\n[grid]\nseed = [1, 2]\n"
    spec = write(tiny, "adapters", more, train, grid, adapter)
    if train.startswith("batch"):
        spec.write_text(spec.read_text().replace("batch_size = 4\n", ""), encoding="utf-8")
    first, second = (sharing(entry.plan) for entry in prepared(spec, tmp_path).entries)
    assert why in first.why and first == second and bool(first.key) == (why == "share the rest")
    off = prepared(write(tiny, "off", grid=grid), tmp_path)
    assert not sharing(off.plans[0]).key


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=5))
def test_who_meets_gets_the_answer_to_all_that_asked_in_the_same_round(words: list[list[int]]) -> None:
    rounds: list[list[int]] = []
    heard: dict[int, list[int]] = {place: [] for place in range(len(words))}

    def together(asked: Sequence[int]) -> list[int]:
        rounds.append(list(asked))
        return [sum(asked) + each for each in asked]

    meeting = Meeting(together)
    meeting.conduct([partial(questioner, meeting, place, own, heard) for place, own in enumerate(words)])
    expected = [[own[at] for own in words if at < len(own)] for at in range(max(map(len, words)))]
    assert rounds == [each for each in expected if each]
    for place, own in enumerate(words):
        assert heard[place] == [sum(expected[at]) + each for at, each in enumerate(own)]


def questioner(meeting: Meeting, place: int, own: list[int], heard: dict[int, list[int]]) -> None:
    for each in own:
        heard[place].append(meeting.ask(place, each))


def test_what_breaks_a_round_is_raised_in_all_and_a_broken_meeting_ends() -> None:
    raised: list[str] = []

    def together(asked: Sequence[int]) -> list[float]:
        return [1 / each for each in asked]

    def work(place: int, value: int) -> None:
        try:
            meeting.ask(place, value)
            meeting.broken = KeyboardInterrupt("enough")
            meeting.ask(place, math.inf)
        except (ZeroDivisionError, KeyboardInterrupt) as error:
            raised.append(type(error).__name__)

    for values, expected in (([1, 0], ["ZeroDivisionError"] * 2), ([1, 2], ["KeyboardInterrupt"] * 2)):
        meeting = Meeting(together)
        raised.clear()
        works: list[Callable[[], None]] = [partial(work, place, value) for place, value in enumerate(values)]
        meeting.conduct(works)
        assert raised == expected and threading.active_count() >= 1
