"""A regular expression that replaces what it finds, or drops the texts that have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from runner.errors import RunnerError
from runner.kinds import bad_value
from runner.parts.cleaners._cleaner import Cleaner, Drop
from runner.parts.tasks._task import Text


class Pattern(Cleaner):
    """Replace what a regular expression finds; without `replace`, drop texts that have it, or that lack it.

    The syntax is that of Python's `re` with the additions of the package `regex`, such as `\\p{Greek}`; `(?i)` at the
    start ignores case.

    ```toml
    type = "pattern"
    find = '(?i)\\bunsubscribe\\b'
    name = "newsletter"
    ```
    """

    kind: ClassVar[str] = "pattern"
    packages: ClassVar[tuple[str, ...]] = ("regex",)

    type: Literal["pattern"]
    """The kind of cleaner."""
    find: Text
    """The regular expression, searched for anywhere in the text."""
    replace: str | None = None
    """What stands instead of each find, with `\\1` for its first group; left out = rows are dropped."""
    drop: Literal["found", "missing"] | None = None
    """Which rows are dropped without `replace`: those with a find or those without. Default found."""
    name: Text | None = None
    """Word for the pattern in the reason of a drop; default: the pattern itself."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 1.0
    """Seconds that one text may take; more is an error, so that no result depends on time. Default 1."""

    @model_validator(mode="after")
    def sound(self) -> Pattern:
        if self.replace is not None and self.drop is not None:
            raise PydanticCustomError("one_way", "a pattern takes either `replace` or `drop`")
        import regex

        compiled = None
        try:
            compiled = regex.compile(self.find)
            if self.replace is not None:
                regex.compile(f"{self.find}\n|").sub(self.replace, "")  # finds nothing, once
        except (regex.error, IndexError, ValueError, OverflowError, RecursionError) as error:
            raise flaw("replace" if compiled else "find", error) from None
        return self

    def ready(self, tokenizer_file: Path | None) -> Callable[[str], str | Drop]:
        import regex

        pattern = regex.compile(self.find)
        wanted = self.drop == "missing"
        reason = Drop(f"{'no match of' if wanted else 'matches'} {self.name or f'`{self.find}`'}")

        def clean(text: str) -> str | Drop:
            try:
                if self.replace is not None:
                    return str(pattern.sub(self.replace, text, timeout=self.timeout))
                found = pattern.search(text, timeout=self.timeout) is not None
            except TimeoutError:
                raise self.slow(text) from None
            return text if found == wanted else reason

        return clean

    def clean(self, text: str) -> str | Drop:
        return self.ready(None)(text)

    def slow(self, text: str) -> RunnerError:
        """The error of a text that takes too long."""
        return RunnerError(
            f"pattern `{self.find}` took more than {self.timeout:g} s on one text of {len(text)} characters",
            "write it without repeats inside repeats such as `(a+)+`, with possessive ones such as `a++`, "
            "or raise its `timeout`",
        )


def flaw(field: str, error: Any) -> PydanticCustomError:
    """What is wrong with `find` or `replace`, and where: characters are counted from 1."""
    position = getattr(error, "pos", None)
    where = "" if position is None else f" at character {position + 1}"
    return bad_value(f"`{field}`: {getattr(error, 'msg', None) or error}{where}", key=field)
