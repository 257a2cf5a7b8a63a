"""Search: the trials of a `[search]`, each asked for when a worker is free, and told to the study when it has ended."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.cache.cache import fingerprint
from runner.plan.joint import sharing
from runner.plan.selection import higher_is_better
from runner.plan.trials import Entry, Trials
from runner.run.enrol import member
from runner.run.experiment import prepared
from runner.run.order import Ended
from runner.run.proposals import Proposals
from runner.run.work import DONE, finished, folder_of
from runner.spec.fields import at
from runner.spec.read import Sets
from runner.spec.search import Bound
from runner.store.log import NAME, read

LESS = ("loss", "seconds")


class Search:
    """The supply of the coordinator. What earlier processes asked for and found is read from the logs of the runs."""

    def __init__(self, trials: Trials, results: Path, sets: Sets) -> None:
        search = trials.spec.experiment.search
        assert search is not None
        self.trials, self.results, self.sets, self.search = trials, results, sets, search
        self.names = search.objectives
        directions = ["maximize" if better(name) else "minimize" for name in self.names]
        self.proposals = Proposals(search, directions, trials.spec.experiment.train.epochs)
        self.key = fingerprint([trials.key, search.model_dump(mode="json", exclude={"trials"})])
        self.open: dict[str, Any] = {}
        self.entries: list[Entry] = []
        self.again: list[Entry] = []
        self.asked = 0
        self.replay()

    def replay(self) -> None:
        """Tell the study what is known of this search, in its order; what was begun and has not ended comes first."""
        known = {record["position"]: record["point"] for record in asked(self.results, self.key)}
        if not known and self.search.start:
            self.proposals.enqueue(self.starting())
        for _, point in sorted(known.items()):
            self.proposals.enqueue({name: point[name] for name in self.search.space})
            entry = self.begin(known=True)
            if entry is not None:
                self.again.append(entry)

    def starting(self) -> dict[str, Any]:
        """The values of the spec itself, as far as they lie in the ranges."""
        written = self.trials.spec.experiment.written()
        values = {name: at(written, tuple(name.split("."))) for name in self.search.space}
        return {name: value for name, value in values.items() if self.proposals.holds(name, value)}

    def take(self, mates: str = "") -> Entry | None:
        """The next trial that has not ended; asks for as many as it takes. One that is no mate waits."""
        found = self.following()
        if found is not None and mates and sharing(found.plan).key != mates:
            self.again.append(found)
            return None
        return found

    def following(self) -> Entry | None:
        """The next one, whoever its mates are."""
        while self.again or self.asked < self.search.trials:
            if self.again:
                return self.again.pop(0)
            entry = self.begin()
            if entry is not None:
                return entry
        return None

    def left(self) -> int:
        """Trials that were not asked for, or wait to go on."""
        return max(self.search.trials - self.asked, 0) + len(self.again)

    def begin(self, known: bool = False) -> Entry | None:
        """Ask for a trial; None where it has ended already or is at work, which the study then hears at once."""
        trial, place = self.proposals.ask(self.asked), self.asked
        self.asked += 1
        entry = self.entry(self.proposals.point(trial))
        folder = finished(self.results, entry.trial) or folder_of(self.results, entry.trial.run)
        self.entries.append(entry)
        if not known:
            member(self.results, folder.name, self.trials.name, self.key, place, entry.point)
        state = "finished" if (folder / DONE).exists() else last(folder)
        if entry.trial.run in self.open:
            self.proposals.ended(trial, "failed")  # the same values again, while the first is at work
            return None
        self.open[entry.trial.run] = trial
        if state not in ("finished", "pruned"):
            return entry
        self.end(entry, Ended(state))
        return None

    def entry(self, point: Mapping[str, Any]) -> Entry:
        """The trial of a point."""
        kept = self.trials.plans[0].kept.frozen is not None or None  # by all trials of the search; else by its own
        trials = prepared(self.trials.spec.file, self.results, sets=self.sets, point=point, begun=kept)
        return trials.entries[0]._replace(position=self.asked - 1)

    def given_up(self, entry: Entry) -> bool:
        """Whether the pruner gives up a trial at work."""
        trial = self.open.get(entry.trial.run)
        if trial is None or self.search.pruner is None:
            return False
        return self.proposals.hopeless(trial, curve(folder_of(self.results, entry.trial.run), self.names[0]))

    def end(self, entry: Entry, ended: Ended) -> None:
        """Tell the study how a trial ended; one that can go on stays open."""
        if ended.state in ("interrupted", "busy"):
            return
        trial = self.open.pop(entry.trial.run)
        folder = finished(self.results, entry.trial)
        if folder is None:
            if ended.state == "pruned":
                self.proposals.hopeless(trial, curve(folder_of(self.results, entry.trial.run), self.names[0]))
            self.proposals.ended(trial, ended.state)
            return
        values = [value(folder, name) for name in self.names]
        broken = {name: excess(value(folder, name), bound) for name, bound in self.search.constraints.items()}
        if all(map(math.isfinite, values)):
            self.proposals.finished(trial, values, broken)
        else:
            self.proposals.ended(trial, "failed")


def asked(results: Path, key: str) -> Iterator[dict[str, Any]]:
    """The records of the trials of a search that earlier processes asked for."""
    for log in (results / "runs").glob(f"*/{NAME}"):
        for line in log.read_bytes().splitlines():
            if line.startswith(b'{"event":"grid"') and key.encode() in line:
                yield json.loads(line)


def last(folder: Path) -> str:
    """The state in which a run ended last; empty where it never did."""
    states = [record["state"] for record in read(folder) if record["event"] == "run_finished"]
    return str(states[-1]) if states else ""


def better(name: str) -> bool:
    """Whether more of an objective is better."""
    return name == "combined" or (name not in LESS and higher_is_better(name))


def curve(folder: Path, name: str) -> dict[int, float]:
    """An objective on validation after each whole epoch of a run at work."""
    found: dict[int, float] = {}
    for record in read(folder):
        if record["event"] == "metrics" and record.get("split") == "validation" and float(record["epoch"]).is_integer():
            number = float(record["values"].get(name, math.nan))
            found |= {int(record["epoch"]): number} if math.isfinite(number) else {}
    return found


def value(folder: Path, name: str) -> float:
    """What a finished run found, on validation, by its best checkpoint; NaN where it is unknown."""
    result = json.loads((folder / DONE).read_bytes())
    if name == "seconds":
        return float(result["seconds"])
    for row in result["scores"]:
        if (row["split"], row["model"], f"{row['task']}.{row['metric']}") == ("validation", "best", name):
            return float(row["value"])
    points = curve(folder, name).values()
    return (max if better(name) else min)(points, default=math.nan)


def excess(found: float, bound: Bound) -> float:
    """By how much a value breaks its bound; 0 or less where it keeps to it."""
    above = -math.inf if bound.at_most is None else found - bound.at_most
    below = -math.inf if bound.at_least is None else bound.at_least - found
    worst = max(above, below)
    return worst if math.isfinite(worst) else math.inf
