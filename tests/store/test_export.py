"""What leaves the store: all of it comes back as it was, other engines read it, and no spreadsheet computes it."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.store.export import export
from runner.store.formats.csv import FORMULA, guarded
from runner.store.imports import bring
from runner.store.ingest import ingest
from runner.store.log import encode
from runner.store.tables import TABLES
from tests.store.conftest import file_of, log_of, start, stored
from tests.store.runs import run

ODD = "=1+1\n\u202eü,\"'\t\x00"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two experiments, one of them a grid, with numbers and texts that files get wrong."""
    results = tmp_path_factory.mktemp("store")
    run(results, "one-a", grid={"train.epochs": 3}, experiment="größe 1/2")
    run(results, "one-b", grid={"train.epochs": 4}, experiment="größe 1/2")
    (results / "runs/one-a/finished.json").write_text('{"key": "k"}')
    (results / "runs/one-a/model").mkdir()
    (results / "runs/one-a/model/weights").write_bytes(b"much")
    log = log_of(results, "two")
    start(log, name="", spec_text=ODD, params={"label": ODD, "rate": -0.5, "negative": "-1e-3", "formula": "@SUM(A1)"})
    for step, value in enumerate([1e-300, float("nan"), float("inf"), float("-inf"), None]):
        log.write("metrics", step=step, values={"loss": value, "mood.größe": 0.1})
    log.write("failure", kind="E", message="+cmd|' /C calc'!A0")
    with file_of(results, "two").open("ab") as stream:
        stream.write(b"\xff\xfe no JSON\n" + b'{"event":"metrics","torn')
    log_of(results, "planned", 0).write("grid", grid="größe 1/2", grid_key="g1", position=7, point={"train.epochs": 9})
    ingest(results)
    return results


@pytest.fixture
def exported(store: Path, tmp_path: Path) -> Path:
    """The whole store as parquet."""
    export(store, str(tmp_path / "export"), "parquet", [], [])
    return tmp_path / "export"


def test_what_was_exported_comes_back_as_it_was(store: Path, exported: Path, tmp_path: Path) -> None:
    merged = bring(tmp_path / "new", [str(exported)])
    assert merged.new == ["one-a", "one-b", "planned", "two"] and not merged.conflicts
    assert stored(tmp_path / "new") == stored(store)
    assert (tmp_path / "new/runs/one-a/finished.json").read_text() == '{"key": "k"}'
    assert bring(tmp_path / "new", [str(exported)]).facts() == {
        "new": [],
        "grown": [],
        "busy": [],
        "conflicts": [],
        "same": 4,
    }
    assert not (tmp_path / "new/.import").exists()


def measured(step: int, value: float, name: str) -> bytes:
    """A record of a metric as the log writes it."""
    return encode({"event": "metrics", "attempt": 1, "time": 1, "step": step, "values": {name: value}}).encode()


records = st.builds(measured, st.integers(-(2**63), 2**63 - 1), st.floats(), st.text())


@given(log=st.lists(st.binary(max_size=40) | records, max_size=6))
@example([b"\x00", b"=1", b"\r"])
@settings(max_examples=10, deadline=None, database=None)
def test_any_log_comes_back_up_to_its_last_whole_line(
    tmp_path_factory: pytest.TempPathFactory, new: Path, log: list[bytes]
) -> None:
    base = tmp_path_factory.mktemp("any")
    shutil.copytree(new, base / "a")
    file_of(base / "a", "r").write_bytes(b"\n".join(log))
    export(base / "a", str(base / "export"), "parquet", [], [])
    bring(base / "b", [str(base / "export")])
    whole = file_of(base / "a", "r").read_bytes()
    back = base / "b/runs/r/log.jsonl"
    assert (back.read_bytes() if back.exists() else b"") == whole[: whole.rfind(b"\n") + 1]
    assert stored(base / "b") == stored(base / "a")


def read_by_duckdb(place: Path, name: str) -> list[tuple[Any, ...]]:
    columns = ", ".join(f'"{column}"' for column in TABLES[name].columns)
    return duckdb.execute(f"SELECT {columns} FROM read_parquet('{place}/{name}/**/*.parquet')").fetchall()


