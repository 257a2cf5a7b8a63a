"""Where each key and value of a TOML text stands: line, column, end column, 1-based, in characters, end inclusive."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from runner.spec.scan import Keys, Scan, Span


class Place(NamedTuple):
    """A range within one line of a file."""

    file: str
    line: int
    column: int
    end_column: int


@dataclass(frozen=True)
class Places:
    """The places of one TOML text, and behind them those of the text that it extends. Scanned at the first question."""

    text: str
    file: str = ""
    parent: Places | None = None

    def place(self, path: Keys, what: Literal["key", "value"] = "key") -> Place:
        """The place of a key or its value; for what nobody wrote, the nearest table around it. Never raises."""
        if not self.wrote(path) and self.parent is not None and self.parent.wrote(path):
            return self.parent.place(path, what)
        if not path:
            return Place(self.file, 1, 1, 1)
        spans = self._scan.values if what == "value" else self._scan.keys
        span = spans.get(path) or self._scan.values.get(path) or self._scan.keys.get(path)
        return self._place(span) if span else self.place(path[:-1])

    def wrote(self, path: Keys) -> bool:
        """Whether this text itself holds the path."""
        return path in self._scan.keys or path in self._scan.values

    def written(self, path: Keys) -> bool:
        """Whether somebody wrote the path, here or in the text that this one extends."""
        return self.wrote(path) or (self.parent is not None and self.parent.written(path))

    def _place(self, span: Span) -> Place:
        line = bisect.bisect_right(self._starts, span[0])
        first = self._starts[line - 1]
        last = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        end = min(span[1], len(self.text[first:last].rstrip()) + first)
        return Place(self.file, line, span[0] - first + 1, max(end - first, span[0] - first + 1))

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def _scan(self) -> Scan:
        return scanned(self.text)


@lru_cache(maxsize=16)
def scanned(text: str) -> Scan:
    """The scan of a text, which all trials of a grid share."""
    return Scan.of(text)
