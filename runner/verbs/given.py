"""What verbs are given again and again, and how they print for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from runner.usage import Argument, Option

Spec = Annotated[Path, Argument("The spec, a TOML file.")]
Specs = Annotated[list[Path], Argument("Specs, TOML files.")]
Sets = Annotated[list[str], Option("Set a field for all trials, such as train.epochs=1; again for more.", "--set")]
Run = Annotated[str, Argument("The run, or a unique beginning of its name.")]
Results = Annotated[Path, Option("Folder of runs, cache and database.", environment="RUNNER_RESULTS")]
Json = Annotated[bool, Option("Print JSON.", "--json")]
Grid = Annotated[str, Argument("The grid: the name of its spec.")]
RESULTS = Path("results")
NOTHING: list[str] = []


def emit(value: Any) -> None:
    """Print JSON for machines."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))
