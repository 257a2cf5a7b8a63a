"""CoNLL-U: treebanks of Universal Dependencies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.errors import RunnerError
from runner.parts.sources._source import LINE, Faults, Row, Source, excerpt, lines, stacked

if TYPE_CHECKING:
    import pyarrow as pa

OWN = ("text", "tokens", "upos", "xpos", LINE)
DOCUMENT = ("newdoc id", "meta::")
HINT = "CoNLL-U has ten columns between tabs, and a blank line between sentences"


class Conllu(Source):
    """Sentences of CoNLL-U: `text`, `tokens`, `upos`, `xpos`, and a column for each `# key = value` comment.

    Comments named `newdoc id` and `meta::...` hold for all sentences of their document, others for their sentence.
    Ranges (`1-2`) and empty nodes (`1.1`) are no tokens.

    ```toml
    type = "conllu"
    ```
    """

    kind: ClassVar[str] = "conllu"
    endings: ClassVar[tuple[str, ...]] = (".conllu",)

    type: Literal["conllu"]
    """The kind of file."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        faults = Faults(path)
        keys = comment_keys(path)
        words = pa.list_(pa.string())
        columns = [("text", pa.string()), ("tokens", words), ("upos", words), ("xpos", words)]
        yield from stacked(sentences(path, keys, faults), [*columns, *((key, pa.string()) for key in keys)])
        faults.refuse()


def comment_keys(path: Path) -> list[str]:
    """The keys of all comments of the file, in the order of their first appearance."""
    found = (comment(line) for line in lines(path, Faults(path)) if line.startswith("#"))
    return list(dict.fromkeys(key for key, _ in filter(None, found) if key not in OWN))


def comment(line: str) -> tuple[str, str] | None:
    """Key and value of a comment that has them."""
    key, mark, value = line[1:].partition("=")
    return (key.strip(), value.strip()) if mark and key.strip() else None


def sentences(path: Path, keys: list[str], faults: Faults) -> Iterator[Row]:
    """The sentences with the values of `keys`; malformed lines become faults."""
    document: dict[str, str] = {}
    about: dict[str, str] = {}
    words: list[list[str]] = []
    start = 0
    found = False
    for number, line in enumerate(lines(path, faults), 1):
        if not line.strip():
            if words:
                yield sentence(start, words, {**document, **about}, keys)
            words, about, start = [], {}, 0
            continue
        start, found = start or number, True
        if line.startswith("#"):
            remember(line, document, about)
        else:
            add_word(number, line.rstrip("\r\n"), words, faults)
    if words:
        yield sentence(start, words, {**document, **about}, keys)
    if not found:
        raise RunnerError(f"`{path.name}` is empty", HINT)


def remember(line: str, document: dict[str, str], about: dict[str, str]) -> None:
    """Keep what a comment says, about the document or the sentence."""
    if line[1:].split("=")[0].split() in (["newdoc"], ["newdoc", "id"]):
        document.clear()
    pair = comment(line)
    if pair:
        (document if pair[0].startswith(DOCUMENT) else about)[pair[0]] = pair[1]


def add_word(number: int, line: str, words: list[list[str]], faults: Faults) -> None:
    cells = line.split("\t")
    if len(cells) != 10:
        faults.add(number, f"{len(cells)} columns instead of 10: {excerpt(line)}", HINT)
    elif cells[0].isdecimal():
        words.append(cells)
    elif not all(part.isdecimal() for part in cells[0].replace(".", "-").split("-", 1)):
        faults.add(number, f"the word's number is {excerpt(cells[0])}", HINT)


def sentence(line: int, words: list[list[str]], about: dict[str, str], keys: list[str]) -> Row:
    tokens, upos, xpos = ([word[i] for word in words] for i in (1, 3, 4))
    text = about.get("text") or " ".join(tokens)
    return Row(line, 4 * len(text), (text, tokens, upos, xpos, *(about.get(key) for key in keys)))
