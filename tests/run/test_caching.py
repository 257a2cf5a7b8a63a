"""`runner cache` beside a run in another process, and about specs whose data are not prepared yet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cache.cache import Cache
from runner.cache.entries import Contents, in_use
from runner.cache.lease import opened
from runner.errors import RunnerError
from runner.run.caching import bytes_of, collected, facts_gc, gc, seconds_of, sized
from runner.run.explaining import facts
from tests.conftest import events

PAUSED = """
import importlib, sys

def pausing(module, name):
    found = importlib.import_module(module)
    real = getattr(found, name)

    def paused(*given, **more):
        print(name, flush=True)
        sys.stdin.readline()
        return real(*given, **more)

    setattr(found, name, paused)

pausing("runner.run.trial", "encoded")
pausing("runner.run.trial", "trained")
pausing("runner.run.trial", "scored")
sys.argv = ["runner", *sys.argv[1:]]
importlib.import_module("runner.__main__").main()
"""


@pytest.mark.slow
def test_a_collection_while_a_run_goes_on_takes_nothing_of_it(tiny: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    words = [sys.executable, "-c", PAUSED, "run", str(tiny), "--json", "--results", str(results)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin is not None and run.stdout is not None
        for moment, stages in (("encoded", 4), ("trained", 6), ("scored", 6)):
            assert run.stdout.readline() == f"{moment}\n"
            entries = Contents(results / "cache").entries
            assert len({each.stage for each in entries}) == stages
            assert in_use(results / "cache", entries) == {each.folder for each in entries}
            done = gc(results / "cache", "0", "", dry_run=False)
            assert done.removed == [] and done.spared == len(entries)
            run.stdin.write("\n")
            run.stdin.flush()
        found = json.loads(run.stdout.read())
        assert run.wait() == 0
    assert events(results, found[0]["run"])[-1]["state"] == "finished"
    gc(results / "cache", "0", "", dry_run=False)
    assert Contents(results / "cache").entries == []


def test_a_spec_is_explained_without_building(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "cache"
    (told,) = facts(str(tiny), folder)["data"].values()
    assert [(each["stage"], each["split"], each["state"]) for each in told] == [
        ("read", "train", "miss"), ("clean", "train", "miss"), ("read", "validation", "miss"),
        ("clean", "validation", "miss"), ("read", "test", "miss"), ("clean", "test", "miss"), ("split", "", "miss"),
        ("encode", "", "unknown"),
    ]  # fmt: skip
    assert not Contents(folder).entries and told[0]["file"] == "train.csv"


def test_what_is_explained_is_what_a_run_looks_up(tiny: Path, tmp_path: Path) -> None:
    from runner.run.experiment import prepare

    more = 'balance = "oversample"\nbalance_by = "label"\naugment = [{ type = "swap_words" }]\ntest = "test.csv"'
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', more), encoding="utf-8")
    plan = prepare(tiny, tmp_path / "results")
    folder = tmp_path / "results" / "cache"
    (told,) = facts(str(tiny), folder)["data"].values()
    steps = {step.key: step.cached for step in plan.trials[0].steps if step.name.split()[0] not in ("train", "evaluate", "export")}  # fmt: skip
    assert {each["key"]: each["state"] == "hit" for each in told if each["stage"] != "read"} == steps
    before = [(each.folder, each.used) for each in Contents(folder).entries]
    facts(str(tiny), folder)
    assert [(each.folder, each.used) for each in Contents(folder).entries] == before


def test_an_edit_is_explained(tiny: Path, tmp_path: Path) -> None:
    from runner.run.experiment import prepare

    prepare(tiny, tmp_path / "results")
    tiny.write_text(tiny.read_text(encoding="utf-8").replace('test = "test.csv"', 'test = "test.csv"\nclean = [{ type = "lowercase" }]'), encoding="utf-8")  # fmt: skip
    (told,) = facts(str(tiny), tmp_path / "results" / "cache")["data"].values()
    states = {(each["stage"], each["split"]): each["why"] for each in told}
    assert states["read", "train"].startswith("hit: built 20")
    assert states["clean", "train"] == "miss: `lowercase` is new"


def test_every_stage_says_what_an_edit_does_to_it(tiny: Path, tmp_path: Path) -> None:
    from runner.run.experiment import prepare

    written = tiny.read_text(encoding="utf-8")
    more = """test = "test.csv"
