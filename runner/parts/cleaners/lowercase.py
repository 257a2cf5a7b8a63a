"""Lower case: every letter as its small form."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.parts.cleaners._cleaner import Cleaner


class Lowercase(Cleaner):
    """Write every letter small.

    ```toml
    type = "lowercase"
    ```
    """

    kind: ClassVar[str] = "lowercase"

    type: Literal["lowercase"]
    """The kind of cleaner."""

    def clean(self, text: str) -> str:
        return text.lower()