def test_every_table_is_there_for_another_engine(store: Path, exported: Path) -> None:
    expected = stored(store)
    for name in TABLES.keys() - {"offsets"}:
        assert sorted(map(repr, read_by_duckdb(exported, name))) == expected[name], name
    parts = {part.parent.name for part in (exported / "metrics").rglob("*.parquet")}
    assert parts == {"experiment=unnamed"}
    asked = f"SELECT DISTINCT experiment FROM read_parquet('{exported}/grid_trials/**/*.parquet')"
    assert duckdb.execute(asked).fetchall() == [("größe 1/2",)]


def test_polars_and_pandas_read_it(exported: Path) -> None:
    import pandas

    polars = pytest.importorskip("polars")
    curves = polars.scan_parquet(exported / "metrics", hive_partitioning=True).collect()
    assert curves.filter(polars.col("metric") == "loss")["value"].is_nan().sum() == 1
    frame = pandas.read_parquet(exported / "answers")
    assert {*frame["experiment"]} == {"größe 1/2"} and len(frame) == 80


@pytest.mark.parametrize(
    ("grids", "runs", "expected"),
    [
        (["größe 1/2"], [], ["one-a", "one-b", "planned"]),
        ([], ["tw"], ["two"]),
        (["größe 1/2"], ["two", "one-a"], ["one-a", "one-b", "planned", "two"]),
    ],
)
def test_some_runs_are_chosen(
    store: Path, tmp_path: Path, grids: list[str], runs: list[str], expected: list[str]
) -> None:
    found = export(store, str(tmp_path / "some"), "parquet", grids, runs)
    assert found["runs"] == len(expected)
    assert bring(tmp_path / "new", [str(tmp_path / "some")]).new == expected


def test_an_unknown_grid_or_run_is_told(store: Path, tmp_path: Path) -> None:
    for grids, runs, word in [(["größe"], [], "größe"), ([], ["twofold"], "twofold")]:
        with pytest.raises(RunnerError, match=word):
            export(store, str(tmp_path / "some"), "parquet", grids, runs)
    assert not (tmp_path / "some").exists()


def test_an_export_takes_the_place_of_an_older_one_and_of_nothing_else(
    store: Path, exported: Path, tmp_path: Path
) -> None:
    before = {path.relative_to(exported) for path in exported.rglob("*.parquet")}
    export(store, str(exported), "parquet", [], ["two"])
    assert {path.relative_to(exported) for path in exported.rglob("*.parquet")} < before | {Path("x")} | {
        Path(name, "none.parquet") for name in TABLES
    }
    export(store, str(exported), "csv", [], [])
    assert not [*exported.rglob("*.parquet")] and (exported / "runs.csv").exists()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.tex").touch()
    with pytest.raises(RunnerError, match=r"no export: it has `chapter\.tex`"):
        export(store, str(tmp_path / "thesis"), "parquet", [], [])
    assert {each.name for each in tmp_path.iterdir()} == {"export", "thesis"}


def test_an_export_to_a_url_comes_back(store: Path, tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}/lake"
    for _ in range(2):
        export(store, url, "parquet", [], [])
    assert f"/{tmp_path.name}/lake/export.json" in fsspec.filesystem("memory").ls(
        f"/{tmp_path.name}/lake", detail=False
    )
    bring(tmp_path / "new", [url])
    assert stored(tmp_path / "new") == stored(store)


def test_a_folder_of_results_is_imported_without_its_models(store: Path, tmp_path: Path) -> None:
    assert len(bring(tmp_path / "new", [str(store)]).new) == 4
    assert (tmp_path / "new/runs/one-a/finished.json").exists() and not (tmp_path / "new/runs/one-a/model").exists()
    assert stored(tmp_path / "new") == stored(store)


