"""The page of an account: what preparation did to the data of an experiment, and what came out.

It takes what `runner data --json` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.report import bars, charts
from runner.report.render import rendered, written


def write(path: Path, name: str, data: Mapping[str, Any]) -> None:
    """Write the page about an experiment's data."""
    written(path, page(name, data))


def page(name: str, data: Mapping[str, Any]) -> str:
    """The page as text; `data` holds for each data set its `rows`, `labels`, `steps` and `profile`."""
    return rendered("page.html", name=name, data=data, bars=bars, charts=charts)
