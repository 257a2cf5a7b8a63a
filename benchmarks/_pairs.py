"""What the benchmarks share: interleaved pairs, medians of pairwise ratios, output for people or machines."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")


def interleaved(count: int, first: Callable[[int], T], second: Callable[[int], T]) -> list[tuple[T, T]]:
    """`count` pairs measured one after the other; every other pair begins with the second."""
    found = []
    for index in range(count):
        if index % 2:
            late = second(index)
            found.append((first(index), late))
        else:
            found.append((first(index), second(index)))
    return found


def ratios(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """First over second, a pair and in the median."""
    each = [first / second for first, second in pairs]
    return {"ratios": each, "median_ratio": median(each)}


def parser(about: str | None) -> argparse.ArgumentParser:
    """An argument parser with `--json`."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


def emit(found: dict[str, Any], as_json: bool) -> None:
    """Print JSON, or a line a value."""
    print(json.dumps(found, indent=2) if as_json else "\n".join(lines(found)))


def lines(found: dict[str, Any], indent: str = "") -> list[str]:
    """Nested tables as indented lines, lists in one line."""
    made = []
    for name, value in found.items():
        label = f"{indent}{name.replace('_', ' ')}"
        made += [label, *lines(value, indent + "  ")] if isinstance(value, dict) else [f"{label}: {shown(value)}"]
    return made


def shown(value: Any) -> str:
    """Numbers with four digits."""
    if isinstance(value, list):
        return "  ".join(map(shown, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def data_folder() -> Path:
    """The folder of data sets, `RUNNER_DATA` relative to the project."""
    return ROOT / os.environ.get("RUNNER_DATA", "../shared/data")
