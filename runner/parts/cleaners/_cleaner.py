"""What every cleaner is: a text in; the same, a mended text, or a reason to drop the row out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from runner.kinds import Part
from runner.parts.tasks._task import Text

if TYPE_CHECKING:
    import pyarrow as pa

Split = Literal["train", "validation", "test"]


class Drop(NamedTuple):
    """The row goes, for this reason: a few words that many rows share, such as "shorter than 3 words"."""

    reason: str


class Judged(NamedTuple):
    """What a cleaner of sets says of one row; `twin` is the id of the row that it repeats, if it does.

    A row that is only `flagged` stays, and is counted and recorded.
    """

    position: int
    reason: str
    twin: str = ""
    flagged: bool = False


class Cleaner(Part):
    """The fields that all cleaners share, and what a kind must do: `clean`, or `judge` if it looks at whole sets."""

    # Distributions, as pip names them, that decide what it does: another version of one cleans anew.
    packages: ClassVar[tuple[str, ...]] = ()

    type: str
    """The kind of cleaner."""
    columns: Annotated[list[Text], Field(min_length=1)] | None = None
    """Input columns that it works on; default: all that the tasks read."""
    files: Annotated[list[Split], Field(min_length=1)] | None = None
    """Splits whose files it works on; default: all files."""

    @property
    def changes(self) -> bool:
        """Whether it may mend a text, and so move the words in it; else it only drops rows."""
        return True

    @property
    def counts_tokens(self) -> bool:
        """Whether `ready` wants the tokenizer of the spec's model, whose change then cleans anew."""
        return False

    def ready(self, tokenizer_file: Path | None) -> Callable[[str], str | Drop]:
        """The function that cleans one text, got once a process: what is slow to set up is done here."""
        return self.clean

    def clean(self, text: str) -> str | Drop:
        """The text, mended or as it is, or why the row goes. A pure function; an empty text drops the row too."""
        raise NotImplementedError


class SetCleaner(Cleaner):
    """A cleaner that needs all rows of a file at once."""

    @property
    def changes(self) -> bool:
        return False

    def judge(self, table: pa.Table, inputs: Sequence[str], targets: Sequence[str], scratch: Path) -> Iterator[Judged]:
        """The rows that go or are flagged, each once; which rows they are must not depend on the order of the rows.

        `table` is memory-mapped, with the unique `id` and the `inputs` and `targets` as strings, never null. What
        does not fit into memory may be written to the empty folder `scratch`.
        """
        raise NotImplementedError
