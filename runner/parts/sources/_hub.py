"""Data sets on the hub: `hub:OWNER/NAME[@REVISION]`, always read at one commit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from runner.errors import RunnerError

HUB = "hub:"
TIMEOUT = 20


def hub_name(path: Path) -> tuple[str, str | None]:
    """Owner with name, and the revision."""
    name, _, revision = str(path).removeprefix(HUB).partition("#")[0].partition("@")
    return name, revision or None


def commit(path: Path) -> str:
    """The full commit of a hub id; asked from the hub unless the id names it."""
    name, revision = hub_name(path)
    if revision and re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(name, revision=revision, timeout=TIMEOUT).sha)
    except Exception as error:  # network, name or rights: all for the author of the spec
        raise unreachable(path, error) from error


def of_hub(path: Path) -> Any:
    """The data set or its splits, through the library's own cache of downloads."""
    import datasets

    revision = commit(path)
    try:
        return datasets.load_dataset(hub_name(path)[0], revision=revision)
    except Exception as error:
        raise unreachable(path, error) from error


def unreachable(path: Path, error: Exception) -> RunnerError:
    return RunnerError(
        f"`{path}` can't be had from the hub: {first_line(error)}",
        "check the name and the network, or save the data set to a folder with `save_to_disk` and name that",
    )


def first_line(error: Exception) -> str:
    """What an error says, short enough for a message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
