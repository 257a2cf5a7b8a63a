"""The first records of an attempt: what is about to happen, by which spec, on which data, where."""

from __future__ import annotations

import json
from typing import Any

from runner import __version__
from runner.run.environment import environment
from runner.run.work import ORIGIN, SPEC, Work
from runner.train.state import replace_text


def opening(work: Work) -> None:
    """Record what is about to happen, and keep the spec with the run."""
    spec, trial, written = work.checked.spec, work.trial, work.experiment.written()
    origin: dict[str, Any] = {"spec": str(spec.file.absolute()), "seed": trial.seed}
    origin |= {"point": dict(spec.point), "sets": [*spec.sets], "kept": work.plan.kept.frozen is not None}
    replace_text(work.folder / SPEC, spec.text)
    replace_text(work.folder / "spec.json", json.dumps(written, indent=2, ensure_ascii=False) + "\n")
    replace_text(work.folder / ORIGIN, json.dumps(origin))
    work.log.write(
        "run_started",
        name=work.experiment.name,
        description=work.experiment.description,
        seed=trial.seed,
        trial_key=trial.key,
        plan_key=work.plan.key,
        spec_file=str(spec.file),
        spec_text=spec.text,
        spec_resolved=written,
        params=flat(written),
        environment=environment(spec.folder),
        version=__version__,
    )
    base = work.checked.base
    work.log.write("base", written=base.written, files=base.hashes(work.cache))
    for name, loaded in work.checked.loaded.items():
        for file in loaded.files:
            found = {"split": file.split, "file": file.path, "sha256": file.sha256, "rows": file.rows}
            work.log.write("data", data=name, **found, bytes=file.bytes)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested tables as dotted names; lists stay whole, as JSON text."""
    if isinstance(value, dict):
        return {k: v for key, each in value.items() for k, v in flat(each, f"{path}.{key}" if path else key).items()}
    return {path: json.dumps(value) if isinstance(value, list) else value}
