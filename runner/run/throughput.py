"""Measured speed of earlier runs, for the estimate of time."""

from __future__ import annotations

import json
from pathlib import Path

from runner.plan.compile import Plan
from runner.run.work import DONE


def tokens_per_second(results: Path, plan: Plan) -> float | None:
    """Training tokens per second of the latest finished run on the same base, adapter and frozen parts, or None."""
    wanted = plan.checked.spec.experiment.written()["model"]
    for done in sorted((results / "runs").glob(f"*/{DONE}"), key=lambda file: file.stat().st_mtime, reverse=True):
        spec = json.loads((done.parent / "spec.json").read_bytes())
        speed = json.loads(done.read_bytes()).get("tokens_per_second")
        if speed and all(spec["model"].get(key) == wanted[key] for key in ("base", "adapter", "freeze")):
            return float(speed)
    return None
