"""The verdict on many specs: remembered where nothing changed, else found by a check; imports little until it must."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import Diagnostic, SpecError
from runner.plan import verdict

if TYPE_CHECKING:
    from runner.plan.check import Checker


def validated(specs: Sequence[Path], cache: Path) -> tuple[list[Diagnostic], int]:
    """All faults and warnings, and how many specs are not valid."""
    faults: list[Diagnostic] = []
    failed = 0
    found: Checker | None = None
    for spec in specs:
        known = verdict.recall(spec, cache)
        if known is None:
            from runner.plan.check import checker

            found = found or checker(cache)
            known, valid = judged(spec, found)
            failed += not valid
        faults += known
    return faults, failed


def judged(spec: Path, checker: Checker) -> tuple[list[Diagnostic], bool]:
    """Faults or warnings of one spec by a check, and whether it is valid."""
    from runner.spec.read import read

    began = time.time_ns()
    try:
        checked = checker.trials(read(spec))
    except SpecError as error:
        return list(error.diagnostics), False
    verdict.keep(checked, spec, checker.cache.folder, began)
    return verdict.remarks(checked), True
