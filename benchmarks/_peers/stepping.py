"""What a process does with each tracker: log runs step by step, time the calls, say what was accepted, count.

A tracker's file names itself by `main(Tracker)`; it runs in an environment of its own, where only it is installed.
"""

import json
import math
import random
import sys
import time

METRICS = ("loss", "mood.loss", "mood.macro_f1", "mood.accuracy", "learning_rate")


def values(step, steps, draw):
    """Five metrics of one step."""
    falling = math.exp(-3 * step / steps)
    levels = (2 * falling, falling, 1 - falling, 1 - falling, 1e-4)
    return {name: level + 0.1 * draw.random() for name, level in zip(METRICS, levels, strict=True)}


def write(tracker, first, runs, steps):
    """Log runs one after the other; seconds of each call, sorted."""
    draw, spent = random.Random(first), []
    for number in range(first, first + runs):
        tracker.begin(f"run-{number}")
        for step in range(steps):
            given = values(step, steps, draw)
            began = time.perf_counter()
            tracker.log(given, step)
            spent.append(time.perf_counter() - began)
        tracker.end()
    return sorted(spent)


def acknowledge(tracker):
    """Log until somebody kills this process, and say each step whose call came back."""
    draw = random.Random(0)
    tracker.begin("killed")
    for step in range(10**9):
        tracker.log(values(step % 1000, 1000, draw), step)
        print(step, flush=True)


def main(make):
    """`prepare`, `acknowledge` or `count FOLDER`; `write FOLDER FIRST RUNS STEPS`; `ask FOLDER SECONDS`."""
    mode, folder, *rest = sys.argv[1:]
    tracker = make(folder)
    if mode == "write":
        began = time.time()
        spent = write(tracker, *map(int, rest))
        found = {"began": began, "ended": time.time()}
        found |= {"p50_us": 1e6 * spent[len(spent) // 2], "p99_us": 1e6 * spent[int(0.99 * len(spent))]}
    elif mode == "acknowledge":
        return acknowledge(tracker)
    else:
        found = getattr(tracker, mode)(*map(float, rest))
    print(json.dumps(found))
