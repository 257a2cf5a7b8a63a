"""The word `#SPLIT` behind the place of a data set."""

from __future__ import annotations

from pathlib import Path

from runner.parts.sources._hub import HUB


def container(path: Path) -> Path:
    """The file or folder without its `#SPLIT`."""
    bare, mark, split = str(path).rpartition("#")
    return Path(bare) if mark and "/" not in split and not path.exists() else path


def wanted_split(path: Path) -> str:
    """The word after `#`, or an empty string."""
    marked = str(path).startswith(HUB) or container(path) != path
    return str(path).rpartition("#")[2] if marked and "#" in str(path) else ""
