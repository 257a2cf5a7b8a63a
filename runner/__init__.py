"""A declarative experiment runner for fine-tuning language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.python import Results as Results
    from runner.python import Rows as Rows
    from runner.python import results as results

__version__ = "0.1.0"
__all__ = ["Results", "Rows", "__version__", "results"]


def __getattr__(name: str) -> Any:
    """What programs and notebooks use, imported when they use it."""
    if name not in __all__:
        raise AttributeError(f"module `runner` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module("runner.python"), name)
