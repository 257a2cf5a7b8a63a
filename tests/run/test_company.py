"""Several processes train one run: the same result as one, exact resumes, and an end for all when one ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from runner.run.experiment import prepare, run
from runner.store.query import query
from tests.run.test_experiment import edit

pytestmark = pytest.mark.slow

LORA = '\n[model.adapter]\ntype = "lora"\nrank = 2\ntargets = ["query", "value"]\n'


def spec(tiny: Path, adapter: str = "", **train: Any) -> Path:
    """The tiny spec with two batches a step."""
    words = "\n".join(
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in train.items()
    )
    edit(tiny, "batch_size = 8", f"batch_size = 8\naccumulate = 2\n{words}")
    edit(tiny, "max_length = 16", f"max_length = 16{adapter}")
    return tiny


def done(file: Path, results: Path) -> dict[str, Any]:
    plan = prepare(file, results)
    return run(plan, plan.trials[0], results, show=False)


def weights(result: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{file.name}/{name}": each
        for file in Path(result["model"]).glob("*.safetensors")
        for name, each in load_file(file).items()
    }


def curves(results: Path) -> list[dict[str, Any]]:
    return query(results, "SELECT step, epoch, split, task, metric, value FROM metrics ORDER BY ALL").to_pylist()


def apart(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> float:
    assert [{**each, "value": 0} for each in one] == [{**each, "value": 0} for each in other]
    return max(abs(a["value"] - b["value"]) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("adapter", ["", LORA], ids=["full", "lora"])
def test_two_processes_end_where_one_does(tiny: Path, tmp_path: Path, strategy: str, adapter: str) -> None:
    alone = done(spec(tiny, adapter), tmp_path / "alone")
    edit(tiny, "accumulate = 2", f'accumulate = 2\nstrategy = "{strategy}"\ndevices = 2')
    both = done(tiny, tmp_path / "both")
    assert both["key"] == alone["key"]
    expected, found = weights(alone), weights(both)
    assert expected.keys() == found.keys()
    worst = max(float((found[name] - each).abs().max()) for name, each in expected.items())
    a = apart(curves(tmp_path / "alone"), curves(tmp_path / "both"))
    print("WORST", strategy, bool(adapter), worst, a)
    assert worst < 1e-6
