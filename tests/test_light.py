"""Verbs that need no training load none of the heavy libraries, in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "lightning", "transformers", "peft", "datasets", "torchmetrics", "sklearn")
PROGRAM = """
import sys
from runner.cli import call
try:
    call(sys.argv[1:])
except SystemExit:
    pass
print("LOADED", [name for name in {heavy!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["validate", "specs/quickstart.toml"],
        ["plan", "specs/quickstart.toml"],
        ["data", "specs/quickstart.toml"],
        ["schema"],
        ["cache", "ls"],
        ["cache", "explain", "specs/quickstart.toml"],
        ["cache", "gc"],
        ["ls"],
        ["query", "SELECT 1 AS one"],
        ["report"],
        ["store", "export", "memory://light"],
        ["doctor"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_light_verbs_load_no_heavy_library(words: list[str], tmp_path: Path) -> None:
    more = [] if words[0] in ("--help", "schema") else ["--results", str(tmp_path)]
    program = PROGRAM.replace("{heavy!r}", repr(HEAVY))
    done = subprocess.run(
        [sys.executable, "-c", program, *words, *more], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.rstrip().endswith("LOADED []"), done.stdout[-500:] + done.stderr[-2000:]


def test_checking_an_edited_spec_over_known_data_loads_no_numpy(tmp_path: Path) -> None:
    program = PROGRAM.replace("{heavy!r}", repr(("numpy", "pyarrow", "pandas")))
    spec = tmp_path / "edited.toml"
    for epochs in (1, 2):
        text = (ROOT / "specs/cleaning.toml").read_text(encoding="utf-8").replace("data/", f"{ROOT}/specs/data/")
        spec.write_text(text.replace("epochs = 4", f"epochs = {epochs}"), encoding="utf-8")
        words = ["validate", str(spec), "--results", str(tmp_path)]
        done = subprocess.run(
            [sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
    assert done.stdout.rstrip().endswith("LOADED []"), done.stdout[-500:]


def test_a_spec_that_names_models_that_write_is_checked_without_torch(tiny: Path, writers: Path) -> None:
    parts = """[{ type = "paraphrase", model = "writers/causal", embedder = "writers/encoder" },
               { type = "back_translate", to = "writers/seq2seq", back = "writers/seq2seq" },
               { type = "masked_words", model = "writers/masked" }]"""
    (tiny.parent / "writers").symlink_to(writers)
    text = tiny.read_text(encoding="utf-8")
    tiny.write_text(text.replace('test = "test.csv"', f'test = "test.csv"\naugment = {parts}'), encoding="utf-8")
    program = PROGRAM.replace("{heavy!r}", repr(HEAVY))
    for verb in ("validate", "plan"):
        words = [verb, str(tiny), "--results", str(tiny.parent / "results")]
        done = subprocess.run(
            [sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.rstrip().endswith("LOADED []"), done.stdout[-500:]
    assert "a model writes the rows when `run` or `data` needs them" in done.stdout
