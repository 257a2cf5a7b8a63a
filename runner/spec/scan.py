"""One pass over a TOML text that notes where every key and value stands.

A parser's metadata would be shorter to use, but knows neither table headers nor the leading parts of dotted keys. The
text has passed the parser before, so this pass only measures; on a text that no parser takes it stops where it is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Keys = tuple[str | int, ...]
Span = tuple[int, int]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_COMMA = re.compile(rf"{_BLANK.pattern},?")
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_ASSIGN = re.compile(r"[ \t]*=[ \t]*")
_OPEN = re.compile(r"\[\[?[ \t]*")
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


@dataclass
class Scan:
    """One pass over the text. Spans are offsets, end exclusive."""

    text: str
    at: int = 0
    keys: dict[Keys, Span] = field(default_factory=dict)
    values: dict[Keys, Span] = field(default_factory=dict)
    lengths: dict[Keys, int] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Scan:
        """The finished scan of a text."""
        scan = cls(text)
        scan.document()
        return scan

    def document(self) -> None:
        table: Keys = ()
        while self.skip(_BLANK) and self.at < len(self.text):
            start = self.at
            if self.text[start] == "[":
                table = self.header()
            else:
                self.pair(table)
            if self.at == start:
                return

    def header(self) -> Keys:
        """`[a.b]` or `[[a.b]]`; the path of the table that it opens."""
        start, many = self.at, self.text.startswith("[[", self.at)
        self.skip(_OPEN)
        *leading, (last, span) = self.key() or [("", (start, start))]
        path: Keys = ()
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

    def newest(self, path: Keys, span: Span) -> Keys:
        """The path itself, or for an array of tables its last table."""
        self.keys.setdefault(path, span)
        return (*path, self.lengths[path] - 1) if path in self.lengths else path

    def pair(self, table: Keys) -> None:
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

    def value(self, path: Keys) -> None:
        start = self.at
        opening = self.text[start : start + 1]
        if opening == "[":
            self.items(path, "]")
        elif opening == "{":
            self.items(path, "}")
        else:
            self.skip(_SCALAR)
        self.values[path] = (start, self.at)

    def items(self, path: Keys, closing: str) -> None:
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
            self.skip(_COMMA)
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
