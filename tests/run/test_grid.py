"""Grids: each trial once, as if alone, whatever dies meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from runner.errors import Interrupted, RunnerError
from runner.run import best, grid
from runner.run.coordinator import Coordinator
from runner.run.experiment import prepared
from runner.run.slots import gpus, resident, slots
from runner.run.supply import Queue
from runner.spec.tables import Execute
from runner.store.grids import delete, leaderboard, members
from runner.store.query import query
from tests.run.grids import alone, done, told, write


@pytest.fixture
def started() -> Iterator[Callable[[Path, Path], subprocess.Popen[bytes]]]:
    """Begins `runner run`; none of its processes outlives the test."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(spec: Path, results: Path) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "runner", "run", str(spec), "--results", str(results)]
        begun.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_trials_of_a_grid_are_those_that_run_alone(tiny: Path, tmp_path: Path) -> None:
    spec, together, apart = write(tiny), tmp_path / "together", tmp_path / "apart"
    found = done(spec, together)
    assert len(found) == 4 and not any(each["again"] for each in found)
    assert told(together) == told(alone(spec, apart))
    assert all(each["again"] for each in done(spec, together))
    rows = members(together, "tiny")
    assert [(row["state"], row["point"]["seed"]) for row in rows] == [("finished", seed) for seed in (1, 2, 1, 2)]
    board = leaderboard(together, "tiny")
    assert [row["runs"] for row in board] == ["2/2", "2/2"]
    label = "validation length.macro_f1"
    assert board[0][label] >= board[1][label] and board[0][f"± {label}"] is not None


@pytest.mark.slow
def test_a_new_value_trains_new_trials_only_and_the_best_keeps_its_model(tiny: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    first = done(write(tiny, '\n[grid]\n"train.learning_rate" = [5e-3]\nseed = [1, 2]\n'), results)
    found = done(write(tiny, execute='workers = 2\nkeep = "best"'), results)
    again = {each["run"] for each in found if each["again"]}
    assert again == {each["run"] for each in first} and len(found) == 4
    kept = [path.parent.name for path in (results / "runs").glob("*/model")]
    assert kept == [max(found, key=best.value)["run"]]
    assert delete(results, "tiny") and not list((results / "runs").iterdir())


@pytest.mark.slow
def test_a_trial_that_fails_is_not_tried_again_and_the_others_go_on(tiny: Path, tmp_path: Path) -> None:
    spec, results = write(tiny, execute="workers = 1"), tmp_path / "results"
    spoil(spec, results)
    with pytest.raises(RunnerError, match="1 of 4 trials did not finish") as error:
        done(spec, results)
    assert "failed" in error.value.message and "runner run" in error.value.hint
    assert [row["state"] for row in members(results, "tiny")] == ["failed", "finished", "finished", "finished"]
    assert query(results, "SELECT max(attempts) AS n FROM runs").to_pylist() == [{"n": 1}]
    stopping, others = write(tiny, execute='workers = 1\non_failure = "stop"'), tmp_path / "others"
    spoil(stopping, others)
    with pytest.raises(RunnerError, match="3 never began"):
        done(stopping, others)


def spoil(spec: Path, results: Path) -> None:
    """Make the first trial fail: where its states should go, a file stands."""
    folder = results / "runs" / prepared(spec, results).entries[0].trial.run
    folder.mkdir(parents=True)
    (folder / "state").write_text("in the way", encoding="utf-8")


@pytest.mark.slow
def test_limits_of_time_and_memory(tiny: Path, tmp_path: Path) -> None:
    one = '\n[grid]\n"train.learning_rate" = [5e-3]\nseed = [1, 2]\n'
    spec = write(tiny, one, execute="workers = 2\ntime_limit = 1e-4", epochs="9_000")
    with pytest.raises(RunnerError, match="2 of 2 trials did not finish"):
        done(spec, tmp_path / "time")
    rows = query(tmp_path / "time", "SELECT kind, message FROM failures").to_pylist()
    assert [row["kind"] for row in rows] == ["TimeLimit", "TimeLimit"]
    assert {row["state"] for row in members(tmp_path / "time", "tiny")} == {"failed"}
    halving = 'workers = 2\nmemory_limit = 1e-3\non_out_of_memory = "halve"'
    spec = write(tiny, one, execute=halving, epochs="9_000", batch_size="4")
    with pytest.raises(RunnerError):
        done(spec, tmp_path / "memory")
    logs = [path.name for path in (tmp_path / "memory" / "runs").iterdir()]
    assert len(logs) == 6  # of each seed one with 4, one with 2 and one with 1 row at a time
    assert {row["kind"] for row in query(tmp_path / "memory", "SELECT kind FROM failures").to_pylist()} == {
        "OutOfMemory"
    }


@pytest.mark.slow
def test_a_worker_that_dies_begins_again_where_it_was(tiny: Path, tmp_path: Path) -> None:
    spec, results, whole = write(tiny), tmp_path / "results", tmp_path / "whole"
    done(spec, whole)
    killed: list[str] = []

    def kill(now: Coordinator) -> None:
        for child in now.running:
            for name in child.orders:
                if name not in killed and (results / "runs" / name / "state").exists():
                    killed.append(name)
                    child.job.kill()

    trials = prepared(spec, results)
    coordinator = Coordinator(trials, Queue(trials.entries), results, (), kill)
    coordinator.conduct()
    assert {each.state for each in coordinator.ended.values()} == {"finished"}
    assert told(results) == told(whole)


@pytest.mark.slow
def test_no_kill_of_coordinator_or_trials_changes_what_is_stored(tiny: Path, tmp_path: Path, started: Any) -> None:
    """Ten kills at moments that follow from how much was recorded, of the coordinator or of one of its trials."""
    spec, results, whole = write(tiny, epochs="12"), tmp_path / "results", tmp_path / "whole"
    done(spec, whole)
    expected = sum(path.stat().st_size for path in (whole / "runs").glob("*/log.jsonl"))
    moments = random.Random(5)
    for number in range(1, 11):
        process = started(spec, results)
        await_records(process, results, expected * number / 14)
        at_work = workers(process.pid)
        if at_work and moments.random() < 0.5:
            kill(moments.choice(at_work))
        kill(process.pid)
        process.wait()
        await_ends(at_work)
    process = started(spec, results)
    assert process.wait() == 0
    assert told(results) == told(whole)


@pytest.mark.slow
def test_asking_to_stop_twice_saves_and_a_second_run_goes_on(tiny: Path, tmp_path: Path, started: Any) -> None:
    spec, results = write(tiny, epochs="9_000"), tmp_path / "results"
    process = started(spec, results)
    until(lambda: len(list((results / "runs").glob("*/state/state.json"))) == 2, process)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # two of one kind may arrive as one
    assert process.wait() == 130
    states = [row["state"] for row in members(results, "tiny")]
    assert states.count("interrupted") == 2 and states.count("planned") == 2


def await_records(process: subprocess.Popen[bytes], results: Path, size: float) -> None:
    until(lambda: recorded(results) > size or process.poll() is not None, process)


def await_ends(pids: list[int]) -> None:
    until(lambda: not alive(pids), None)


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes] | None, most: float = 120) -> None:
    end = time.monotonic() + most
    while not condition():
        assert time.monotonic() < end, "it never happened"
        assert process is None or process.poll() is None or condition()
        time.sleep(0.02)