clean = [{ type = "near_duplicates", threshold = THRESHOLD, files = ["train"] }]
balance = "oversample"
balance_by = "label"
augment = [{ type = "swap_words", share = 0.3 }]"""
    spec = written.replace('test = "test.csv"', more)
    tiny.write_text(spec.replace("THRESHOLD", "0.8"), encoding="utf-8")
    prepare(tiny, tmp_path / "results")
    tiny.write_text(spec.replace("THRESHOLD", "0.7").replace("share = 0.3", "share = 0.5"), encoding="utf-8")
    with (tmp_path / "train.csv").open("a", encoding="utf-8") as train:
        train.write((tmp_path / "train.csv").read_text(encoding="utf-8").splitlines()[1] + " again\n")
    (told,) = facts(str(tiny), tmp_path / "results" / "cache")["data"].values()
    assert [(each["stage"], each["split"], each["why"]) for each in told if each["state"] == "miss"] == [
        ("read", "train", "miss: the contents of the file differ"),
        ("clean", "train", "miss: the rows that go in differ, `near_duplicates.threshold` was 0.8, now 0.7"),
        ("split", "", "miss: the rows of `train` that go in differ"),
    ]
    assert {each["state"] for each in told if each["stage"] in ("balance", "augment", "encode")} == {"unknown"}


def test_an_entry_is_explained(tiny: Path, tmp_path: Path) -> None:
    from runner.run.experiment import prepare

    prepare(tiny, tmp_path / "results")
    folder = tmp_path / "results" / "cache"
    split = next(each for each in Contents(folder).entries if each.stage == "split")
    found = facts(split.key[:10], folder)
    assert found["files"] == ["test.csv", "train.csv", "validation.csv"]
    assert {each["stage"] for each in found["made_from"]} == {"clean"} and found["needed_by"] == []
    assert found["in_use"] and found["inputs"]["leakage"] == "drop"
    above = facts(found["made_from"][0]["key"], folder)
    assert [each["key"] for each in above["needed_by"]] == [split.key]


@pytest.mark.parametrize("wanted", ["tiny.tom", "tiny.tml", "tiny", "specs/tiny"])
def test_a_file_that_is_not_there(wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = (tmp_path / wanted).parent
    folder.mkdir(exist_ok=True)
    (folder / "tiny.toml").write_text("", encoding="utf-8")
    with pytest.raises(RunnerError) as wrong:
        facts(wanted, tmp_path / "cache")
    assert wrong.value.message == f"no such file `{wanted}`"
    assert wrong.value.hint == f"did you mean `tiny.toml`? `{folder}` holds: tiny.toml"


def test_what_is_neither_a_file_nor_an_entry(tmp_path: Path) -> None:
    for wanted in ("clean/0123", "0123", ""):
        with pytest.raises(RunnerError, match=f"no entry `{wanted}`"):
            facts(wanted, tmp_path)


def test_explaining_says_what_a_damaged_entry_is(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (cache.make("read", "k", lambda entry: {}, {}) / "manifest.json").unlink()
    found = facts("read/k", tmp_path)
    assert (found["damaged"], found["from"], found["rows"]) == (True, "damaged", None)


def test_what_a_collection_removes_is_shown_as_it_is_listed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for stage, key, inputs in (
        ("clean", "c" * 64, {"file": "a" * 64, "clean": [{"type": "lowercase"}]}),
        ("read", "a" * 64, {"file": "a.csv"}),
        ("read", "b" * 64, {"file": "b.csv"}),
    ):
        cache.make(stage, key, lambda entry: {"rows": 1234}, inputs)
    opened.cache_clear()
    bytes = {each.key[0]: each.bytes for each in Contents(tmp_path).entries}
    sizes = {key: sized(size) for key, size in bytes.items()}
    total = sized(sum(bytes.values()))
    told = [line.split() for line in collected(gc(tmp_path, "0", "", dry_run=True), dry_run=True).splitlines()]
    why = ["least", "recently", "used"]
    sums = {line[0]: line[1] for line in told if line[2:4] == ["would", "remove"]}
    assert told[0] == ["stage", "key", "rows", "size", "why", "from"]
    assert sorted(line for line in told[1:3]) == [
        ["read", "aaaaaaaa", "1,234", sizes["a"], *why, "a.csv"],
        ["read", "bbbbbbbb", "1,234", sizes["b"], *why, "b.csv"],
    ]
    assert told[4] == ["clean", "cccccccc", "1,234", sizes["c"], *why, "a.csv:", "lowercase"]
    assert sums == {"read": sized(bytes["a"] + bytes["b"]), "clean": sizes["c"]}
    assert told[-1] == ["would", "remove", total, "in", "all;", "entries", "of", "0B", "would", "stay"]
    removed = facts_gc(gc(tmp_path, "0", "", dry_run=True), dry_run=True)["removed"]
    assert {each["source"] for each in removed if each["what"] == "entry"} == {"a.csv", "b.csv", "a.csv: lowercase"}


@pytest.mark.parametrize(("written", "bytes"), [("0", 0), ("1500", 1500), ("2 kB", 2000), ("5GB", 5 * 10**9), ("1.5GiB", 3 << 29)])  # fmt: skip
def test_sizes(written: str, bytes: int) -> None:
    assert bytes_of(written) == bytes


@pytest.mark.parametrize(("written", "seconds"), [("0d", 0), ("12h", 43_200), ("30d", 2_592_000), ("2 w", 1_209_600)])
def test_ages(written: str, seconds: float) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize("written", ["", "5", "d", "-1d", "1.5d", "3m", "9999999d", "five days", "١d"])
def test_no_age(written: str) -> None:
    with pytest.raises(RunnerError, match="is no age"):
        seconds_of(written)


@pytest.mark.parametrize("written", ["", "-1", "many", "5XB", "GB", "1e3", "nan"])
def test_no_size(written: str) -> None:
    with pytest.raises(RunnerError, match="is no size"):
        bytes_of(written)
