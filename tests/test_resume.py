"""Promise 4: a run that is killed at any moment ends with the same bits as one that never stopped."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.run.experiment import prepare, resume, run
from runner.store.query import query
from tests.conftest import events

LONG = 12  # epochs: long enough to be hit in the middle


@pytest.fixture
def slow(tiny: Path) -> Path:
    """The tiny spec with more steps, dropout on, early stopping watching, and a state saved after each step."""
    text = tiny.read_text(encoding="utf-8").replace(
        "epochs = 3", f"epochs = {LONG}\ncheckpoint_minutes = 1e-9\naccumulate = 2"
    )
    text += "\n[train.early_stopping]\nmetric = 'loss'\npatience = 50\n"
    tiny.write_text(text, encoding="utf-8")
    return tiny


def start(spec: Path, results: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runner", *words, "--results", str(results)],
        cwd=spec.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], log: Path, count: int) -> None:
    """Until the log holds so many records, or the process has ended."""
    while process.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < count):
        time.sleep(0.002)


def outcome(results: Path, name: str) -> dict[str, object]:
    """Everything that must be equal: bytes of the weights, curves, scores, answers."""
    folder = results / "runs" / name / "model"
    tables = {
        "metrics": "step, epoch, split, task, metric, value",
        "scores": "split, model, task, metric, value, low, high, n",
        "answers": "split, task, id, gold, predicted, confidence, gold_probability, text",
    }
    rows = {
        table: query(results, f"SELECT {columns} FROM {table} ORDER BY ALL").to_pylist()
        for table, columns in tables.items()
    }
    files = {file.name: file.read_bytes() for file in folder.glob("*.safetensors")}
    return rows | files


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bits(slow: Path, tmp_path: Path) -> None:
    whole = prepare(slow, tmp_path / "whole")
    name = whole.trials[0].run
    run(whole, whole.trials[0], tmp_path / "whole", show=False)
    total = len(events(tmp_path / "whole", name))
    expected = outcome(tmp_path / "whole", name)

    results = tmp_path / "killed"
    log = results / "runs" / name / "log.jsonl"
    seed = time.time_ns()
    print("moments of the kills follow from", seed)
    moments = random.Random(seed)
    kills = 0
    for word in ("run", "resume", "resume"):
        process = start(slow, results, word, str(slow) if word == "run" else name)
        before = log.read_bytes().count(b"\n") if log.exists() else 0
        wait_for(process, log, before + moments.randint(2, max(3, total // 3)))
        kills += process.poll() is None
        process.kill()
        process.communicate()
    assert kills, "no kill came before the end"
    resume(results, name, show=False)

    found = outcome(results, name)
    assert found.keys() == expected.keys()
    for part, value in expected.items():
        assert found[part] == value, part
    attempts = query(results, "SELECT state FROM attempts ORDER BY attempt").to_pylist()
    assert attempts[-1]["state"] == "finished"
    assert "lost" in {row["state"] for row in attempts[:-1]}


DEADLY = """
import importlib, os, signal, sys
module, name, nth, *words = sys.argv[1:]
found = importlib.import_module(module)
real, calls = getattr(found, name), []

def deadly(*given, **more):
    calls.append(name)
    if len(calls) == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **more)

setattr(found, name, deadly)
sys.argv = ["runner", *words]
importlib.import_module("runner.__main__").main()
"""
MOMENTS = {
    "while a state is written": ("torch", "save", 7),
    "between a state and the pointer to it": ("runner.train.state", "checksum", 8),
    "while the model is exported": ("safetensors.torch", "save_file", 1),
    "just before the result is written": ("runner.run.trial", "replace_text", 1),
    "while the states are removed": ("shutil", "_rmtree_safe_fd", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_at_the_worst_moment_changes_no_bit(slow: Path, tmp_path: Path, moment: str) -> None:
    whole = prepare(slow, tmp_path / "whole")
    name = whole.trials[0].run
    run(whole, whole.trials[0], tmp_path / "whole", show=False)
    results = tmp_path / "killed"
    prepare(slow, results)  # preparation removes folders of its own
    module, function, nth = MOMENTS[moment]
    words = ["run", str(slow), "--results", str(results)]
    done = subprocess.run(
        [sys.executable, "-c", DEADLY, module, function, str(nth), *words],
        cwd=slow.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    resume(results, name, show=False)
    assert outcome(results, name) == outcome(tmp_path / "whole", name)
    assert query(results, "SELECT state FROM runs").to_pylist() == [{"state": "finished"}]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_ends_as_interrupted(slow: Path, tmp_path: Path, number: int) -> None:
    results = tmp_path / "results"
    name = prepare(slow, results).trials[0].run
    process = start(slow, results, "run", str(slow))
    wait_for(process, results / "runs" / name / "log.jsonl", 12)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "runner resume" in said
    assert (results / "runs" / name / "state" / "state.json").is_file()
    assert query(results, "SELECT state FROM runs").to_pylist() == [{"state": "interrupted"}]
