"""Behaviour that all backends share: where a grid runs changes nothing of what is stored."""

from __future__ import annotations

import importlib.util
import os
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
from runner.run.coordinator import Coordinator
from runner.run.experiment import prepared
from runner.run.supply import Queue
from runner.spec.tables import Execute
from runner.store.grids import members
from runner.store.query import query
from tests.run import grids
from tests.run.grids import alone, done, told

RAY = pytest.param("ray", marks=pytest.mark.ray)
BACKENDS = ["inline", "local", "slurm", RAY]
OTHERS = ["local", "slurm", RAY]
WORDS = {"slurm": 'backend = "slurm"\nslurm.local = true', "ray": 'backend = "ray"\nray.address = "auto"'}


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A Ray cluster of a head that takes no trial and two nodes that take one each; None for other backends."""
    backend = getattr(request.node, "callspec", None) and request.node.callspec.params.get("backend")
    if backend != "ray" and request.node.get_closest_marker("ray") is None:
        yield None
        return
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the package `ray` is not installed")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [found.add_node(num_cpus=1, node_ip_address=address) for address in ("127.0.0.2", "127.0.0.3")]
    ray.init(address=found.address, log_to_driver=False)
    found.own = nodes
    try:
        yield found
    finally:
        ray.shutdown()
        found.shutdown()


def write(tiny: Path, backend: str, more: str = "", grid: str = grids.GRID, **changed: str) -> Path:
    execute = WORDS.get(backend, f'backend = "{backend}"')
    return grids.write(tiny, grid, f"workers = 2\n{execute}\n{more}", **changed)


def at_work(results: Path, name: str) -> list[int]:
    """The processes that hold the lock of a run."""
    wanted, found = str(results / "runs" / name / ".lock"), []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(os.readlink(each) == wanted for each in (process / "fd").iterdir()):
                found.append(int(process.name))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_grid_is_what_its_trials_are_alone(tiny: Path, tmp_path: Path, backend: str, cluster: Any) -> None:
    spec, results = write(tiny, backend), tmp_path / "results"
    assert len(done(spec, results)) == 4
    assert told(results) == told(alone(spec, tmp_path / "apart"))
    assert all(each["again"] for each in done(spec, results))


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_one_trial_fails_and_the_others_finish(tiny: Path, tmp_path: Path, backend: str, cluster: Any) -> None:
    spec, results = write(tiny, backend), tmp_path / "results"
    first = prepared(spec, results).entries[0].trial.run
    (results / "runs" / first).mkdir(parents=True)
    (results / "runs" / first / "state").write_text("in the way", encoding="utf-8")
    with pytest.raises(RunnerError, match="1 of 4 trials did not finish"):
        done(spec, results)
    states = [row["state"] for row in members(results, "tiny")]
    assert states == ["failed", "finished", "finished", "finished"]


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHERS)
def test_a_killed_worker_goes_on_where_it_was(tiny: Path, tmp_path: Path, backend: str, cluster: Any) -> None:
    spec, results = write(tiny, backend, epochs="12"), tmp_path / "results"
    killed: list[str] = []

    def kill(now: Coordinator) -> None:
        for child in now.running:
            for name in child.orders:
                if name not in killed and (results / "runs" / name / "state" / "state.json").exists():
                    processes = at_work(results, name)
                    killed.extend([name] * bool(processes))
                    for process in processes:
                        os.kill(process, signal.SIGKILL)

    coordinator = begun(spec, results, kill)
    assert {each.state for each in coordinator.ended.values()} == {"finished"} and killed
    assert told(results) == told(alone(spec, tmp_path / "apart"))


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHERS)
def test_stopping_saves_and_a_second_coordinator_goes_on(
    tiny: Path, tmp_path: Path, backend: str, cluster: Any
) -> None:
    spec, results = write(tiny, backend, epochs="40"), tmp_path / "results"

    def stop(now: Coordinator) -> None:
        if not now.stops and all((results / "runs" / run / "state/state.json").exists() for run in running(now)):
            now.stop()
            now.stop()

    coordinator = begun(spec, results, stop)
    assert [each.state for each in coordinator.ended.values()] == ["interrupted"] * 2
    assert coordinator.left == 2
    assert len(done(spec, results)) == 4
    assert told(results) == told(alone(spec, tmp_path / "apart"))


@pytest.mark.slow
@pytest.mark.ray
def test_trials_of_a_node_that_dies_go_on_elsewhere(tiny: Path, tmp_path: Path, cluster: Any) -> None:
    spec, results = write(tiny, "ray", epochs="40"), tmp_path / "results"
    dead: list[Any] = []

    def kill(now: Coordinator) -> None:
        ready = [run for run in running(now) if (results / "runs" / run / "state/state.json").exists()]
        if not dead and len(ready) == 2:
            dead.append(cluster.own[0])
            cluster.remove_node(cluster.own[0], allow_graceful=False)

    coordinator = begun(spec, results, kill)
    assert {each.state for each in coordinator.ended.values()} == {"finished"} and dead
    assert told(results) == told(alone(spec, tmp_path / "apart"))


@pytest.mark.slow
@pytest.mark.ray
def test_what_ends_with_the_head_of_a_cluster_goes_on_without_it(tiny: Path, tmp_path: Path, cluster: Any) -> None:
    import ray

    spec, results = write(tiny, "ray", epochs="60"), tmp_path / "results"
    there = {"RAY_ADDRESS": cluster.address, "RAY_gcs_rpc_server_reconnect_timeout_s": "5"}
    words = [sys.executable, "-m", "runner", "run", str(spec), "--results", str(results)]
    with subprocess.Popen(words, env=os.environ | there, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        await_that(lambda: len(list((results / "runs").glob("*/state/state.json"))) >= 2)
        ray.shutdown()
        cluster.remove_node(cluster.head_node, allow_graceful=False)
        said, _ = process.communicate()
    assert process.returncode == 1
    assert b"GCS may have been killed" in said  # Ray ends the process by itself
    cluster.shutdown()
    names = [folder.name for folder in (results / "runs").iterdir()]
    await_that(lambda: not any(at_work(results, name) for name in names))
    found = done(write(tiny, "local", epochs="60"), results)
    assert len(found) == 4
    assert told(results) == told(alone(spec, tmp_path / "apart"))


@pytest.mark.slow
def test_a_preempted_job_saves_and_is_queued_again(tiny: Path, tmp_path: Path) -> None:
    spec, results = write(tiny, "slurm", epochs="40"), tmp_path / "results"
    warned: list[str] = []

    def warn(now: Coordinator) -> None:
        for name in running(now):
            if name not in warned and (results / "runs" / name / "state/state.json").exists():
                warned.append(name)
                for process in at_work(results, name):
                    os.kill(process, signal.SIGUSR2)

    coordinator = begun(spec, results, warn)
    assert {each.state for each in coordinator.ended.values()} == {"finished"} and len(warned) == 4
    assert set(coordinator.begun.values()) == {1}  # submitit began them again, not the coordinator
    assert told(results) == told(alone(spec, tmp_path / "apart"))
    attempts = query(results, "SELECT DISTINCT attempts FROM runs").to_pylist()
    assert attempts == [{"attempts": 2}]


@pytest.mark.slow
def test_jobs_of_a_coordinator_that_died_are_adopted(tiny: Path, tmp_path: Path) -> None:
    spec, results = write(tiny, "slurm", epochs="60"), tmp_path / "results"
    words = [sys.executable, "-m", "runner", "run", str(spec), "--results", str(results)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        await_that(lambda: len(list((results / "runs").glob("*/state/state.json"))) == 2)
        process.kill()
    assert len(done(spec, results)) == 4
    assert query(results, "SELECT DISTINCT attempts FROM runs").to_pylist() == [{"attempts": 1}]
    assert told(results) == told(alone(spec, tmp_path / "apart"))


@pytest.mark.slow
def test_models_are_copied_to_a_url(tiny: Path, tmp_path: Path) -> None:
    grid = "\n[grid]\nseed = [1, 2]\n"
    spec = write(tiny, "local", f'artifacts = "file://{tmp_path}/there"', grid)
    found = done(spec, tmp_path / "results")
    for each in found:
        there = {file.relative_to(tmp_path / "there" / each["run"]) for file in (tmp_path / "there").rglob(each["run"])}
        own = sorted(file.name for file in Path(each["model"]).iterdir())
        assert own == sorted(file.name for file in (tmp_path / "there" / each["run"]).iterdir()), there
    spec = write(tiny, "local", 'artifacts = "nowhere://x"', "\n[grid]\nseed = [3, 4]\n")
    with pytest.raises(RunnerError, match="2 of 2 trials did not finish"):
        done(spec, tmp_path / "results")


def test_a_backend_whose_package_is_missing_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from runner.run.job import backend

    for name, package in (("ray", "ray"), ("slurm", "submitit")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(RunnerError, match=f"needs the package `{package}`"):
            backend(Execute(backend=name), "tiny", tmp_path)


def test_without_slurm_that_is_said(tmp_path: Path) -> None:
    from runner.run.job import backend

    with pytest.raises(RunnerError, match="no Slurm here"):
        backend(Execute(backend="slurm"), "tiny", tmp_path)


def begun(spec: Path, results: Path, told: Callable[[Coordinator], None]) -> Coordinator:
    trials = prepared(spec, results)
    coordinator = Coordinator(trials, Queue(trials.entries), results, (), told)
    with suppress(Interrupted):
        coordinator.conduct()
    return coordinator


def running(now: Coordinator) -> list[str]:
    return [run for child in now.running for run in child.orders]


def await_that(condition: Callable[[], bool], most: float = 120) -> None:
    end = time.monotonic() + most
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
