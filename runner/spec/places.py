"""Where each key and value of a TOML text stands: line, column and end column, 1-based, in characters, end inclusive.

A small scanner instead of a parser's metadata: it knows table headers and the leading parts of dotted keys too. The text
has passed the parser before, so the scanner only measures; on a text that no parser takes it stops where it is lost.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

Path = tuple[str | int, ...]
Span = tuple[int, int]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_ASSIGN = re.compile(r"[ \t]*=[ \t]*")
_CLOSE = re.compile(r"[ \t]*\]\]?")
_SCALAR = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]+"
    r"|[^\s,\]}#]+",
    re.DOTALL,
)


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

    def place(self, path: Path, what: Literal["key", "value"] = "key") -> Place:
        """The place of a key or its value; for what nobody wrote, the nearest table around it. Never raises."""
        if not self.wrote(path) and self.parent is not None and self.parent.wrote(path):
            return self.parent.place(path, what)
        if not path:
            return Place(self.file, 1, 1, 1)
        spans = self._scan.values if what == "value" else self._scan.keys
        span = spans.get(path) or self._scan.values.get(path) or self._scan.keys.get(path)
        return self._place(span) if span else self.place(path[:-1])

    def wrote(self, path: Path) -> bool:
        """Whether this text itself holds the path."""
        return path in self._scan.keys or path in self._scan.values

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
    def _scan(self) -> _Scan:
        scan = _Scan(self.text)
        scan.document()
        return scan


@dataclass
class _Scan:
    """One pass over the text. Spans are offsets, end exclusive."""

    text: str
    at: int = 0
    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)
    lengths: dict[Path, int] = field(default_factory=dict)

    def document(self) -> None:
        table: Path = ()
        while self.skip(_BLANK) and self.at < len(self.text):
            start = self.at
            if self.text[start] == "[":
                table = self.header()
            else:
                self.pair(table)
            if self.at == start:
                return

    def header(self) -> Path:
        """`[a.b]` or `[[a.b]]`; the path of the table that it opens."""
        start, many = self.at, self.text.startswith("[[", self.at)
        self.skip(re.compile(r"\[\[?[ \t]*"))
        *leading, (last, span) = self.key() or [("", (start, start))]
        path: Path = ()
        for part, place in leading:
            path = self.newest((*path, part), place)
        path = (*path, last)
        self.skip(_CLOSE)
        if many:
            self.keys.setdefault(path, span)
            self.lengths[path] = self.lengths.get(path, 0) + 1
            path = (*path, self.lengths[path] - 1)
        self.keys[path], self.values[path] = span, (start, self.at)
        return path

    def newest(self, path: Path, span: Span) -> Path:
        """The path itself, or for an array of tables its last table."""
        self.keys.setdefault(path, span)
        return (*path, self.lengths[path] - 1) if path in self.lengths else path

    def pair(self, table: Path) -> None:
        """`a.b = value`"""
        path = table
        for part, span in self.key():
            path = (*path, part)
            self.keys.setdefault(path, span)
        if path != table and self.skip(_ASSIGN):
            self.value(path)

    def key(self) -> list[tuple[str, Span]]:
        """The parts of a dotted key with their spans."""
        parts = []
        while match := _KEY.match(self.text, self.at):
            parts.append((_bare(match.group()), match.span()))
            self.at = match.end()
            dot = _DOT.match(self.text, self.at)
            if not dot:
                break
            self.at = dot.end()
        return parts

    def value(self, path: Path) -> None:
        start = self.at
        opening = self.text[start : start + 1]
        if opening == "[":
            self.items(path, "]")
        elif opening == "{":
            self.items(path, "}")
        else:
            self.skip(_SCALAR)
        self.values[path] = (start, self.at)

    def items(self, path: Path, closing: str) -> None:
        """The values of an array or the pairs of an inline table, up to and with the closing bracket."""
        self.at += 1
        count = 0
        while self.skip(_BLANK) and self.at < len(self.text) and self.text[self.at] != closing:
            start = self.at
            if closing == "]":
                self.value((*path, count))
            else:
                self.pair(path)
            count += 1
            self.skip(re.compile(rf"{_BLANK.pattern},?"))
            if self.at == start:
                return
        self.at = min(self.at + 1, len(self.text))

    def skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match is not None


def _bare(key: str) -> str:
    """The word that a written key means."""
    if key[0] == "'":
        return key[1:-1]
    if key[0] != '"':
        return key
    import tomli

    try:
        return str(tomli.loads(f"x = {key}")["x"])
    except tomli.TOMLDecodeError:
        return key[1:-1]
