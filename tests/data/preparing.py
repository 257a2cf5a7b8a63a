"""All stages of preparation over one file, to be interrupted at any of them; also imported by child processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.data.encode import encode
from runner.data.load import load
from runner.data.recipe import Recipe
from runner.parts.tasks._form import Form
from runner.spec.tables import Data

STAGES = ["read", "clean", "split", "balance", "augment", "encode"]
FIELDS = {
    "train": "t.csv",
    "validation": {"fraction": 0.2},
    "clean": [{"type": "normalise_space"}, {"type": "exact_duplicates"}, {"type": "near_duplicates"}],
    "balance": "oversample",
    "augment": [{"type": "swap_words"}],
}


def write(folder: Path) -> None:
    """400 rows of the file."""
    texts = [f"the cat {i * 7919} sat on  the mat {i * 104729} far away" for i in range(398)]
    rows = [f"{text},{'xxy'[i % 3]}" for i, text in enumerate([*texts, *texts[:2]])]
    (folder / "t.csv").write_text("\n".join(["text,label", *rows, ""]), encoding="utf-8")


def prepare(folder: Path, cache: Cache, tokenizer_file: Path) -> dict[str, Any]:
    """What comes out: rows, tokens, the rows that went and the account without times."""
    loaded = load("toy", Data.model_validate(FIELDS), folder, ("text",), ("label",), cache)
    source = {"rows": loaded.keys["train"]}
    tokens = encode(loaded.splits["train"], Recipe(Form(("text",)), tokenizer_file, 16), cache, source)
    return {
        "rows": {split: table.to_pylist() for split, table in loaded.splits.items()},
        "tokens": tokens.to_pylist(),
        "dropped": list(loaded.dropped()),
        "account": [{**facts, "seconds": 0} for facts in loaded.account],
    }


def around(
    stage: str, before: Callable[[Path], None] | None = None, after: Callable[[Path], None] | None = None
) -> Callable[..., Path]:
    """A `Cache.make` that calls these with the unfinished entry before and after a stage is built."""
    real = Cache.make

    def make(self: Cache, name: str, key: str, build: Any, why: Any) -> Path:
        def watched(entry: Path) -> Any:
            if name == stage and before:
                before(entry)
            facts = build(entry)
            if name == stage and after:
                after(entry)
            return facts

        return real(self, name, key, watched, why)

    return make


def halve(entry: Path) -> None:
    """Every file of an entry loses its second half."""
    for file in [each for each in entry.rglob("*") if each.is_file()]:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
