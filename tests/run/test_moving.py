"""A run that begins on one machine goes on on another, and comes back: as if it had never moved."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from runner.run.experiment import prepare, run
from runner.store.merge import merge
from runner.store.query import query
from tests.test_resume import outcome, start, wait_for
from tests.test_resume import slow as slow


@pytest.mark.slow
def test_a_run_goes_on_elsewhere_and_comes_back(slow: Path, tmp_path: Path) -> None:
    here, there, whole = tmp_path / "here", tmp_path / "there", tmp_path / "whole"
    plan = prepare(slow, whole)
    name = plan.trials[0].run
    run(plan, plan.trials[0], whole, show=False)
    process = start(slow, here, "run", str(slow))
    wait_for(process, here / "runs" / name / "log.jsonl", 20)
    process.send_signal(signal.SIGTERM)
    process.wait()
    assert merge(there, [str(here)]).new == [name]
    assert query(there, "SELECT state FROM runs").to_pylist() == [{"state": "interrupted"}]
    plan = prepare(slow, there)
    run(plan, plan.trials[0], there, show=False)
    assert merge(here, [str(there)]).grown == [name]
    assert outcome(here, name) == outcome(there, name) == outcome(whole, name)
    assert query(here, "SELECT attempts, state FROM runs").to_pylist() == [{"attempts": 2, "state": "finished"}]
    plan = prepare(slow, here)
    assert run(plan, plan.trials[0], here, show=False)["again"]
    assert merge(here, [str(there), str(there)]).same == 2
