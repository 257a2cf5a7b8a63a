"""For Python programs and notebooks: `runner.results("results")` asks a store and carries out specs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError
from runner.store.query import cell, drawn, query, records
from runner.store.working import PUBLISHED

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa


def results(folder: str | os.PathLike[str] = "results") -> Results:
    """The results in a folder, where `runner run` has put them or will."""
    return Results(Path(folder))


class Rows:
    """The rows of a question: arrow, pandas or polars, tuples or dicts; in a notebook a table."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def arrow(self) -> pa.Table:
        """As an Arrow table."""
        return self._table

    def df(self) -> pd.DataFrame:
        """As a data frame of pandas."""
        needed("pandas")
        return self._table.to_pandas()

    def pl(self) -> pl.DataFrame:
        """As a data frame of polars."""
        polars = needed("polars")
        return polars.DataFrame(self._table)  # type: ignore[no-any-return]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """As tuples."""
        return list(zip(*(column.to_pylist() for column in self._table.columns), strict=True))

    def dicts(self) -> list[dict[str, Any]]:
        """As dicts of JSON values; of columns with equal names the later ones get a number."""
        return records(self._table)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        return drawn(self._table)

    def _repr_html_(self) -> str:
        """As notebooks show it; texts are escaped."""
        from html import escape

        def line(mark: str, values: Sequence[Any]) -> str:
            return f"<tr>{''.join(f'<{mark}>{escape(cell(value))}</{mark}>' for value in values)}</tr>"

        body = "".join(line("td", row) for row in self.fetchall())
        return f"<table><thead>{line('th', self._table.column_names)}</thead><tbody>{body}</tbody></table>"


class Results:
    """A folder of results. Every question catches up with the runs first, and changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sql(self, text: str, params: Sequence[Any] | Mapping[str, Any] = (), **named: Any) -> Rows:
        """The rows of a statement; `?` takes `params` in their order, `$name` a keyword."""
        return Rows(query(self.folder, text, named or params))

    def runs(self) -> Rows:
        """All runs with their settings and scores, the newest last."""
        return self.sql("SELECT * FROM runs_wide ORDER BY started, run")

    def leaderboard(self, name: str) -> Rows:
        """The settings of an experiment or grid by the mean of their main score, the best first."""
        return self.sql("SELECT * FROM leaderboard WHERE name = $name ORDER BY task, split, place", name=name)

    def curve(self, run: str, metric: str) -> Rows:
        """The points of a curve: loss, macro_f1 or task.macro_f1."""
        return self.sql("SELECT * FROM curve($run, $metric)", run=run, metric=metric)

    def scores(self, run: str) -> Rows:
        """The final scores of a run with their intervals and baselines."""
        asked = "SELECT * EXCLUDE (run) FROM final_scores WHERE run = run_named($run) ORDER BY split, task, position"
        return self.sql(asked, run=run)

    def compare(self, a: str, b: str, confidence: float = 0.95, resamples: int = 2000) -> dict[str, Any]:
        """What `runner compare A B --json` says."""
        from runner.run.comparing import facts

        return facts(self.folder, a, b, confidence, resamples)

    def run(self, spec: str | os.PathLike[str], sets: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Carry out every run of a spec that is not finished yet; what `runner run SPEC --json` says."""
        from runner.run.experiment import prepared
        from runner.run.grid import carry_out

        given = list((sets or {}).items())
        return carry_out(prepared(Path(spec), self.folder, sets=given), self.folder, given, None)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A read-only connection of DuckDB for what else speaks to one, such as jupysql.

        It shows the store as it is now, and so do all that are opened before it is closed.
        """
        import duckdb

        from runner.store.ingest import ingest

        ingest(self.folder)
        return duckdb.connect(self.folder / PUBLISHED, read_only=True)

    def __repr__(self) -> str:
        return f"runner.results({str(self.folder)!r})"


def needed(package: str) -> Any:
    """An optional package; RunnerError that says how to install it."""
    from importlib import import_module

    try:
        return import_module(package)
    except ImportError as error:
        hint = f"`pip install {package}`, or ask for `.arrow()`, `.fetchall()` or `.dicts()`"
        raise RunnerError(f"this needs the package `{package}`, which is not installed", hint) from error
