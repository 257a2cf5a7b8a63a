"""Texts to tokens in parallel batches of bounded size, cut the way the tokenizer itself cuts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runner.data.tables import batches as sliced
from runner.errors import RunnerError
from runner.parts.tokenizer import tokenizer

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Encoding

    from runner.data.recipe import Cuts

BATCH_ROWS = 1000
BATCH_CHARACTERS = 1 << 20
PARALLELISM = "TOKENIZERS_PARALLELISM"
CHOSEN = os.environ.get(PARALLELISM)
OWNER = os.getpid()


class Tokens(NamedTuple):
    """One example: its ids after cutting, where the second text starts, and the count of tokens uncut.

    `places` are the characters of its text that each id spans, where they are asked for. Where a language model writes,
    `judged` is 1 for the ids that count, `bytes` the size of what these spell, `lost` how many of them were cut away.
    """

    ids: list[int]
    pair: int
    uncut: int
    places: Sequence[tuple[int, int]] = ()
    judged: Sequence[int] = ()
    bytes: int = 0
    lost: int = 0


class Cutter:
    """A tokenizer twice: one copy that never cuts, to count, and one that cuts and adds the special tokens."""

    def __init__(
        self, tokenizer_file: Path, max_length: int, pairs: bool, places: bool = False, stride: int | None = None
    ) -> None:
        self.max_length, self.places, self.stride = max_length, places, stride
        self.plain = tokenizer(tokenizer_file)
        self.cut = tokenizer(tokenizer_file)
        self.special = self.cut.num_special_tokens_to_add(pairs)
        if self.special >= max_length:
            hint = f"raise `max_length` above {self.special}"
            raise RunnerError(f"max_length {max_length} leaves no room beside {self.special} special tokens", hint)
        if stride is None:
            self.cut.enable_truncation(max_length, strategy="longest_first")
        else:
            self.cut.enable_truncation(max_length, stride=stride, strategy="only_second" if pairs else "only_first")

    def windows(self, texts: Sequence[Sequence[str]]) -> Iterator[list[Tokens]]:
        """The tokens of each example, cut; with a stride what was cut away too, in windows that overlap by so much.

        `texts` holds one column of texts, or two of the same length.
        """
        encode = self.plain.encode_batch if self.places else self.plain.encode_batch_fast
        columns = [encode(list(column), add_special_tokens=False) for column in texts]
        for parts in zip(*columns, strict=True):
            uncut = sum(len(part) for part in parts) + self.special
            whole = self.post_process(parts)
            found = [whole, *(whole.overflowing if self.stride is not None else ())]
            yield [
                Tokens(each.ids, second(each, len(parts) > 1), uncut, each.offsets if self.places else ())
                for each in found
            ]

    def post_process(self, parts: Sequence[Encoding]) -> Encoding:
        """Cut, with special tokens; RunnerError where the first of two leaves no room for the second."""
        room = self.max_length - self.special - (len(parts[0]) if len(parts) > 1 else 0)
        if self.stride is not None and self.stride >= room and len(parts[-1]) > room:
            message = (
                f"a text of {len(parts[0])} tokens leaves room for {max(room, 0)} of the {len(parts[-1])} beside it"
            )
            raise RunnerError(f"{message}, and two sequences share {self.stride}", "raise `max_length`, lower `stride`")
        return self.cut.post_process(parts[0], parts[1] if len(parts) > 1 else None)


def second(encoding: Encoding, pairs: bool) -> int:
    """The index of the first token of the second text; the length of the whole where there is none."""
    if pairs:
        for marks in (encoding.sequence_ids, encoding.type_ids):
            if 1 in marks:
                return int(marks.index(1))
    return len(encoding.ids)


def encoded(table: pa.Table, inputs: Sequence[str], cutter: Cuts) -> Iterator[tuple[list[str], list[list[Tokens]]]]:
    """Ids and windows of tokens of all rows, in their order, batch by batch; in parallel where the process may."""
    for rows in batches(table.select(["id", *inputs])):
        with parallel():
            yield rows["id"], list(cutter.windows([rows[name] for name in inputs]))


def batches(table: pa.Table) -> Iterator[dict[str, list[str]]]:
    """Columns of at most a thousand rows and about a million characters, at least one row."""
    for batch in sliced(table, BATCH_ROWS):
        columns = batch.to_pydict()
        start = size = 0
        sizes = [sum(len(text) for text in row) for row in zip(*columns.values(), strict=True)]
        for place, characters in enumerate(sizes):
            if place > start and size + characters > BATCH_CHARACTERS:
                yield {name: column[start:place] for name, column in columns.items()}
                start, size = place, 0
            size += characters
        if sizes:
            yield {name: column[start:] for name, column in columns.items()}


@contextmanager
def parallel() -> Iterator[None]:
    """Let the tokenizer use all cores, but not in a process forked off later: its threads would be missing there.

    A value that the environment had at start wins.
    """
    os.environ[PARALLELISM] = CHOSEN or ("true" if os.getpid() == OWNER else "false")
    try:
        yield
    finally:
        os.environ[PARALLELISM] = CHOSEN or "false"
