"""Recipe: all that decides how the rows of a table become sequences of tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.parts.tasks._form import Form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    from runner.data.tokens import Tokens

    class Cuts(Protocol):
        """What turns columns of texts into the sequences of each row."""

        def windows(self, texts: Sequence[Sequence[str]]) -> Iterator[list[Tokens]]: ...


class Marks(NamedTuple):
    """The id of the token that ends a text, and how chat templates write the first and the last token of one."""

    end: int | None = None
    first: str = ""
    last: str = ""


class Recipe(NamedTuple):
    """The form of the rows, the tokenizer and the longest sequence; `places` asks where tokens lie in their text."""

    form: Form
    tokenizer_file: Path
    max_length: int
    places: bool = False
    marks: Marks = Marks()

    @property
    def spoken(self) -> bool:
        """Whether a language model writes some of the tokens."""
        return self.form.kind not in ("joined", "apart")

    def cutter(self) -> Cuts:
        """What makes the sequences."""
        from runner.data import chat, spoken
        from runner.data.tokens import Cutter

        pairs, stride = len(self.form.columns) > 1, self.form.stride
        makers: dict[str, Any] = {
            "joined": lambda: Cutter(self.tokenizer_file, self.max_length, pairs, self.places, stride),
            "apart": lambda: spoken.Apart(Cutter(self.tokenizer_file, self.max_length, False)),
            "blocks": lambda: spoken.Blocks(self),
            "reply": lambda: spoken.Replies(self),
            "versus": lambda: spoken.Versus(self),
            "source": lambda: spoken.Sources(self),
            "chat": lambda: chat.Chats(self),
        }
        made: Cuts = makers[self.form.kind]()
        return made

    def counter(self) -> Cuts:
        """What counts tokens: a long text stays one sequence."""
        return self._replace(form=self.form._replace(stride=None)).cutter()
