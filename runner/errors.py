"""What can go wrong for a user: one base class, and the record of one fault in a spec."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class RunnerError(Exception):
    """A fault the user can mend: printed without a traceback, exit code 1.

    `hint` says what to do next; it is printed below the message. `step` is the optimizer step at which it happened.
    """

    def __init__(self, message: str, hint: str = "", step: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.step = step


class Interrupted(RunnerError):
    """The run was stopped by SIGINT or SIGTERM after its state was saved; exit code 130."""


@dataclass(frozen=True)
class Diagnostic:
    """One fault of one spec, at its place: line and columns are 1-based, the end column is inclusive, 0 = unknown."""

    code: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    end_column: int = 0
    path: tuple[str | int, ...] = ()
    hint: str = ""
    severity: str = "error"


class SpecError(RunnerError):
    """All faults of one or more specs at once."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        count = len(self.diagnostics)
        super().__init__(f"{count} fault{'s' * (count != 1)} in the spec")


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The allowed word most like `word`, or an empty string when none is near (difflib ratio below 0.6)."""
    by_lower = {candidate.lower(): candidate for candidate in allowed}
    found = difflib.get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """A hint that offers the nearest allowed word and lists all of them."""
    allowed = sorted(allowed)
    near = nearest(word, allowed)
    listed = ", ".join(f"`{name}`" for name in allowed)
    return f"did you mean `{near}`? allowed: {listed}" if near else f"allowed: {listed}"