def test_a_run_that_has_another_history_here_is_named_with_the_export(exported: Path, tmp_path: Path) -> None:
    log_of(tmp_path / "new", "two").write("dream")
    merged = bring(tmp_path / "new", [str(exported)])
    assert merged.conflicts == [{"run": "two", "place": str(exported), "line": 1}]
    assert merged.new == ["one-a", "one-b", "planned"]


# What is no export, or is damaged.


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda export: shutil.rmtree(export), "there is no such folder"),
        (lambda export: (export / "export.json").unlink(), "no export: it has `answers`, `artifacts`"),
        (lambda export: (export / "export.json").write_text("[1]"), "is another file"),
        (lambda export: (export / "export.json").write_text('{"export": 2, "format": "x", "rows": {}, "version": "9"}'), "newer runner, version 9"),
        (lambda export: shutil.rmtree(export / "logs"), "`logs` has 0 rows, not the"),
        (lambda export: shutil.rmtree(export / "logs/experiment=unnamed"), "`logs` has"),
        (lambda export: flip(export / "logs/experiment=unnamed/data_0.parquet"), "is damaged"),
        (lambda export: (export / "files/experiment=unnamed/data_0.parquet").write_text("no"), "is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_whole_export_is_refused(exported: Path, tmp_path: Path, how: Any, words: str) -> None:
    how(exported)
    with pytest.raises(RunnerError, match=words):
        bring(tmp_path / "new", [str(exported)])
    assert not (tmp_path / "new/runs").exists()


def test_csv_does_not_come_back_and_says_what_does(store: Path, tmp_path: Path) -> None:
    export(store, str(tmp_path / "export"), "csv", [], [])
    with pytest.raises(RunnerError, match="is csv, which has no logs"):
        bring(tmp_path / "new", [str(tmp_path / "export")])


@pytest.mark.parametrize("name", ["../evil", "..", ".hidden", "a/b", "", "a\\b"])
@pytest.mark.parametrize("column", ["run", "path"])
def test_an_export_that_would_write_elsewhere_is_refused(
    exported: Path, tmp_path: Path, name: str, column: str
) -> None:
    import pyarrow.parquet as pq

    file = exported / "files/experiment=gr%C3%B6%C3%9Fe%201%2F2/data_0.parquet"
    rows = pq.read_table(file, partitioning=None)
    pq.write_table(rows.set_column(rows.column_names.index(column), column, [[name]]), file)
    with pytest.raises(RunnerError, match="names a file that no run has"):
        bring(tmp_path / "new", [str(exported)])
    assert {each.name for each in tmp_path.iterdir()} == {"export", "new"}


# CSV.


def cells(place: Path, name: str) -> list[dict[str, str]]:
    with (place / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_no_text_in_csv_is_a_formula_and_numbers_stay_numbers(store: Path, tmp_path: Path) -> None:
    place = tmp_path / "export"
    export(store, str(place), "csv", [], ["two"])
    values = {row["name"]: row["value"] for row in cells(place, "params")}
    assert values == {"label": f"'{ODD}", "rate": "-0.5", "negative": "-1e-3", "formula": "'@SUM(A1)"}
    losses = [row["value"] for row in cells(place, "metrics") if row["metric"] == "loss"]
    assert sorted(losses) == ["", "-inf", "1e-300", "inf", "nan"]
    assert cells(place, "failures")[0]["message"] == "'+cmd|' /C calc'!A0"
    assert {path.stem for path in place.glob("*.csv")} == TABLES.keys() - {"offsets"}


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("=+-@'\t\r\n＝1.e")))
@example("'=1")
@example("''=1")
@example("-1=2")
@example("1\n=2")
@settings(max_examples=300, deadline=None, database=None)
def test_guarded_texts_are_no_formulas_and_can_be_read_back(memory: duckdb.DuckDBPyConnection, text: str) -> None:
    ((shown,),) = memory.execute(f"SELECT {guarded('x')} FROM (SELECT $text AS x)", {"text": text}).fetchall()
    if shown and shown[0] in "=+-@\t\r\n＝＋－＠":
        float(shown)
    back = shown[1:] if shown.startswith("'") and re.match(FORMULA, shown) else shown
    assert back == text
