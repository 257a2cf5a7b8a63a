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

BATCH_ROWS = 1000
BATCH_CHARACTERS = 1 << 20
PARALLELISM = "TOKENIZERS_PARALLELISM"
CHOSEN = os.environ.get(PARALLELISM)
OWNER = os.getpid()


class Tokens(NamedTuple):
    """One example: its ids after cutting, where the second text starts, and the count of tokens uncut.

    `places` are the characters of its text that each id spans, where they are asked for.
    """

    ids: list[int]
    pair: int
    uncut: int
    places: Sequence[tuple[int, int]] = ()


class Cutter:
    """A tokenizer twice: one copy that never cuts, to count, and one that cuts and adds the special tokens."""

    def __init__(self, tokenizer_file: Path, max_length: int, pairs: bool, places: bool = False) -> None:
        self.places = places
        self.plain = tokenizer(tokenizer_file)
        self.cut = tokenizer(tokenizer_file)
        self.special = self.cut.num_special_tokens_to_add(pairs)
        if self.special >= max_length:
            hint = f"raise `max_length` above {self.special}"
            raise RunnerError(f"max_length {max_length} leaves no room beside {self.special} special tokens", hint)
        self.cut.enable_truncation(max_length, strategy="longest_first")

    def encode(self, texts: Sequence[Sequence[str]]) -> Iterator[Tokens]:
        """The tokens of each example; `texts` holds one column of texts, or two of the same length."""
        encode = self.plain.encode_batch if self.places else self.plain.encode_batch_fast
        columns = [encode(list(column), add_special_tokens=False) for column in texts]
        for parts in zip(*columns, strict=True):
            uncut = sum(len(part) for part in parts) + self.special
            whole = self.cut.post_process(*parts)
            yield Tokens(whole.ids, second(whole, len(parts) > 1), uncut, whole.offsets if self.places else ())


def second(encoding: Encoding, pairs: bool) -> int:
    """The index of the first token of the second text; the length of the whole where there is none."""
    if pairs:
        for marks in (encoding.sequence_ids, encoding.type_ids):
            if 1 in marks:
                return int(marks.index(1))
    return len(encoding.ids)


def encoded(table: pa.Table, inputs: Sequence[str], cutter: Cutter) -> Iterator[tuple[list[str], list[Tokens]]]:
    """Ids and tokens of all rows, in their order, batch by batch; in parallel where the process may."""
    for rows in batches(table.select(["id", *inputs])):
        with parallel():
            yield rows["id"], list(cutter.encode([rows[name] for name in inputs]))


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
