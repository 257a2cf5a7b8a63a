"""Form: how the columns of a row become sequences of tokens."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Form(NamedTuple):
    """Tasks over a data set whose forms are equal share its stream, and so a forward pass.

    `joined`: one sequence of one text or two, cut to the maximum length, or with a `stride` several that share so many
    tokens of the text that is too long. `blocks`: a text and its end in pieces of the maximum length. `reply`: prompt
    and answer. `chat`: messages, laid out by a `template`. `versus`: a prompt with either of two answers, two
    sequences. `apart`: a sequence for each of two texts. `source`: what an encoder reads and what its decoder writes.
    """

    columns: tuple[str, ...]
    kind: Literal["joined", "blocks", "reply", "chat", "versus", "apart", "source"] = "joined"
    stride: int | None = None
    template: str = ""
    prompt: str = ""
    chats: bool = False

    @property
    def parts(self) -> int:
        """Sequences that stay together in a batch: those of one row."""
        return 2 if self.kind in ("versus", "apart", "source") else 1

    @property
    def several(self) -> bool:
        """Whether a row may become any number of sequences, each of which is judged by itself."""
        return self.kind == "blocks" or self.stride is not None

    @property
    def suffix(self) -> str:
        """What tells its stream from others over the same columns."""
        if self.kind == "joined":
            return "" if self.stride is None else f"/{self.stride}"
        return f"~{self.kind}"
