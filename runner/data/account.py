"""The account of preparation: what each step did to how many rows, with samples, and the rows that went."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.data.tables import mapped

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLES = 3
EXCERPT = 200
LEAD = 20  # characters in front of a change
TABLE = "dropped.arrow"
FILE = "account.json"


class Gone(NamedTuple):
    """A row that was dropped or, if `flagged`, only marked; `twin` is the id of the row that it repeats.

    `split` is empty where the whole entry is about one file.
    """

    split: str
    id: str
    line: int
    step: str
    reason: str
    twin: str
    flagged: bool
    text: str


@dataclass
class Tally:
    """One step's account; `refused` counts variants of rows that were not taken.

    Samples are those of the smallest ids, so that the order of rows changes nothing.
    """

    stage: str
    step: str
    split: str = ""
    rows: int = 0
    made: int = 0
    changed: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    samples: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """Rows that came out, those that the step made included."""
        return self.rows - sum(self.dropped.values()) + self.made

    def gone(self, row: Gone) -> None:
        """Count a row that was dropped or flagged."""
        counts = self.flagged if row.flagged else self.dropped
        counts[row.reason] = counts.get(row.reason, 0) + 1
        self.sample(row.reason, {"id": row.id, "before": row.text, "after": row.twin})

    def change(self, id: str, before: str, after: str) -> None:
        """Count a row whose text changed."""
        self.changed += 1
        if self.wants("changed", id):
            start = max(0, first_difference(before, after) - LEAD)
            self.sample("changed", {"id": id, "before": excerpt(before, start), "after": excerpt(after, start)})

    def wants(self, name: str, id: str) -> bool:
        """Whether the id is among the smallest so far."""
        rows = self.samples.get(name, [])
        return len(rows) < SAMPLES or id < rows[-1]["id"]

    def sample(self, name: str, row: dict[str, str]) -> None:
        """Keep the row if its id is among the smallest."""
        if self.wants(name, row["id"]):
            rows = self.samples.get(name, [])
            self.samples[name] = sorted([*rows, row], key=lambda each: each["id"])[:SAMPLES]

    def add(self, other: Tally) -> None:
        """Take in what the same step did to other rows."""
        self.rows, self.changed = self.rows + other.rows, self.changed + other.changed
        self.seconds += other.seconds
        pairs = (self.dropped, other.dropped), (self.flagged, other.flagged), (self.refused, other.refused)
        for mine, theirs in pairs:
            for reason, count in theirs.items():
                mine[reason] = mine.get(reason, 0) + count
        for name, rows in other.samples.items():
            for row in rows:
                self.sample(name, row)

    def facts(self) -> dict[str, Any]:
        """Everything as JSON-compatible values."""
        return {**asdict(self), "seconds": round(self.seconds, 3), "kept": self.kept}


def excerpt(text: str, start: int = 0) -> str:
    """A piece of a text from a place on; dots stand for what is left out."""
    piece = text[start : start + EXCERPT]
    return "…" * (start > 0) + piece + "…" * (start + EXCERPT < len(text))


def first_difference(one: str, other: str) -> int:
    """The index of the first character that differs, or where the shorter text ends."""
    same, end = 0, min(len(one), len(other))
    while same < end:
        middle = (same + end + 1) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            end = middle - 1
    return same


def text_of(row: Mapping[str, Any], inputs: Sequence[str]) -> str:
    """The inputs of a row, cut to an excerpt."""
    return excerpt("\n".join(row[name] for name in inputs))


class Ledger:
    """The rows that went, written into a cache entry as they are found: there may be as many as rows."""

    def __init__(self, entry: Path) -> None:
        import pyarrow as pa

        self.file = pa.OSFile(str(entry / TABLE), "wb")
        self.writer = pa.ipc.new_file(self.file, batch_of([]).schema)

    def append(self, batch: pa.RecordBatch) -> None:
        """Write some of them."""
        if batch.num_rows:
            self.writer.write_batch(batch)

    def close(self) -> None:
        """Write what makes the file whole."""
        self.writer.close()
        self.file.close()


def keep(entry: Path, tallies: list[Tally], gone: Ledger | None = None) -> None:
    """Write the account of a stage into its cache entry; without a ledger no row went."""
    (entry / FILE).write_text(json.dumps([each.facts() for each in tallies], ensure_ascii=False), encoding="utf-8")
    (gone or Ledger(entry)).close()


def batch_of(rows: list[Gone]) -> pa.RecordBatch:
    """Rows that went, as columns."""
    import pyarrow as pa

    kinds = {"line": pa.int64(), "flagged": pa.bool_()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in Gone._fields])
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.record_batch([pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)], schema)


def facts_of(entry: Path) -> list[dict[str, Any]]:
    """The tallies of a cache entry."""
    return list(json.loads((entry / FILE).read_bytes()))


def gone_of(entry: Path) -> Iterator[Gone]:
    """The rows that went, as a cache entry has them."""
    for batch in mapped(entry / TABLE).to_batches():
        yield from map(Gone._make, zip(*(column.to_pylist() for column in batch.columns), strict=True))
