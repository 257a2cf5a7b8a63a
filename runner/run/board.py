"""Board: what a grid is doing, live on a terminal, else a line for each trial that begins or ends."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.plan.trials import Entry, Trials
from runner.run.best import main_score, value
from runner.run.work import DONE, folder_of
from runner.store.log import NAME

if TYPE_CHECKING:
    from runner.run.coordinator import Coordinator

STOPPING = ("", "  finishing those that run; Ctrl-C again saves and stops them", "  stopping")
TAIL = 16_384  # bytes of a log in which the last point is looked for


class Board:
    """Writes to stderr, so that stdout stays for results."""

    def __init__(self, trials: Trials, results: Path, finished: dict[str, str]) -> None:
        self.trials, self.results, self.finished = trials, results, finished
        self.began = time.monotonic()
        self.said: set[str] = set()
        self.live: Any = None
        self.found = {run: result(results, name) for run, name in finished.items()}
        self.shown = 0.0
        repeated = f", {trials.repeated} repeated" if trials.repeated else ""
        already = f", {len(finished)} finished before" if finished else ""
        print(f"{trials.name}: {len(trials.entries)} trials{repeated}{already}", file=sys.stderr)

    def show(self, now: Coordinator) -> None:
        """Say what changed."""
        if sys.stderr.isatty():
            self.draw(now)
            return
        for child in now.running:
            for run, entry in child.entries.items():
                self.once(f"run {run}{said(entry)}", f"{run} {now.begun[run]}")
        for run, ended in now.ended.items():
            why = f": {ended.message}" if ended.message else ""
            self.once(f"{ended.state} {run}{why}  ({len(now.ended)} of {len(now.ended) + left(now)})", f"end {run}")

    def once(self, line: str, key: str) -> None:
        """Print a line that was not printed yet."""
        if key not in self.said:
            self.said.add(key)
            print(line, file=sys.stderr, flush=True)

    def draw(self, now: Coordinator) -> None:
        """The live table, at most twice a second."""
        from rich.live import Live

        if self.live is None:
            self.live = Live(auto_refresh=False, console=console())
            self.live.start()
        if time.monotonic() - self.shown > 0.4 or not now.running:
            self.shown = time.monotonic()
            self.live.update(self.table(now), refresh=True)

    def table(self, now: Coordinator) -> Any:
        """One line for each trial at work, and a line for the whole."""
        from rich.console import Group
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for name in ("run", "sets", "step", "loss", "left"):
            table.add_column(name, overflow="fold")
        for child in now.running:
            for run, entry in child.entries.items():
                step, loss, total = progress(self.results, entry)
                took = time.monotonic() - child.began
                rest = f"{took / step * (total - step):.0f} s" if step and total else ""
                table.add_row(run, said(entry).strip(), f"{step}/{total}", loss, rest)
        ended, waiting = len(now.ended), left(now)
        took = time.monotonic() - self.began
        rest = f", about {took / ended * waiting / 60:.0f} min left" if ended else ""
        failed = sum(each.state in ("failed", "lost") for each in now.ended.values())
        whole = f"{ended} of {ended + waiting} ended, {failed} failed{rest}{STOPPING[min(now.stops, 2)]}"
        return Group(table, "\n".join(filter(None, [whole, self.best(now)])))

    def best(self, now: Coordinator) -> str:
        """The best of the trials that have finished."""
        for run in now.ended:
            if run not in self.found:
                self.found[run] = result(self.results, run)
        known = {run: found for run, found in self.found.items() if found is not None}
        if not known:
            return ""
        run = max(known, key=lambda each: value(known[each]))
        row = main_score(known[run])
        return "" if row is None else f"best so far: {run}, {row['task']}.{row['metric']} {row['value']:.4f}"

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.live is not None:
            self.live.stop()


def result(results: Path, run: str) -> dict[str, Any] | None:
    """What a run found, if it has finished."""
    try:
        found: dict[str, Any] = json.loads((folder_of(results, run) / DONE).read_bytes())
    except (OSError, ValueError):
        return None
    return found


def console() -> Any:
    """stderr for rich."""
    from rich.console import Console

    return Console(stderr=True)


def left(now: Coordinator) -> int:
    """Trials that have not ended."""
    return sum(len(child.entries) for child in now.running) + now.left


def said(entry: Entry) -> str:
    """What the grid sets for a trial, in words."""
    words = [f"{name.rpartition('.')[2]}={json.dumps(value)}" for name, value in entry.point.items()]
    return f"  {' '.join(words)}" if words else ""


def progress(results: Path, entry: Entry) -> tuple[int, str, int]:
    """Optimizer steps done, the last loss, and all steps, of a run at work."""
    total = next((step.detail.get("steps", 0) for step in entry.trial.steps if step.name == "train"), 0)
    try:
        with (folder_of(results, entry.trial.run) / NAME).open("rb") as log:
            log.seek(0, 2)
            log.seek(max(log.tell() - TAIL, 0))
            lines = [line for line in log.read().splitlines() if line.startswith(b'{"event":"metrics"')]
        point = json.loads(lines[-1])
    except (OSError, ValueError, IndexError):
        return 0, "", total
    loss = point.get("values", {}).get("loss")
    return int(point.get("step") or 0), f"{loss:.3f}" if isinstance(loss, float) else "", total
