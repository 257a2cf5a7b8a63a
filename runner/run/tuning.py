"""`plan --tune`: which learning rate and which batch size to begin with; nothing of it is kept."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np

from runner.cache.cache import Cache
from runner.plan.check import Checked
from runner.plan.compile import Plan, mixing_of
from runner.plan.estimate import memory, tokens
from runner.run.encoding import one
from runner.run.trial import settle, untrained, weights_of
from runner.run.work import Work
from runner.store.log import Log

SIZES = (4, 8, 16, 32, 64, 128, 256)
ENOUGH = 0.9  # of the best speed; a larger batch is not worth the rest
ROUNDS = 3  # in turns, so that a moment in which the machine is busy meets one of them
SECONDS = 1.0  # of each size in each round
SHARE = 0.8  # of the free memory


def tuned(plan: Plan, results: Path) -> dict[str, Any]:
    """Suggestions beside what the spec says, as JSON-compatible values."""
    from runner.train.fit import quiet
    from runner.train.rates import fewer, tried

    quiet()
    work = Work(plan, plan.trials[0], Path(), cast(Log, None), Cache(results / "cache"))
    train, execute = work.experiment.train, work.experiment.execute
    settle(execute.threads)
    streams = streams_of(work)
    module, feed = fresh(work, streams, train.batch_size)
    found = tried(module, feed)
    speeds = speeds_of(work, streams)
    return {
        "learning_rate": {
            "spec": train.learning_rate,
            "suggested": found.suggested,
            "steepest": found.steepest,
            "curve": [{"rate": rate, "loss": loss} for rate, loss in fewer(found)],
        },
        "batch_size": {"spec": train.batch_size, "suggested": worth(speeds), "examples_per_second": speeds},
    }


def streams_of(work: Work) -> dict[str, dict[str, Any]]:
    """The streams of train."""
    found = {}
    for name, (data, inputs, readers) in work.plan.streams.items():
        loaded = work.checked.loaded[data]
        found[name] = one(work, name, loaded.splits["train"], {"rows": loaded.keys["train"]}, inputs, readers)
    return {"train": found, "validation": {}, "test": {}}


def fresh(work: Work, streams: Any, size: int, network: Any = None) -> tuple[Any, Any]:
    """A module over an untrained network, or one that is there, and its feed."""
    from runner.train.feed import Feed
    from runner.train.module import Module

    endless = {"batch_size": size, "epochs": 10_000, "max_steps": None}
    train = work.experiment.train.model_copy(update=endless)
    experiment = work.experiment.model_copy(update={"train": train})
    network = network or untrained(work, streams)
    feed = Feed(experiment, streams, mixing_of(work.checked), work.trial.seed, network, work.checked.base.padding)
    weights = {name: weights_of(work, name) for name in experiment.tasks}
    return Module(network, experiment, weights, work.trial.seed, feed), feed


def speeds_of(work: Work, streams: Any) -> dict[int, float]:
    """Examples per second in training by size of batch: medians, as far as memory and rows go and much is gained."""
    lengths = np.concatenate([stream.lengths for stream in streams["train"].values()])
    network = untrained(work, streams)
    found: dict[int, list[float]] = {}
    for size in SIZES:
        if found and (4 * size > len(lengths) or needed(work.checked, work.plan, size) > SHARE * free()):
            break
        found[size] = [speed(work, streams, size, network)]
        if found[size][0] < ENOUGH * max(first for first, *_ in found.values()):
            break
    for _ in range(ROUNDS - 1):
        for size, speeds in found.items():
            speeds.append(speed(work, streams, size, network))
    return {size: round(median(speeds) / float(lengths.mean()), 3) for size, speeds in found.items()}


def speed(work: Work, streams: Any, size: int, network: Any) -> float:
    """Tokens per second: batches of one size differ in length by chance."""
    from runner.train.brief import Pace, brief

    pace = Pace(SECONDS)
    brief(*fresh(work, streams, size, network), pace)
    return pace.speed


def worth(speeds: dict[int, float]) -> int:
    """The smallest size that is nearly as fast as the fastest."""
    return min(size for size, each in speeds.items() if each >= ENOUGH * max(speeds.values()))


def needed(checked: Checked, plan: Plan, size: int) -> int:
    """Bytes of training with that size, by the plan's estimate."""
    limit = checked.spec.experiment.model.max_length
    longest = max((min(each.max, limit) for each in tokens(plan).values()), default=0)
    terms = memory(checked, longest)
    activations = terms.pop("activations")
    return sum(terms.values()) + activations * size // checked.spec.experiment.train.batch_size


def free() -> int:
    """Bytes of memory that are free, as far as the system tells."""
    told = Path("/proc/meminfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    available = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return available[0] if available else 2**62


def text(found: dict[str, Any]) -> str:
    """The same for people."""
    rate, size = found["learning_rate"], found["batch_size"]
    advice = "none: the loss never falls" if rate["suggested"] is None else f"{rate['suggested']:.1e}"
    curve = "  ".join(f"{each['rate']:.0e}: {each['loss']:.3f}" for each in rate["curve"])
    speeds = "  ".join(f"{each}: {speed:.0f}" for each, speed in size["examples_per_second"].items())
    return "\n".join(
        [
            f"learning rate: {advice}, a tenth of that with the least loss (the spec has {rate['spec']:.1e})",
            f"  loss by rate  {curve}",
            f"batch size: {size['suggested']} (the spec has {size['spec']}); none is more than a tenth faster",
            f"  examples a second by size  {speeds}",
        ]
    )