def recorded(results: Path) -> int:
    return sum(path.stat().st_size for path in (results / "runs").glob("*/log.jsonl"))


def workers(coordinator: int) -> list[int]:
    """Processes that are leaders of a session of their own below the coordinator's server."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        if int(fields[3]) == pid and ancestor(pid, coordinator):
            found.append(pid)
    return found


def ancestor(pid: int, wanted: int) -> bool:
    while pid > 1:
        if pid == wanted:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it had just ended
        os.kill(pid, signal.SIGKILL)


def alive(pids: list[int]) -> bool:
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            return True
    return False


def test_slots_share_cores_and_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.run.slots.cores", lambda: 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    assert gpus() == ["3", "5"]
    assert [(slot.threads, slot.gpu) for slot in slots(Execute(workers=3))] == [(2, "3"), (2, "5"), (2, "3")]
    assert [(slot.threads, slot.gpu) for slot in slots(Execute(workers=16, accelerator="cpu"))] == [(1, None)] * 16
    assert slots(Execute(threads=4))[0].threads == 4


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_memory_of_a_group_is_told() -> None:
    assert resident(os.getpgrp()) > 2**20 and resident(2**30) == 0


def test_a_grid_that_nobody_ran_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match="no grid `nothing`"):
        members(tmp_path, "nothing")


def test_what_a_stopped_grid_means(tiny: Path, tmp_path: Path) -> None:
    trials = prepared(write(tiny), tmp_path / "results")
    coordinator = Coordinator(trials, Queue(trials.entries), tmp_path / "results", (), lambda _: None)
    coordinator.stop()
    with pytest.raises(Interrupted, match="0 trials saved their state, 4 never began"):
        grid.judge(coordinator, trials)
