"""Runs of several folders come together: laws over histories that were shared, told apart and cut anywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.store import merge as module
from runner.store import transfer
from runner.store.elsewhere import Elsewhere, elsewhere
from runner.store.ingest import catch_up
from runner.store.merge import Merged, alone, merge, take_all
from runner.store.story import GRID
from tests.store.conftest import ask, clear, content, file_of, log_of, stored
from tests.store.runs import run

HISTORY = [
    b'{"event":"run_started","run":"r","attempt":1,"time":1.0,"name":"toy","pid":7,"host":"elsewhere"}\n',
    b'{"event":"metrics","run":"r","attempt":1,"time":2.0,"step":1,"values":{"loss":"NaN","acc":"Infinity"}}\n',
    "{“no JSON at all\n".encode(),
    b'{"event":"failure","run":"r","attempt":1,"time":3.0,"kind":"E","message":"\\u00fc"}\n',
    b"\n",
    b'{"event":"run_finished","run":"r","attempt":1,"time":4.0,"state":"finished","seconds":3.0}\n',
]


def enrolled(grid: str, time: float, place: int = 0) -> bytes:
    fields = f'"time":{time},"grid":"{grid}","grid_key":"k","position":{place},"point":{{"seed":{place}}}'
    return b'{"event":"grid","run":"r","attempt":0,' + fields.encode() + b"}\n"


grids = st.lists(
    st.builds(enrolled, st.sampled_from("ab"), st.integers(0, 9).map(float), st.integers(0, 1)), max_size=3
)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    """A log of a run at some moment: so much of its history, and what this machine said of grids, in any order."""
    lines = HISTORY[: draw(st.integers(0, len(HISTORY)))]
    for line in draw(grids):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return b"".join(lines)


places = st.dictionaries(st.sampled_from(["r", "s", "t"]), logs(), max_size=3)


def laid(folder: Path, runs: dict[str, bytes]) -> Path:
    """A folder of results with these logs."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "runs").mkdir(parents=True)
    for name, log in runs.items():
        file_of(folder, name).write_bytes(log)
    return folder


def brought(results: Path, *others: Path) -> Merged:
    """Merge without a database."""
    merged = Merged()
    with alone(results):
        for other in others:
            take_all(results, elsewhere(str(other)), merged, models=True)
    return merged


def told(results: Path) -> dict[str, bytes]:
    return {log.parent.name: log.read_bytes() for log in (results / "runs").glob("*/log.jsonl")}


def tables(con: Any, results: Path) -> dict[str, list[str]]:
    """What the logs say, but for how far they were read and where in them a bad line stands."""
    clear(con)
    catch_up(con, results)
    con.execute("UPDATE bad_lines SET position = 0")
    return {name: rows for name, rows in content(con).items() if name != "offsets"}


def law(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, database=None)


@given(one=places, other=places)
@law(20)
def test_the_order_of_merging_does_not_matter_and_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, memory: Any, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    base = tmp_path_factory.mktemp("order")
    a, b, c, d = (laid(base / str(n), runs) for n, runs in enumerate((one, other, one, other)))
    merged = brought(a, b)
    assert not merged.conflicts
    assert merged.new == sorted(other.keys() - one.keys())
    brought(d, c)
    assert tables(memory, a) == tables(memory, d)
    before = told(a)
    for place in (b, d):
        again = brought(a, place)
        assert (again.new, again.grown, again.conflicts) == ([], [], [])
    assert told(a) == before


@given(ours=logs(), theirs=logs(), data=st.data())
@law(60)
def test_killed_anywhere_and_repeated_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, ours: bytes, theirs: bytes, data: st.DataObject
) -> None:
    base = tmp_path_factory.mktemp("killed")
    a, b = laid(base / "a", {"r": ours}), laid(base / "b", {"r": theirs})
    brought(a, b)
    whole = file_of(a, "r").read_bytes()
    assert whole.startswith(ours)
    file_of(a, "r").write_bytes(whole[: data.draw(st.integers(len(ours), len(whole)))])
    brought(a, b)
    assert file_of(a, "r").read_bytes() == whole


