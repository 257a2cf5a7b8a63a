"""MLflow: each run becomes one of MLflow's, with parameters, curves, final scores and tags, in its experiment.

A run is found again by its tag `runner.run`, and gets only what it lacks; `runner.digest` tells that it lacks nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from runner.errors import RunnerError
from runner.store.export import Chosen, Moment, without_secret
from runner.store.formats._points import Point, points

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

T = TypeVar("T")
RUN, DIGEST = "runner.run", "runner.digest"
BATCH = {"metrics": 1000, "params": 100, "tags": 100}  # what MLflow takes at once
LONGEST = {"params": 6000, "tags": 5000}  # characters of a value
STATUS = {"finished": "FINISHED", "failed": "FAILED", "running": "RUNNING", None: "SCHEDULED"}  # all others: KILLED
ABOUT = """
    SELECT r.state, epoch_ms(r.started) AS started, epoch_ms(r.finished) AS finished, r.description, r.seed,
           r.trial_key, r.git_commit, r.version,
           (SELECT string_agg(DISTINCT grid, ' ' ORDER BY grid) FROM grid_trials g WHERE g.run = c.run) AS grids
    FROM chosen c LEFT JOIN runs r ON r.run = c.run WHERE c.run = $run
"""
PARAMS = "SELECT name, coalesce(value, 'null') AS value FROM params WHERE run = $run ORDER BY name"


@dataclass(frozen=True)
class Told:
    """All that MLflow is told of a run."""

    about: dict[str, Any]
    params: dict[str, str]
    tags: dict[str, str]
    points: list[Point]

    @property
    def digest(self) -> str:
        """A hash of it."""
        return hashlib.sha256(repr((self.about, self.params, self.tags, self.points)).encode()).hexdigest()


def write(moment: Moment, target: str) -> dict[str, int]:
    """Tell a tracking server, or the database of one, of the chosen runs; how many points it did not know."""
    with quiet(), telling(target):
        client = connected(target)
        experiments: dict[str, str] = {}
        count = 0
        for chosen in moment.runs:
            name = chosen.experiment
            experiments[name] = experiments.get(name) or experiment(client, name)
            count += bring(client, experiments[name], chosen.run, about(moment, chosen))
    return {"points": count}


def connected(target: str) -> MlflowClient:
    """MLflow's client, which tells nobody that it was used."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise RunnerError("MLflow needs the package `mlflow-skinny`", "`pip install 'runner[mlflow]'`") from None
    return MlflowClient(target)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the lines that MLflow writes when it makes a database."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)


@contextmanager
def telling(target: str) -> Iterator[None]:
    """What MLflow says of a server, a database or a value is the user's to mend."""
    try:
        yield
    except Exception as error:
        exceptions = sys.modules.get("mlflow.exceptions")
        if exceptions is None or not isinstance(error, exceptions.MlflowException):
            raise
        first = str(error).strip().partition("\n")[0]
        raise RunnerError(f"MLflow at `{without_secret(target)}`: {first}", "mend it and export again") from error


def about(moment: Moment, chosen: Chosen) -> Told:
    """What there is to tell of a run."""
    (found,) = moment.rows(ABOUT, run=chosen.run)
    params = {key(row["name"]): row["value"][: LONGEST["params"]] for row in moment.rows(PARAMS, run=chosen.run)}
    names = {"mlflow.note.content": "description", "mlflow.source.git.commit": "git_commit"}
    names |= {f"runner.{name}": name for name in ("seed", "trial_key", "version", "grids")}
    tags = {tag: str(found[name])[: LONGEST["tags"]] for tag, name in names.items() if found[name] is not None}
    return Told(found, params, tags | {RUN: chosen.run}, points(moment, chosen.run))


def key(name: str) -> str:
    """A name of which MLflow takes every letter."""
    return re.sub(r"[^\w.\-/ :]", "_", name)[:250]


def experiment(client: MlflowClient, name: str) -> str:
    """The id of an experiment, which is made where it is missing."""
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def bring(client: MlflowClient, place: str, run: str, told: Told) -> int:
    """Make a run, or go on with one; how many points were new. The digest comes last: a kill before it means again."""
    found = known(client, place, run)
    if found is not None and found.data.tags.get(DIGEST) == told.digest:
        return 0
    if found is None:
        found = client.create_run(place, start_time=told.about["started"] or 0, tags=told.tags, run_name=run)
    fresh = [*lacking(client, found, told.points)]
    params = {name: value for name, value in told.params.items() if name not in found.data.params}
    log(client, found.info.run_id, fresh, params, told.tags)
    finish(client, found.info.run_id, told.about)
    client.set_tag(found.info.run_id, DIGEST, told.digest)
    return len(fresh)


def known(client: MlflowClient, place: str, run: str) -> Run | None:
    """The run as MLflow has it."""
    found = client.search_runs([place], f"tags.`{RUN}` = {json.dumps(run, ensure_ascii=False)}", max_results=1)
    return found[0] if found else None


def lacking(client: MlflowClient, found: Run, points: Sequence[Point]) -> Iterator[Point]:
    """The points whose step has no such value yet in MLflow."""
    had = {
        (name, metric.step, repr(metric.value))
        for name in found.data.metrics
        for metric in client.get_metric_history(found.info.run_id, name)
    }
    for point in points:
        if (key(point.name), point.step, repr(bounded(point.value))) not in had:
            yield point


def bounded(value: float) -> float:
    """A value as MLflow's databases keep it: the largest number stands for infinity."""
    return max(-sys.float_info.max, min(value, sys.float_info.max))


def log(
    client: MlflowClient, run_id: str, points: Sequence[Point], params: dict[str, str], tags: dict[str, str]
) -> None:
    """Write in as few requests as MLflow allows."""
    from mlflow.entities import Metric, Param, RunTag

    metrics = [Metric(key(name), value, round(time * 1000), step) for name, step, time, value in points]
    for some in cut(metrics, BATCH["metrics"]):
        client.log_batch(run_id, metrics=some)
    for named in cut([Param(name, value) for name, value in params.items()], BATCH["params"]):
        client.log_batch(run_id, params=named)
    for tagged in cut([RunTag(name, value) for name, value in tags.items()], BATCH["tags"]):
        client.log_batch(run_id, tags=tagged)


def cut(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Values in parts of at most so many."""
    return (values[begin : begin + size] for begin in range(0, len(values), size))


def finish(client: MlflowClient, run_id: str, about: dict[str, Any]) -> None:
    """How the run stands."""
    status = STATUS.get(about["state"], "KILLED")
    if status in ("RUNNING", "SCHEDULED"):
        client.update_run(run_id, status)
    else:
        client.set_terminated(run_id, status, about["finished"])
