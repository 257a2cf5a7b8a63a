"""The page of results: boards, curves, what was confused, what was written, what failed, and where it all ran.

It takes what `runner report --json` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.report import plots, tables, whiskers, wording
from runner.report.render import rendered, written


def write(path: Path, facts: Mapping[str, Any]) -> None:
    """Write the page."""
    written(path, page(facts))


def page(facts: Mapping[str, Any]) -> str:
    """The page as text."""
    places = {each["run"]: f"run-{place}" for place, each in enumerate(facts["runs"], 1)}
    links = {run: f"#{place}" for run, place in places.items()}
    drawn = {"plots": plots, "tables": tables, "whiskers": whiskers, "wording": wording}
    return rendered("results.html", facts=facts, places=places, links=links, **drawn)
