"""Exact and near duplicates taken out of many short texts: our cleaners beside datasketch, and datatrove if it's there.

All sides get the same texts and compare sets of the same shingles with 128 permutations. The others are slow, so they
get the first rows only; rows a second are compared.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
from _pairs import data_folder, emit, interleaved, parser, positive, ratios

from runner.parts.cleaners._minhash import PERMUTATIONS, bands_for
from runner.parts.cleaners._normal import normalised
from runner.parts.cleaners.exact_duplicates import ExactDuplicates
from runner.parts.cleaners.lowercase import Lowercase
from runner.parts.cleaners.near_duplicates import NearDuplicates

THRESHOLD, SIZE, GOAL = 0.8, 5, 25
DATATROVE = Path(__file__).with_name("_datatrove.py")


class Rows(NamedTuple):
    """Texts with ids; `origins` has for each planted near duplicate the position of its origin."""

    table: pa.Table
    origins: dict[int, int]


class Found(NamedTuple):
    """What a side did: the positions that stay, and pairs of a row that went and its twin, if the side tells them."""

    seconds: float
    cpu: float
    kept: set[int]
    twins: list[tuple[int, int]]


def sentences() -> list[str]:
    """Every text of the training files."""
    found = set()
    for file in sorted(data_folder().glob("*/train.*")):
        if file.suffix == ".csv":
            table = pa.csv.read_csv(file, parse_options=pa.csv.ParseOptions(newlines_in_values=True))
        elif file.suffix == ".jsonl":
            table = pa.json.read_json(file, pa.json.ReadOptions(block_size=64 << 20))
        else:
            continue
        if "text" in table.column_names:
            found |= {text for text in table["text"].to_pylist() if len(text.split()) > 3}
    if not found:
        raise SystemExit(f"no training texts in `{data_folder()}`; set RUNNER_DATA")
    return sorted(found)


def perturbed(count: int, seed: int) -> Rows:
    """Of ten rows seven are new sentences of known words, two nearly and one exactly an earlier row."""
    draw = random.Random(seed)
    known = sentences()
    words = [word for text in known for word in text.split()]
    texts: list[str] = []
    origins = {}
    for position in range(count):
        kind = draw.random() if position else 1.0
        other = draw.randrange(max(1, position))
        if kind < 0.1:
            texts.append(texts[other])
        elif kind < 0.3:
            texts.append(nearly(draw, texts[other], words))
            origins[position] = other
        else:
            texts.append(
                " ".join(word if draw.random() < 0.3 else draw.choice(words) for word in draw.choice(known).split())
            )
    ids = [f"{draw.getrandbits(64):016x}" for _ in texts]
    return Rows(pa.table({"id": ids, "text": texts}), origins)


def nearly(draw: random.Random, text: str, words: list[str]) -> str:
    """A word replaced, added or left out, or a letter doubled."""
    parts = text.split()
    place = draw.randrange(len(parts))
    match draw.randrange(4):
        case 0:
            parts[place] = draw.choice(words)
        case 1:
            parts.insert(place, draw.choice(words))
        case 2 if len(parts) > 1:
            del parts[place]
        case _:
            parts[place] += parts[place][-1]
    return " ".join(parts)


def cleaned(table: pa.Table) -> list[str]:
    """The step before: small letters."""
    clean = Lowercase(type="lowercase").ready(None)
    return [clean(text) for text in table["text"].to_pylist()]


def ours(table: pa.Table) -> Found:
    """Our three cleaners."""
    began = clocks()
    table = pa.table({"id": table["id"], "place": pa.array(range(table.num_rows)), "text": cleaned(table)})
    exact = ExactDuplicates(type="exact_duplicates")
    near = NearDuplicates(type="near_duplicates", threshold=THRESHOLD, size=SIZE)
    with tempfile.TemporaryDirectory() as folder:
        kept = np.ones(table.num_rows, bool)
        kept[[each.position for each in exact.judge(table, ["text"], [], Path(folder))]] = False
        table = table.filter(kept)
        found = list(near.judge(table, ["text"], [], Path(folder)))
    took = since(began)
    places = table["place"].to_pylist()
    by_id = dict(zip(table["id"].to_pylist(), places, strict=True))
    twins = [(places[each.position], by_id[each.twin]) for each in found]
    return Found(*took, set(places) - {place for place, _ in twins}, twins)


def datasketch(table: pa.Table) -> Found:
    """The same with datasketch as its documentation does it, which proposes pairs but doesn't verify them."""
    from datasketch import MinHash, MinHashLSH

    began = clocks()
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    seen: set[str] = set()
    kept, twins = set(), []
    for position, text in enumerate(cleaned(table)):
        if text in seen:
            continue
        seen.add(text)
        minhash = MinHash(num_perm=PERMUTATIONS)
        minhash.update_batch([shingle.encode() for shingle in shingles(text)])
        if alike := index.query(minhash):
            twins.append((position, alike[0]))
        else:
            index.insert(position, minhash)
            kept.add(position)
    return Found(*since(began), kept, twins)


