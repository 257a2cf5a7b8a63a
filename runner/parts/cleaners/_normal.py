"""The normal form of texts, which is what counts of them when they are compared; all ASCII texts of a batch at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from runner.parts.cleaners._contents import hashed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NOWHERE = "\ud800"  # half of a pair of code units, which no text holds
END = 0xFF  # a byte that no text in UTF-8 holds
SPACE = 32
WORD = re.compile(r"[^\W_]+")
ASCII = bytes(code if chr(code).isalnum() else SPACE for code in range(128)).ljust(256)
FOLDED = ASCII.lower()[:END] + b"\0"


def normalised(text: str) -> str:
    """Small letters, their marks, and digits, between single spaces; the text itself where that leaves nothing."""
    folded = text.casefold()
    if folded.isascii():
        kept = b" ".join(folded.encode().translate(ASCII).split()).decode()
    elif may_be_mark().search(folded):
        kept = " ".join(others().sub(" ", folded).split())
    else:
        kept = " ".join(WORD.findall(folded))
    return kept or " ".join(folded.split())


@cache
def others() -> re.Pattern[str]:
    """What is neither letter nor mark nor digit. Marks are the vowels of many scripts; all stand in two ranges."""
    return re.compile(f"(?:[^\\w{marks(range(0x300, 0x20000))}{marks(range(0xE0100, 0xE0200))}]|_)+")


@cache
def may_be_mark() -> re.Pattern[str]:
    """Marks, and all that stands behind the first 65,536 characters, where `re` is slow to tell marks."""
    return re.compile(f"[{marks(range(0x300, 0x10000))}\U00010000-\U0010ffff]")


def marks(codes: Iterable[int]) -> str:
    """Those of them that are marks, as ranges."""
    found = (code for code in codes if unicodedata.category(chr(code))[0] == "M")
    runs = ([code for _, code in run] for _, run in groupby(enumerate(found), lambda pair: pair[1] - pair[0]))
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in runs)


class Normal(NamedTuple):
    """Normalised texts: which of the batch they are, and their bytes in UTF-8, each before `pad` zero bytes.

    Where a text holds more than ASCII the `codes` are code points instead, those of the character NUL are NOWHERE.
    """

    rows: np.ndarray
    codes: np.ndarray
    lengths: np.ndarray
    texts: Sequence[bytes]

    def digests(self) -> np.ndarray:
        """Two 64-bit numbers a text, the same where it is the same."""
        return hashed(self.texts)


def normal(texts: pa.Array, pad: int) -> Iterator[Normal]:
    """All texts, those of ASCII first; `pad` is at least 1."""
    import numpy as np
    import pyarrow.compute as pc

    plain = pc.string_is_ascii(texts).to_numpy(zero_copy_only=False)
    if plain.any():
        codes, lengths = folded(texts if plain.all() else texts.filter(plain), pad)
        if not lengths.all():  # where nothing is left, the text itself counts
            plain[np.flatnonzero(plain)[lengths == 0]] = False
            codes, lengths = folded(texts.filter(plain), pad)
        if len(lengths):
            yield Normal(np.flatnonzero(plain), codes, lengths, cut(codes, lengths, pad))
    if not plain.all():
        rest = [normalised(text) for text in texts.filter(~plain).to_pylist()]
        end = "\0" * pad
        points = (end.join(text.replace("\0", NOWHERE) for text in rest) + end).encode("utf-32-le", "surrogatepass")
        lengths = np.fromiter(map(len, rest), np.int64, len(rest))
        yield Normal(np.flatnonzero(~plain), np.frombuffer(points, np.uint32), lengths, [t.encode() for t in rest])


def folded(texts: pa.Array, pad: int) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of normalised ASCII texts, each before `pad` zeros, and how many each has.

    Of a run of spaces the last stays, if a letter follows; that is one too many where the text begins with it.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    ended = pc.binary_join_element_wise(texts.cast(pa.binary()), bytes([END]) * pad, b"")
    codes = np.frombuffer(ended.buffers()[2].to_pybytes().translate(FOLDED) if len(ended) else b"", np.uint8)
    stays = codes != SPACE
    stays[:-1] |= codes[1:] > SPACE
    codes = codes[stays]
    ends = np.flatnonzero(codes == 0)[::pad]
    starts = np.append(0, ends[:-1] + pad)[: len(ends)]
    early = codes[starts] == SPACE
    if early.any():
        codes = np.delete(codes, starts[early])
        shift = np.cumsum(early)
        ends, starts = ends - shift, starts - shift + early
    return codes, ends - starts


def cut(codes: np.ndarray, lengths: np.ndarray, pad: int) -> list[bytes]:
    """Each text of its own."""
    import numpy as np

    data = codes.tobytes()
    ends = np.cumsum(lengths + pad) - pad
    return [data[start:end] for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]
