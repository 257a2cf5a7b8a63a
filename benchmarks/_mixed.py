"""Real texts of mixed length (5 to 256 tokens), labelled by where they come from."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path


def texts(data: Path) -> Iterator[tuple[str, str]]:
    """(text, origin): paragraphs of two books, contexts of questions, abstracts, reviews, chats."""
    for name in ("stories_grimm/train", "stories_alice/test"):
        for paragraph in (data / f"{name}.txt").read_text(encoding="utf-8").split("\n\n"):
            yield " ".join(paragraph.split()), name.split("/")[0]
    for context in sorted({row["context"] for row in jsonl(data / "xquad_en/train.jsonl")}):
        yield context, "xquad"
    for row in jsonl(data / "scitldr/train.jsonl"):
        yield row["source"], "scitldr"
    for row in jsonl(data / "sgd_chat/train.jsonl"):
        yield " ".join(message["content"] for message in row["messages"][:6]), "chat"
    with (data / "vader_amazon/train.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            yield row["text"], "amazon"


def jsonl(file: Path) -> Iterator[dict]:
    """The records of a file."""
    with file.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def write(data: Path, folder: Path) -> None:
    """`train.csv` and `test.csv` (a fifth, by the hash of the text)."""
    rows = {text: origin for text, origin in texts(data) if len(text.split()) >= 3}
    for name, test in (("train", False), ("test", True)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["text", "label"])
            writer.writerows((t, o) for t, o in rows.items() if (hashlib.sha256(t.encode()).digest()[0] < 51) == test)
