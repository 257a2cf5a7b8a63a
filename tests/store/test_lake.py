"""What docs/scaling.md says of other engines, carried out: those that are packages here, and servers where they are."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from runner.store.export import export
from tests.store.runs import run

TEXT = (Path(__file__).parents[2] / "docs/scaling.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SQL = dict(re.findall(r"```sql\n-- (\w+)\n(.*?)```", TEXT, re.DOTALL))
PYTHON = os.environ.get("RUNNER_LAKE", "")  # has duckdb 1.5 and packages of its extensions; `make test-lake` makes it
CATALOGUE = os.environ.get("RUNNER_CATALOGUE", "")  # such as postgres:host=/run/postgresql dbname=team; else a file
needed = pytest.mark.skipif(not PYTHON, reason="needs DuckDB 1.5 with its extensions: `make test-lake`")

CONNECT = """
import duckdb, importlib, pathlib

def connect():
    con = duckdb.connect()
    for name in ("httpfs", "ducklake", "postgres_scanner", "quack"):
        folder = pathlib.Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
        (file,) = folder.glob(f"extensions/*/{name}.duckdb_extension")
        con.execute(f"LOAD '{file}'")
    return con
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where `results/lake` is an export of two experiments."""
    run(tmp_path / "results", "quickstart-s1", experiment="quickstart", scores={"macro_f1": 0.5})
    run(tmp_path / "results", "films-s1", experiment="films", scores={"macro_f1": 0.25})
    export(tmp_path / "results", str(tmp_path / "results/lake"), "parquet", [], [])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_duckdb_polars_and_pandas_read_an_export_as_the_document_says(place: Path) -> None:
    pytest.importorskip("polars")
    found: dict[str, object] = {}
    for code in CODE:
        exec(code, found)
    assert found["best"] == [
        ("films", "films-s1", "mood", "macro_f1", 0.25),
        ("quickstart", "quickstart-s1", "mood", "macro_f1", 0.5),
    ]
    assert len(CODE) == 3 and found["last"].is_empty()  # type: ignore[attr-defined]
    assert {*found["params"]["run"]} == {"quickstart-s1"}  # type: ignore[index]


def asked(place: Path, program: str) -> list[str]:
    """The lines that a program prints which the other Python runs."""
    words = [PYTHON, "-c", CONNECT + program]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needed
def test_a_quack_server_answers_those_who_have_its_token(place: Path) -> None:
    program = f"""
server, client, stranger = connect(), connect(), connect()
server.execute({SQL["server"]!r})
print(sorted(client.execute({SQL["client"]!r}).fetchall()))
try:
    stranger.execute({SQL["client"].replace("sesame", "guess")!r})
except duckdb.Error as error:
    print(error)
server.execute("CALL quack_stop('quack:localhost:19494')")
"""
    rows, refused = asked(place, program)
    assert rows == "[('films', 'mood', 'macro_f1', 0.25), ('quickstart', 'mood', 'macro_f1', 0.5)]"
    assert "Authentication failed" in refused


@needed
def test_a_lake_takes_exports_again_and_again(place: Path) -> None:
    sql = SQL["lake"].replace("results/catalogue.ducklake", CATALOGUE or "results/catalogue.ducklake")
    program = f"""
for _ in range(2):
    print(sorted(connect().execute({sql!r}).fetchall()))
"""
    assert asked(place, program) == ["[('films', 1), ('quickstart', 1)]"] * 2
