"""Parquet: a folder a table, cut by experiment, that any engine reads; `logs` and `files` make the runs again.

FOLDER/metrics/experiment=NAME/*.parquet
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runner.errors import RunnerError
from runner.store.elsewhere import elsewhere
from runner.store.export import Chosen, Moment, quoted
from runner.store.formats._folder import folder
from runner.store.log import NAME
from runner.store.tables import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

LOGS, FILES = "logs", "files"
ROWS = 10_000  # lines of a log in one row group, at most
BYTES = 16 * 2**20  # and their size


def write(moment: Moment, target: str) -> dict[str, int]:
    """Write all tables of the chosen runs, their logs line by line, and the small files beside the logs."""
    with folder(target, "parquet") as (built, about):
        rows = {name: table(moment, name, built / name) for name in moment.tables}
        rows[LOGS] = raw(moment, built / LOGS, LOGS, lines(moment.results))
        rows[FILES] = raw(moment, built / FILES, FILES, files(moment.results))
        about |= {"runs": len(moment.runs), "rows": rows}
    return {"tables": len(rows), "rows": sum(rows.values())}


def table(moment: Moment, name: str, place: Path) -> int:
    """One table; how many rows. JSON is text, which all engines know; one without rows is a single file of none."""
    columns = [expression(column, kind) for column, (kind, _) in TABLES[name].columns.items()]
    source = f"FROM {name} t JOIN chosen c ON c.run = t.run"
    sql = f"SELECT {', '.join(columns)}, c.experiment {source}"
    place.mkdir(parents=True)
    count = moment.rows(f"SELECT count(*) AS n {source}")[0]["n"]
    where, cut = (place, ", PARTITION_BY (experiment), OVERWRITE_OR_IGNORE") if count else (place / "none.parquet", "")
    moment.con.execute(f"COPY ({sql}) TO '{quoted(str(where))}' (FORMAT parquet, COMPRESSION zstd{cut})")
    return int(count)


def expression(column: str, kind: str) -> str:
    """A column, as a type that all engines know."""
    return f't."{column}"' + ("::VARCHAR" if kind == "JSON" else "") + f' AS "{column}"'


def raw(moment: Moment, place: Path, name: str, of: Any) -> int:
    """A table that is not in the database, a file an experiment; how many rows."""
    import pyarrow.parquet as pq

    count = 0
    place.mkdir(parents=True)
    for experiment, chosen in groupby(moment.runs, lambda each: each.experiment):
        part = place / f"experiment={quote(experiment, safe='')}" / "data_0.parquet"
        part.parent.mkdir()
        with pq.ParquetWriter(part, schema(name), compression="zstd", write_page_checksum=True) as writer:
            for rows in batches(of(chosen), schema(name)):
                writer.write_table(rows)
                count += len(rows)
    return count


def schema(name: str) -> pa.Schema:
    """The columns of `logs` and `files`."""
    import pyarrow as pa

    kinds = {
        LOGS: {"run": pa.string(), "position": pa.int64(), "line": pa.binary()},
        FILES: {"run": pa.string(), "path": pa.string(), "content": pa.binary()},
    }
    return pa.schema(kinds[name].items())


def lines(results: Path) -> Any:
    """What yields the lines of logs as (run, byte where it begins, bytes), as far as the tables tell of them."""

    def of(runs: Iterable[Chosen]) -> Iterator[tuple[str, int, bytes]]:
        for run, _, end in runs:
            position = 0
            with (results / "runs" / run / NAME).open("rb") as log:
                while position < end and (line := log.readline()):
                    yield run, position, line
                    position += len(line)
            if position != end:
                raise RunnerError(f"the log of `{run}` changed meanwhile", "export again")

    return of


def files(results: Path) -> Any:
    """What yields the small files of runs as (run, name, bytes): specs, and the mark of a finished run."""
    place = elsewhere(str(results.absolute()))

    def of(runs: Iterable[Chosen]) -> Iterator[tuple[str, str, bytes]]:
        for run, _, _ in runs:
            for name, path in sorted(place.files(run, models=False).items()):
                yield run, name, Path(path).read_bytes()

    return of


def batches(rows: Iterator[tuple[Any, ...]], kinds: pa.Schema) -> Iterator[pa.Table]:
    """Rows as tables of bounded size."""
    import pyarrow as pa

    held: list[tuple[Any, ...]] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row[-1])
        if len(held) == ROWS or size > BYTES:
            yield pa.table([*zip(*held, strict=True)], schema=kinds)
            held, size = [], 0
    if held:
        yield pa.table([*zip(*held, strict=True)], schema=kinds)
