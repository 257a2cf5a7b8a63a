"""What Python programs and notebooks use: nothing is loaded before it is asked for, rows in every form, typed helpers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import runner
from runner import python
from runner.errors import RunnerError
from tests.store import runs as made
from tests.store.conftest import log_of
from tests.store.runs import GOLD, said

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of an experiment; no test adds to them."""
    results = tmp_path_factory.mktemp("store")
    made.run(results, "one-s1", said(GOLD, [0, 1, 2, 3]), experiment="one", seed=1)
    made.run(results, "one-s2", said(GOLD, [5]), experiment="one", seed=2)
    log_of(results, "one-s1").write("metrics", step=3, epoch=1.0, split="validation", values={"mood.accuracy": 0.5})
    return results


def fresh(program: str) -> str:
    """What a fresh process prints."""
    words = [sys.executable, "-c", program]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_runner_loads_nothing() -> None:
    new = "[name for name in set(sys.modules) - before if name.split('.')[0] not in sys.stdlib_module_names]"
    assert fresh(f"import sys; before = set(sys.modules); import runner; print({new})") == "['runner']"


def test_asking_for_results_loads_no_heavy_library(tmp_path: Path) -> None:
    heavy = ("torch", "lightning", "transformers", "peft", "datasets", "sklearn", "pandas", "polars")
    asked = f"from runner import results; results({str(tmp_path)!r}).sql('SELECT 1 AS one').fetchall()"
    assert fresh(f"import sys; {asked}; print([name for name in {heavy!r} if name in sys.modules])") == "[]"


def test_what_is_no_part_of_it_is_no_attribute() -> None:
    assert not hasattr(runner, "resuls")
    assert {"Results", "Rows", "results"} <= set(runner.__all__)
    for name in runner.__all__:
        assert getattr(runner, name) is not None


@pytest.mark.slow
def test_type_checkers_know_what_it_gives(tmp_path: Path) -> None:
    from mypy import api

    file = tmp_path / "use.py"
    file.write_text(
        "from runner import results\nreveal_type(results('x').sql('SELECT 1').fetchall())\n", encoding="utf-8"
    )
    own = [str(ROOT / "runner" / name) for name in ("__init__.py", "python.py")]  # and nothing that these import
    told, *_ = api.run([str(file), *own, "--follow-imports=skip", "--config-file=", "--cache-dir", str(tmp_path)])
    assert 'Revealed type is "list[tuple[Any, ...]]"' in told.replace("builtins.", ""), told


def test_rows_in_every_form(store: Path) -> None:
    rows = runner.results(store).sql("SELECT run, seed FROM runs ORDER BY run")
    assert rows.fetchall() == [("one-s1", 1), ("one-s2", 2)] and len(rows) == 2
    assert rows.dicts() == [{"run": "one-s1", "seed": 1}, {"run": "one-s2", "seed": 2}]
    assert rows.arrow().column_names == ["run", "seed"]
    assert rows.df()["seed"].tolist() == [1, 2] and rows.pl()["seed"].to_list() == [1, 2]
    assert "one-s2" in repr(rows)


def test_a_notebook_shows_texts_as_texts(store: Path) -> None:
    shown = runner.results(store).sql("SELECT '<b>&' AS \"<i>\", NULL AS none")._repr_html_()
    assert shown == (
        "<table><thead><tr><th>&lt;i&gt;</th><th>none</th></tr></thead>"
        "<tbody><tr><td>&lt;b&gt;&amp;</td><td></td></tr></tbody></table>"
    )


def test_parameters_by_place_and_by_name(store: Path) -> None:
    results = runner.results(store)
    assert results.sql("SELECT run FROM runs WHERE seed = ?", [2]).fetchall() == [("one-s2",)]
    assert results.sql("SELECT run FROM runs WHERE seed = $seed", seed=1).fetchall() == [("one-s1",)]
    assert results.sql("SELECT run FROM runs WHERE seed = $seed", {"seed": 1}).fetchall() == [("one-s1",)]


def test_a_mistake_is_told_as_everywhere(store: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        runner.results(store).sql("FROM leaderbord")
    assert caught.value.hint == "did you mean `leaderboard`?"


def test_helpers(store: Path) -> None:
    results = runner.results(store)
    assert {row["run"] for row in results.runs().dicts()} == {"one-s1", "one-s2"}
    (lead,) = [row for row in results.leaderboard("one").dicts() if row["split"] == "test"]
    assert (lead["seeds"], lead["task"]) == (2, "mood")
    assert {row["metric"]: row["value"] for row in results.scores("one-s2").dicts()}["accuracy"] == 0.975
    assert [row["value"] for row in results.curve("one-s1", "accuracy").dicts()] == [0.5]
    found = results.compare("one-s1", "one-s2", resamples=50)
    assert found["a"]["runs"] == ["one-s1"] and found["scores"][0]["difference"] > 0


def test_a_connection_for_others_reads_only_and_so_do_its_cursors(store: Path) -> None:
    with runner.results(store).connect() as con:
        assert con.cursor().execute("SELECT count(*) FROM runs").fetchall() == [(2,)]
        assert con.cursor().execute("FROM curve('one-s1', 'accuracy')").fetchall()
        with pytest.raises(duckdb.Error, match="read-only"):
            con.execute("DELETE FROM runs")


@pytest.mark.parametrize("form", ["df", "pl"])
def test_what_lacks_a_package_says_which(store: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    package = {"df": "pandas", "pl": "polars"}[form]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RunnerError, match=f"`{package}`, which is not installed") as caught:
        getattr(runner.results(store).sql("SELECT 1"), form)()
    assert f"pip install {package}" in caught.value.hint


@pytest.mark.slow
def test_a_spec_is_carried_out_and_found_done(tiny: Path, tmp_path: Path) -> None:
    results = python.results(tmp_path / "results")
    (first,) = results.run(tiny, {"train.epochs": 1})
    (again,) = results.run(str(tiny), {"train.epochs": 1})
    assert again == {**first, "again": True}
    assert results.scores(first["run"]).dicts()


def test_the_document_works_and_knows_every_method(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "results").symlink_to(store)
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    for name in (name for name in vars(python.Results) if not name.startswith("_")):
        assert f"| `results.{name}(" in text, name
    for name in (name for name in vars(python.Rows) if not name.startswith("_")):
        assert f"`.{name}()`" in text, name
