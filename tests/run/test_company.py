"""Several processes train one run: the same result as one, exact resumes, and an end for all when one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from runner.run.company import Died
from runner.run.experiment import prepare, resume, run
from runner.store.query import query
from tests.run.test_experiment import edit
from tests.test_resume import outcome, start, wait_for

pytestmark = pytest.mark.slow

LORA = '\n[model.adapter]\ntype = "lora"\nrank = 2\ntargets = ["query", "value"]\n'


def together(spec: Path, strategy: str) -> None:
    edit(spec, "accumulate = 2", f'accumulate = 2\nstrategy = "{strategy}"\ndevices = 2')


def done(file: Path, results: Path) -> dict[str, Any]:
    plan = prepare(file, results)
    return run(plan, plan.trials[0], results, show=False)


def weights(result: dict[str, Any]) -> dict[str, Any]:
    files = Path(result["model"]).glob("*.safetensors")
    return {f"{file.name}/{name}": each for file in files for name, each in load_file(file).items()}


def apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference of the weights of two results."""
    expected, found = weights(one), weights(other)
    assert expected.keys() == found.keys()
    return max(float((found[name] - each).abs().max()) for name, each in expected.items())


def curves(results: Path) -> dict[tuple[Any, ...], float]:
    rows = query(results, "SELECT step, epoch, split, task, metric, value FROM metrics").to_pylist()
    return {tuple(value for key, value in row.items() if key != "value"): row["value"] for row in rows}


@pytest.mark.parametrize(("strategy", "adapter"), [("ddp", ""), ("fsdp", LORA)])
def test_two_processes_end_where_one_does(tiny: Path, tmp_path: Path, strategy: str, adapter: str) -> None:
    edit(tiny, "batch_size = 8", "batch_size = 8\naccumulate = 2")
    edit(tiny, "max_length = 16", f"max_length = 16{adapter}")
    alone = done(tiny, tmp_path / "alone")
    together(tiny, strategy)
    both = done(tiny, tmp_path / "both")
    assert both["key"] == alone["key"] and both["tokens_per_second"] is not None
    assert apart(alone, both) < 1e-6
    assert curves(tmp_path / "both") == pytest.approx(curves(tmp_path / "alone"), abs=1e-5)
    for one, other in zip(alone["scores"], both["scores"], strict=True):
        assert one == {**other, "value": pytest.approx(other["value"], abs=1e-5)}
    assert query(tmp_path / "both", "SELECT state FROM runs").to_pylist() == [{"state": "finished"}]
    assert done(tiny, tmp_path / "alone")["again"], "the strategy is no part of what a run is"


def members(parent: int) -> list[int]:
    """The processes that train, by their ids; the first is the one that records."""
    children = Path(f"/proc/{parent}/task/{parent}/children")
    found = [int(pid) for pid in children.read_text().split()] if children.exists() else []
    return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture
def slow(tiny: Path) -> Path:
    """More steps, a state after each, dropout on."""
    edit(tiny, "batch_size = 8", "batch_size = 8\naccumulate = 2\ncheckpoint_minutes = 1e-9")
    edit(tiny, "epochs = 3", "epochs = 30")
    together(tiny, "ddp")
    return tiny


@pytest.fixture
def began(slow: Path, tmp_path: Path) -> tuple[subprocess.Popen[str], Path, str]:
    """A run by two processes, some epochs on."""
    results = tmp_path / "results"
    name = prepare(slow, results).trials[0].run
    process = start(slow, results, "run", str(slow))
    wait_for(process, results / "runs" / name / "log.jsonl", 14)
    return process, results, name


def gone(pids: list[int]) -> bool:
    """Whether all of them end soon."""
    until = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_killed_run_leaves_nobody_and_resumes_to_the_same_bits(began: Any, slow: Path, tmp_path: Path) -> None:
    process, results, name = began
    company = members(process.pid)
    process.kill()
    process.communicate()
    assert len(company) == 2 and gone(company)
    resume(results, name, show=False)
    done(slow, tmp_path / "whole")
    found, expected = outcome(results, name), outcome(tmp_path / "whole", name)
    assert found == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_saves_and_ends_as_interrupted(began: Any, number: int) -> None:
    process, results, name = began
    company = members(process.pid)
    for pid in (process.pid, *company):  # as a terminal does
        os.kill(pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "the state is saved" in said and "runner resume" in said, said
    assert (results / "runs" / name / "state" / "state.json").is_file()
    assert gone(company)
    assert query(results, "SELECT state FROM runs").to_pylist() == [{"state": "interrupted"}]


@pytest.mark.parametrize("which", [0, 1])
def test_a_member_that_dies_ends_the_others_and_is_named(began: Any, which: int) -> None:
    process, results, _ = began
    company = members(process.pid)
    os.kill(company[which], signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"process {which + 1} of 2, which trained the run, was killed by SIGKILL" in said
    assert "runner resume" in said
    assert gone(company)
    assert query(results, "SELECT kind FROM failures").to_pylist() == [{"kind": "Died"}]


def test_the_error_of_one_member_is_that_of_the_run(tiny: Path, tmp_path: Path) -> None:
    """A rate so high that losses are no numbers."""
    edit(tiny, "batch_size = 8", "batch_size = 8\naccumulate = 2\nclip_norm = 1e30")
    edit(tiny, "learning_rate = 5e-3", "learning_rate = 10")
    edit(tiny, "[train]", "[train]\nwarmup = 0.0\nweight_decay = 1.0")
    edit(tiny, "epochs = 3", "epochs = 40")
    together(tiny, "ddp")
    results = tmp_path / "results"
    words = [sys.executable, "-m", "runner", "run", str(tiny), "--results", str(results)]
    found = subprocess.run(words, cwd=tiny.parent, capture_output=True, text=True, check=False)
    assert found.returncode == 1, found.stderr
    assert "is not a number at step" in found.stderr


def test_a_death_is_told_in_words() -> None:
    assert "process 2 of 2, which trained the run, was killed by SIGKILL, perhaps for want of memory" in str(
        Died("process 2 of 2", -9)
    )
    assert str(Died("process 1 of 2", 1)).endswith("ended with code 1")