@given(ours=logs(), line=st.integers(0, 5))
@law(30)
def test_another_history_is_named_and_left(tmp_path_factory: pytest.TempPathFactory, ours: bytes, line: int) -> None:
    base = tmp_path_factory.mktemp("other")
    lines = ours.splitlines(keepends=True)
    place = min(line, len(lines) - 1)
    if place < 0 or lines[place].startswith(GRID):
        return
    theirs = b"".join([*lines[:place], b'{"event":"dream"}\n', *lines[place + 1 :]])
    a, b = laid(base / "a", {"r": ours}), laid(base / "b", {"r": theirs})
    assert brought(a, b).conflicts == [{"run": "r", "place": str(b), "line": place + 1}]
    assert told(a) == {"r": ours} and told(b) == {"r": theirs}


def models(results: Path, name: str) -> None:
    """What a finished run leaves beside its log, and what its process left."""
    for file in ("finished.json", "spec.toml", "model/heads/mood.safetensors", ".lock", "leave", "model/.x.part"):
        path = results / "runs" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{file} of {name}")


def files(results: Path, name: str) -> set[str]:
    folder = results / "runs" / name
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} - {".lock"}


def test_runs_come_with_their_files_and_rows(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run(a, "one"), run(b, "two", experiment="täglich"), run(b, "three", state="running")
    models(b, "two")
    merged = merge(a, [str(b)])
    assert merged.facts() == {"new": ["three", "two"], "grown": [], "busy": [], "conflicts": [], "same": 0}
    assert files(a, "two") == {"log.jsonl", "finished.json", "spec.toml", "model/heads/mood.safetensors"}
    assert ask(a, "SELECT run, name, state FROM runs ORDER BY run") == [
        ("one", "toy", "finished"),
        ("three", "toy", "running"),
        ("two", "täglich", "finished"),
    ]
    log_of(b, "three").write("run_finished", state="failed", seconds=3.0)
    assert merge(a, [str(b)]).facts() == {"new": [], "grown": ["three"], "busy": [], "conflicts": [], "same": 1}
    assert ask(a, "SELECT state FROM runs WHERE run = 'three'") == [("failed",)]


def test_models_stay_where_they_are_until_they_are_wanted(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run(b, "two")
    models(b, "two")
    merge(a, [str(b)], models=False)
    assert files(a, "two") == {"log.jsonl", "finished.json", "spec.toml"}
    assert merge(a, [str(b)], models=False).same == 1
    assert merge(a, [str(b)]).grown == ["two"]
    assert "model/heads/mood.safetensors" in files(a, "two")
    assert merge(a, [str(b)]).same == 1


def test_a_later_state_brings_its_files_but_an_earlier_one_takes_none_back(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for results in (a, b):
        log_of(results).write("dream", n=1)
        (results / "runs/demo/spec.toml").write_text(f"of {results.name}")
    log_of(b).write("dream", n=2)
    assert merge(b, [str(a)]).same == 1
    assert (b / "runs/demo/spec.toml").read_text() == "of b"
    assert merge(a, [str(b)]).grown == ["demo"]
    assert (a / "runs/demo/spec.toml").read_text() == "of b"


def test_machines_that_shared_a_grid_have_one_grid_afterwards(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for clock, (results, mine) in enumerate([(a, "r0"), (b, "r1")]):
        for place in (0, 1):
            log = log_of(results, f"r{place}", 0)
            log.write("grid", grid="g", grid_key="k", position=place, point={"seed": place}, time=float(clock))
        run(results, mine, experiment="g")
    assert [merge(a, [str(b)]).conflicts, merge(b, [str(a)]).conflicts] == [[], []]
    members = "SELECT run, position, state, time FROM grid_trials LEFT JOIN runs USING (run) ORDER BY position"
    found = ask(a, members)
    assert [row[:3] for row in found] == [("r0", 0, "finished"), ("r1", 1, "finished")]
    assert ask(b, members) == found


def test_a_run_that_is_worked_on_here_is_left(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    log_of(a).write("dream", n=1)
    merge(b, [str(a)])
    log_of(b).write("dream", n=2)
    with FileLock(a / "runs/demo/.lock"):
        merged = merge(a, [str(b)])
        assert merged.busy == ["demo"] and "`demo` is being worked on here" in module.told(merged)
    assert merge(a, [str(b)]).grown == ["demo"]


def test_a_place_that_fsspec_knows_serves_as_well(tmp_path: Path) -> None:
    run(tmp_path / "b", "two")
    models(tmp_path / "b", "two")
    system = fsspec.filesystem("memory")
    system.put(str(tmp_path / "b"), f"/{tmp_path.name}/team", recursive=True)
    url = f"memory://{tmp_path.name}/team"
    assert merge(tmp_path / "a", [url]).new == ["two"]
    assert merge(tmp_path / "a", [f"file://{tmp_path / 'b'}", url]).same == 2
    assert "model/heads/mood.safetensors" in files(tmp_path / "a", "two")


def test_folders_with_odd_names_are_found(tmp_path: Path) -> None:
    odd = tmp_path / "a [1] *ü"
    run(odd, "one")
    assert merge(tmp_path / "b", [str(odd)]).new == ["one"]


def test_nothing_is_copied_where_one_place_is_wrong(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run(b, "two")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.tex").touch()
    for place, words in {
        str(tmp_path / "gone"): "there is no such folder",
        str(tmp_path / "thesis"): "it has `chapter.tex`",
        f"{a}/../a": "the very folder",
        "nosuch://x": "is no place that can be read",
    }.items():
        (a / "runs").mkdir(parents=True, exist_ok=True)
        with pytest.raises(RunnerError, match=words):
            merge(a, [str(b), place])
    assert told(a) == {}


def test_a_merge_that_was_killed_while_copying_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run(b, "two")
    models(b, "two")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(transfer, "copy", full)
        with pytest.raises(RunnerError, match="No space left on device"):
            merge(a, [str(b)])
    assert told(a) == {}
    assert merge(a, [str(b)]).new == ["two"]
    assert not (a / ".merge").exists()


def test_a_state_that_vanishes_while_it_is_copied_is_left_for_the_next_merge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    run(b, "two", state="running")
    models(b, "two")
    listed = Elsewhere.files

    def also_old(self: Elsewhere, run: str, *, models: bool) -> dict[str, str]:
        return listed(self, run, models=models) | {"state/old.pt": f"{b}/runs/two/state/old.pt"}

    monkeypatch.setattr(Elsewhere, "files", also_old)
    assert merge(a, [str(b)]).new == ["two"]
    assert "model/heads/mood.safetensors" in files(a, "two") and "state/old.pt" not in files(a, "two")


# Each moment is a statement that makes a merge kill itself when it gets there.
MOMENTS = {
    "while a log is copied": "transfer.append = half",
    "before a new run is renamed into place": "Path.rename = die",
    "while files are copied": "other.Elsewhere.files = die",
    "between two files": "Path.replace = die",
    "between the log and the mark of a finished run": "transfer.append = lambda *of: (append(*of), die())",
    "before the rows": "module.ingest = die",
}
MERGER = """
import os, signal, sys
from pathlib import Path
from runner.store import elsewhere as other, merge as module, transfer
import pyarrow

append = transfer.append

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def half(log, lines):
    with log.open("ab") as stream:
        for line in lines:
            stream.write(line[: len(line) // 2])
            stream.flush()
            die()

for results, place, moment in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    child = os.fork()
    if not child:
        exec(moment)
        module.merge(Path(results), [place])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_merge_that_was_killed_at_any_moment_is_ended_by_the_next(tmp_path: Path) -> None:
    there = tmp_path / "there"
    run(there, "new")
    log_of(there, "longer").write("dream", n=1)
    cases = {f"{moment}, {kind}": (moment, kind) for moment in MOMENTS for kind in ("new", "longer")}
    cases.pop("before a new run is renamed into place, longer")
    folders = {case: tmp_path / case for case in cases}
    for case, (_, kind) in cases.items():
        merge(folders[case], [str(there)])
        if kind == "new":
            shutil.rmtree(folders[case] / "runs/new")
    log_of(there, "longer").write("dream", n=2)
    for name in ("new", "longer"):
        models(there, name)
    merge(tmp_path / "whole", [str(there)])
    words = [word for case, (moment, _) in cases.items() for word in (str(folders[case]), str(there), MOMENTS[moment])]
    done = subprocess.run([sys.executable, "-c", MERGER, *words], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["-9"] * len(cases), done.stderr
    for case, folder in folders.items():
        merge(folder, [str(there)])
        assert told(folder) == told(there), case
        assert stored(folder) == stored(tmp_path / "whole"), case
        assert [files(folder, name) for name in ("new", "longer")] == [
            files(tmp_path / "whole", name) for name in ("new", "longer")
        ]
