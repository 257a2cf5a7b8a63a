"""The packages that parts work with: which version is installed, and which part lacks one."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from runner.data.faults import Fault
from runner.spec.tables import Data


def packages_faults(data: Data) -> list[Fault]:
    """The cleaners whose packages are not installed."""
    return [
        Fault(
            ("clean", at),
            f"`{part.kind}` needs the package `{name}`, which is not installed",
            "`pip install 'runner[clean]'`",
        )
        for at, part in enumerate(data.cleaners)
        for name in part.packages
        if installed(name) is None
    ]


@cache
def installed(package: str) -> str | None:
    """The version of a distribution; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
