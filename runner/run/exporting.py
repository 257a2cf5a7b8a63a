"""The trained network -> a folder that others load, with its card and specs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.run.card import card
from runner.run.work import SPEC, Work
from runner.train.state import checksum


def exported(work: Work, network: Any, scores: list[dict[str, Any]], tuned: Mapping[str, dict[str, Any]]) -> Path:
    """The folder, each file of it recorded as an artifact."""
    from runner.model.save import save

    model = work.folder / "model"
    save(network, model, work.checked.base, work.experiment, work.checked.shown, tuned)
    (model / "README.md").write_text(card(work.plan, work.trial, scores), encoding="utf-8")
    for name in (SPEC, "spec.json"):
        shutil.copyfile(work.folder / name, model / name)
    for file in sorted(each for each in model.rglob("*") if each.is_file()):
        found = {"path": str(file), "sha256": checksum(file), "bytes": file.stat().st_size}
        work.log.write("artifact", name=str(file.relative_to(model)), **found)
    url = work.experiment.execute.artifacts
    if url is not None:
        copied(model, f"{url.rstrip('/')}/{work.trial.run}")
    return model


def copied(model: Path, url: str) -> None:
    """Copy the folder to wherever fsspec knows the way."""
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
        system.makedirs(path, exist_ok=True)
        system.put(f"{model}/", f"{path}/", recursive=True)
    except (OSError, ValueError, ImportError) as error:
        message = f"the model could not be copied to `{url}`: {error}"
        raise RunnerError(
            message, f"it lies in `{model}`; mend `execute.artifacts`, then run the spec again"
        ) from error
