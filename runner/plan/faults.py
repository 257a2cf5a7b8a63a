"""The faults of one spec, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from runner.data.faults import Fault
from runner.errors import Diagnostic
from runner.spec.read import Spec

Where = tuple[str | int, ...]


class Faults:
    """Collects faults of one spec, each at its place."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.found: list[Diagnostic] = []

    def add(
        self, code: str, where: Where, message: str, hint: str = "", what: Any = "key", severity: str = "error"
    ) -> None:
        """A fault at the key or value of a path."""
        place = self.spec.places.place(where, what)
        file = place.file or str(self.spec.file)
        self.found.append(
            Diagnostic(code, message, file, place.line, place.column, place.end_column, where, hint, severity)
        )

    def of_data(self, name: str, found: Iterable[Fault]) -> None:
        """The faults of a data set."""
        for each in found:
            named = [where for where in self.naming(name, each.column) if self.spec.places.written(where)]
            for where in named or [("data", name, *each.where)]:
                self.add("data", where, each.message, each.hint, "value")

    def naming(self, data: str, column: str) -> Iterator[Where]:
        """Where tasks over a data set name a column."""
        for name, task in self.spec.experiment.tasks.items():
            if data in task.data and column:
                if task.target == column:
                    yield ("tasks", name, "target")
                if isinstance(task.input, str):
                    yield from [("tasks", name, "input")] * (task.input == column)
                else:
                    yield from (("tasks", name, "input", at) for at, each in enumerate(task.input) if each == column)

    def below(self, *where: str) -> bool:
        """Whether there is an error in a table."""
        return any(each.severity == "error" and each.path[: len(where)] == where for each in self.found)

    @property
    def errors(self) -> bool:
        return any(each.severity == "error" for each in self.found)