def datatrove(python: str, table: pa.Table) -> Found:
    """The same with datatrove's pipeline, without verification either; the step before isn't counted."""
    bands = bands_for(THRESHOLD)
    texts = cleaned(table)
    with tempfile.TemporaryDirectory() as folder:
        with open(Path(folder, "rows.jsonl"), "w", encoding="utf-8") as file:
            for position, text in enumerate(texts):
                file.write(json.dumps({"id": str(position), "text": text}) + "\n")
        command = [python, str(DATATROVE), folder, str(bands.count), str(bands.rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"datatrove failed:\n{done.stderr[-3000:]}")
        kept = json.loads(Path(folder, "kept.json").read_text(encoding="utf-8"))
    told = json.loads(done.stdout.splitlines()[-1])
    return Found(told["seconds"], told["cpu_seconds"], set(map(int, kept)), [])


def clocks() -> tuple[float, float]:
    """Wall time, and processor time of this process and of those that it started and that have ended."""
    return time.perf_counter(), sum(os.times()[:4])


def since(began: tuple[float, float]) -> tuple[float, float]:
    """Seconds by both clocks."""
    wall, cpu = clocks()
    return wall - began[0], cpu - began[1]


def shingles(text: str) -> set[str]:
    """The set that all sides compare."""
    text = normalised(text)
    return {text[start : start + SIZE] for start in range(max(1, len(text) - SIZE + 1))}


def similar(table: pa.Table, first: int, second: int) -> float:
    """The Jaccard similarity of two rows."""
    one, other = (shingles(table["text"][place].as_py().lower()) for place in (first, second))
    return len(one & other) / len(one | other)


def quality(rows: Rows, found: Found, count: int) -> dict[str, Any]:
    """Of the planted pairs that are alike, how many don't both stay; of the told pairs, how many aren't alike."""
    planted = [pair for pair in rows.origins.items() if pair[0] < count and similar(rows.table, *pair) >= THRESHOLD]
    missed = sum(first in found.kept and second in found.kept for first, second in planted)
    false = sum(similar(rows.table, *pair) < THRESHOLD for pair in found.twins)
    made = {"kept": len(found.kept), "planted_pairs": len(planted), "planted_recall": 1 - missed / max(1, len(planted))}
    return {**made, "told_pairs": len(found.twins), "false_removals": false} if found.twins else made


def compared(rows: Rows, pairs: int, count: int, side: Callable[[pa.Table], Found]) -> dict[str, Any]:
    """Our rows a second over all rows beside another side's over its first ones."""
    total = rows.table.num_rows
    part = rows.table.slice(0, count)
    each = interleaved(pairs, lambda _: ours(rows.table), lambda _: side(part))
    speeds = [(total / mine.seconds, count / other.seconds) for mine, other in each]
    by_cpu = ratios([(total / mine.cpu, count / other.cpu) for mine, other in each])
    return {
        "our_rows": total,
        "our_rows_per_second": [mine for mine, _ in speeds],
        "other_rows": count,
        "other_rows_per_second": [other for _, other in speeds],
        **ratios(speeds),
        "cpu_ratios": by_cpu["ratios"],
        "median_cpu_ratio": by_cpu["median_ratio"],
        "ours": quality(rows, each[0][0], total),
        "other": quality(rows, each[0][1], count),
    }


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--rows", type=positive, default=200_000, help="texts for us")
    options.add_argument("--datasketch-rows", type=positive, default=10_000, help="texts for datasketch")
    options.add_argument("--pairs", type=positive, default=3, help="interleaved measurements")
    options.add_argument("--datatrove", metavar="PYTHON", help="a Python that has datatrove, spacy and orjson")
    options.add_argument("--datatrove-rows", type=positive, default=50_000, help="texts for datatrove")
    given = options.parse_args()
    rows = perturbed(given.rows, seed=1)
    found: dict[str, Any] = {"threshold": THRESHOLD, "permutations": PERMUTATIONS, "goal": GOAL}
    found["datasketch"] = compared(rows, given.pairs, min(given.rows, given.datasketch_rows), datasketch)
    if given.datatrove:
        side = partial(datatrove, given.datatrove)
        found["datatrove"] = compared(rows, given.pairs, min(given.rows, given.datatrove_rows), side)
    emit(found, given.json)


if __name__ == "__main__":
    main()
