"""The store at scale: logging beside MLflow and Trackio, questions over many runs, boards, the start of the program.

`logging`: four processes log runs step by step with five metrics, by the call that users of each tracker write. Seconds
are from the first call until all rows are in the database, without imports; peers may do fewer runs, as rates count.
A logger that is killed with -9 has said which calls came back: `lost` are those of which nothing is found afterwards.
`scale`: the logs of many runs are written in bulk, read into the database, and asked; MLflow is filled by its bulk call
for as long as `--budget` says. Warm is the median of 20 in one process, cold a whole `runner query`.
`boards`: runs with parameters and scores only. `start`: `runner query "select 1"` over a process that imports duckdb.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import _bulk
from _pairs import ROOT, emit, interleaved, parser, positive, ratios

from runner.store.ingest import ingest
from runner.store.query import asking

WRITERS, METRICS = 4, 5
KILLED = 4.0  # seconds after which a logger is killed; trackers that log in the background have begun to by then
GOALS = {"over_mlflow": 50, "p50_us": 20, "p99_us": 1000, "bytes_per_point": 14, "lost": 0}
QUESTIONS = {
    "best_run_per_setting": """
        SELECT setting, arg_max(run, best) AS run, max(best) AS best FROM metric_last JOIN settings USING (run)
        WHERE split = 'train' AND task = 'mood' AND metric = 'macro_f1' GROUP BY setting""",
    "one_curve": "SELECT step, value FROM curve('{run}', 'mood.macro_f1')",
    "top_10_with_params": """
        SELECT run, best, params FROM metric_last JOIN run_summary USING (run)
        WHERE split = 'train' AND task = 'mood' AND metric = 'macro_f1' ORDER BY best DESC LIMIT 10""",
    "list_of_runs": "SELECT run, name, seed, state, started, seconds FROM runs ORDER BY started DESC",
}
BOARD = "SELECT place, name, mean, low, high, seeds FROM leaderboard WHERE split = 'test' AND task = 'mood'"


class Side:
    """A tracker in its own environment, asked by `_peers/log_*.py`."""

    def __init__(self, name: str, python: str, runs: int = 0, steps: int = 0) -> None:
        self.name, self.python, self.runs, self.steps = name, python, runs, steps
        self.script = Path(__file__).with_name("_peers") / f"log_{name}.py"

    def begin(self, *words: object) -> subprocess.Popen[str]:
        """A process whose output somebody reads."""
        place = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        place |= {"PYTHONPATH": str(ROOT)} if self.name == "ours" else {}
        command = [self.python, str(self.script), *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=place)

    def say(self, *words: object) -> Any:
        """What a process found."""
        return answer(self.begin(*words))


def answer(process: subprocess.Popen[str]) -> Any:
    """The last line of a process that ends well."""
    out, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"`{process.args}` failed:\n{out[-2000:]}{err[-2000:]}")
    return json.loads(out.splitlines()[-1])


def logged(side: Side, kills: int) -> dict[str, Any]:
    """Points per second of four writers, their calls, what is kept, what kills lose."""
    with tempfile.TemporaryDirectory() as name:
        folder, share = Path(name), side.runs // WRITERS
        side.say("prepare", folder)
        writers = [side.begin("write", folder, share * at, share, side.steps) for at in range(WRITERS)]
        found = [answer(each) for each in writers]
        seconds = max(each["ended"] for each in found) - min(each["began"] for each in found)
        if side.name == "ours":
            seconds += spent(lambda: fill(folder))
        kept = side.say("count", folder)
    points = share * WRITERS * side.steps * METRICS
    return {
        "runs": share * WRITERS,
        "points_per_second": points / seconds,
        "p50_us": median(each["p50_us"] for each in found),
        "p99_us": max(each["p99_us"] for each in found),
        "bytes_per_point": kept["bytes"] / kept["points"],
        "missing_points": points - kept["points"],
        "lost_of_acknowledged": [killed(side) for _ in range(kills)],
    }


def killed(side: Side) -> str:
    """Acknowledged steps of a killed logger of which not all points are found, and how many there were."""
    with tempfile.TemporaryDirectory() as folder:
        side.say("prepare", folder)
        logger = side.begin("acknowledge", folder)
        assert logger.stdout is not None
        acknowledged, until = 0, time.monotonic() + KILLED
        while time.monotonic() < until:
            acknowledged += logger.stdout.readline().count("\n")
        logger.send_signal(signal.SIGKILL)
        acknowledged += logger.communicate()[0].count("\n")
        kept = side.say("count", folder)["points"] / METRICS
        return f"{max(0, acknowledged - kept):g} of {acknowledged}"


def logging(sides: list[Side], kills: int) -> dict[str, Any]:
    """All sides, and how many times as fast ours is."""
    found: dict[str, Any] = {side.name: logged(side, kills) for side in sides}
    rates = {name: each["points_per_second"] for name, each in found.items()}
    over = {f"over_{name}": rates["ours"] / rate for name, rate in rates.items() if name != "ours"}
    return {**found, **over, "goals": GOALS}


def scale(runs: int, steps: int, mlflow: str, budget: float) -> dict[str, Any]:
    """Read the logs of many runs and ask."""
    with tempfile.TemporaryDirectory() as name:
        results = Path(name)
        points = _bulk.write(results, runs, steps)
        seconds = spent(lambda: fill(results))
        found: dict[str, Any] = {
            "runs": runs,
            "ingest_points_per_second": points / seconds,
            "bytes_per_point": (results / "store.duckdb").stat().st_size / points,
            **asked(results, {key: sql.format(run=_bulk.name(runs // 2)) for key, sql in QUESTIONS.items()}),
            "goals": {"ingest_points_per_second": 300_000, "warm_ms": 15, "cold_ms": 300},
        }
    if mlflow:
        with tempfile.TemporaryDirectory() as name:
            found["mlflow"] = Side("mlflow", mlflow).say("ask", name, budget)
    return found


def boards(runs: int) -> dict[str, Any]:
    """The leaderboard of runs without curves."""
    with tempfile.TemporaryDirectory() as name:
        _bulk.write(Path(name), runs, 0)
        seconds = spent(lambda: fill(Path(name)))
        return {"runs": runs, "ingest_seconds": seconds, **asked(Path(name), {"leaderboard": BOARD}), "goal_ms": 200}


def fill(results: Path) -> None:
    """The database from the logs, published."""
    ingest(results)


def asked(results: Path, questions: dict[str, str]) -> dict[str, Any]:
    """Milliseconds of each question, warm and cold; a question before has seen that nothing changed."""
    time.sleep(2.5)  # until the logs are old enough to be known by their times
    with asking(results) as ask:
        warm = {key: 1e3 * median(spent(lambda sql=sql: ask(sql)) for _ in range(21)) for key, sql in questions.items()}
    cold = {key: 1e3 * process([*runner("query", "--results", str(results)), sql]) for key, sql in questions.items()}
    return {"warm_ms": warm, "cold_ms": cold}


def spent(act: Callable[[], Any]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def runner(*words: str) -> list[str]:
    """The program, by this interpreter."""
    return [sys.executable, "-m", "runner", *words]


def process(command: list[str]) -> float:
    """Seconds of a whole process; its failure ends the benchmark."""
    place = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=place, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"`{' '.join(command[:5])} ...` failed:\n{done.stderr[-2000:]}")
    return took


def start(pairs: int) -> dict[str, Any]:
    """The smallest question over a bare import, after one call of each that does not count."""
    with tempfile.TemporaryDirectory() as results:
        ours, bare = runner("query", "--results", results, "select 1"), [sys.executable, "-c", "import duckdb"]
        process(ours), process(bare)
        found = interleaved(pairs, lambda _: process(ours), lambda _: process(bare))
    return {"seconds": [each for each, _ in found], "bare": [each for _, each in found], **ratios(found), "goal": 1.5}


def main() -> None:
    options = parser(__doc__)
    parts = ("logging", "scale", "boards", "start")
    options.add_argument("--parts", nargs="+", choices=parts, default=parts, help="what is measured")
    options.add_argument("--log-runs", type=positive, default=200, help="runs that our writers log, a multiple of 4")
    options.add_argument("--peer-runs", type=positive, default=8, help="runs that each peer's writers log")
    options.add_argument("--kills", type=positive, default=5, help="loggers that are killed")
    options.add_argument("--steps", type=positive, default=1000, help="steps of a run")
    options.add_argument("--runs", type=positive, default=10_000, help="runs of the big store")
    options.add_argument("--board-runs", type=positive, default=100_000, help="runs on the leaderboard")
    options.add_argument("--pairs", type=positive, default=15, help="pairs of processes")
    options.add_argument("--mlflow", default="", help="the Python of an environment with MLflow")
    options.add_argument("--trackio", default="", help="the Python of an environment with Trackio")
    options.add_argument("--budget", type=float, default=600, help="seconds in which MLflow is filled")
    given = options.parse_args()
    peers = [("mlflow", given.mlflow), ("trackio", given.trackio)]
    sides = [Side("ours", sys.executable, given.log_runs, given.steps)]
    sides += [Side(name, python, given.peer_runs, given.steps) for name, python in peers if python]
    acts: dict[str, Callable[[], dict[str, Any]]] = {
        "logging": lambda: logging(sides, given.kills),
        "scale": lambda: scale(given.runs, given.steps, given.mlflow, given.budget),
        "boards": lambda: boards(given.board_runs),
        "start": lambda: start(given.pairs),
    }
    emit({part: acts[part]() for part in given.parts}, given.json)


if __name__ == "__main__":
    main()
