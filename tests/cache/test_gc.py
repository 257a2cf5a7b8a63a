"""What `gc` removes and what it must leave alone: entries that other processes use, in real processes without sleeping."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from runner.cache import lease
from runner.cache.cache import Cache
from runner.cache.entries import Contents, ago, in_use, words
from runner.cache.gc import gc
from runner.errors import RunnerError

BEGIN = """
import sys
from pathlib import Path
from runner.cache.cache import Cache

cache = Cache(Path(sys.argv[1]))

def note(entry):
    (entry / "note.txt").write_text("whole")
    return {"rows": 1}

def say(word):
    print(word, flush=True)

"""


@contextmanager
def process(cache: Cache, code: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A process that talks over pipes; it is killed at the end if it has not ended before."""
    words = [sys.executable, "-c", BEGIN + textwrap.dedent(code), str(cache.folder), *more]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def heard(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().rstrip()


def tell(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def names(cache: Cache) -> list[str]:
    return [f"{each.stage}/{each.key}" for each in Contents(cache.folder).entries]


def build(cache: Cache, key: str, text: str = "note", used: float | None = None, **inputs: object) -> Path:
    """An entry as a process left it that has ended."""

    def write(entry: Path) -> dict[str, int]:
        (entry / "note.txt").write_text(text)
        return {"rows": 1}

    stage, _, key = key.rpartition("/")
    entry = cache.make(stage or "read", key, write, inputs)
    lease.opened.cache_clear()
    if used is not None:
        os.utime(entry, (used, used))
    return entry


def test_what_another_process_uses_stays_until_it_ends(cache):
    build(cache, "old")
    with process(cache, 'cache.find("read", "old"); cache.make("read", "new", note, {}); say("ready"); input(); '
                        'say((cache.find("read", "new") / "note.txt").read_text())') as child:  # fmt: skip
        assert heard(child) == "ready"
        entries = Contents(cache.folder).entries
        assert in_use(cache.folder, entries) == {each.folder for each in entries} != set()
        done = gc(cache.folder, max_size=0)
        assert (done.removed, done.spared) == ([], 2) and names(cache) == ["read/new", "read/old"]
        tell(child)
        assert heard(child) == "whole"
        child.wait()
    done = gc(cache.folder, max_size=0)
    assert {each.what for each in done.removed} == {"entry", "lock"} and (done.left, done.spared) == (0, 0)
    assert names(cache) == [] and [each.name for each in (cache.folder / "read").iterdir()] == [".locks"]


@pytest.mark.parametrize("use", ['cache.find("read", "k")', 'cache.make("read", "k", note, {})'])
def test_a_kill_ends_the_use(cache, use):
    build(cache, "k")
    with process(cache, f'{use}; say("ready"); input()') as child:
        assert heard(child) == "ready"
        assert gc(cache.folder, max_size=0).spared == 1
    assert gc(cache.folder, max_size=0, dry_run=True).spared == 0 and names(cache) == ["read/k"]


def test_what_is_being_built_stays_and_what_a_kill_left_goes(cache):
    code = """
        def halt(entry):
            (entry / "half").write_text("half")
            say("building")
            input()
            return note(entry)
        cache.make("read", "k", halt, {})
        say("built")
    """
    for end in ("finish", "kill"):
        with process(cache, code) as child:
            assert heard(child) == "building"
            assert gc(cache.folder, 0, 0).removed == []
            if end == "finish":
                tell(child)
                assert heard(child) == "built"
                child.wait()
        if end == "finish":
            assert [each.name for each in gc(cache.folder, 0).removed] == ["read/k", "read/.locks/k"]
    (left,) = (cache.folder / "read").glob(".k.*.tmp")
    assert sorted(each.what for each in gc(cache.folder, dry_run=True).removed) == ["lock", "remains"] and left.exists()
    gc(cache.folder)
    assert not left.exists() and not list((cache.folder / "read" / ".locks").iterdir())


def test_whoever_asks_while_an_entry_goes_gets_none_of_it(cache):
    entry = build(cache, "k", "old")
    held = lease.leases(cache.folder)
    code = 'say("asks"); entry = cache.make("read", "k", note, {}); say((entry / "note.txt").read_text())'
    with ExitStack() as stack:
        with held.alone("read", "k") as free:
            child = stack.enter_context(process(cache, code))
            assert free and heard(child) == "asks"
            entry.rename(entry.with_name(".gone"))
        assert heard(child) == "whole"


def test_users_and_collectors_at_once(cache):
    keys = [f"k{number}" for number in range(40)]
    for key in keys:
        build(cache, key)
    code = """
        for number in range(40):
            entry = cache.make("read", f"k{number}", note, {})
            for _ in range(5):
                assert (entry / "note.txt").read_text() in ("whole", "note")
        say("done")
        input()
    """
    with process(cache, code) as one, process(cache, code) as other:
        rounds = 0
        while (
            one.poll() is None
            and other.poll() is None
            and len(in_use(cache.folder, Contents(cache.folder).entries)) < 40
        ):
            gc(cache.folder, max_size=0)
            rounds += 1
        assert heard(one) == heard(other) == "done" and rounds
        assert gc(cache.folder, max_size=0).spared == 40


def test_what_we_use_ourselves_stays(cache):
    cache.make("read", "k", lambda entry: {}, {})
    assert gc(cache.folder, 0, 0).spared == 1
    assert in_use(cache.folder, Contents(cache.folder).entries) == {cache.folder / "read" / "k"}


def test_a_cache_that_was_thrown_away_by_hand_has_new_leases(cache):
    cache.make("read", "k", lambda entry: {}, {})
    cache.folder.rename(cache.folder.with_name("elsewhere"))
    cache.make("read", "k", lambda entry: {}, {})
    assert gc(cache.folder, 0).spared == 1
    with process(cache, 'say(sum(1 for _ in cache.folder.glob("read/k")))') as child:
        assert heard(child) == "1"


def test_the_least_recently_used_go_until_it_is_small_enough(cache):
    sizes = {}
    for age, key in enumerate(["newest", "b", "c", "oldest"]):
        build(cache, key, "x" * 1000, used=time.time() - 3600 * age)
    sizes = {each.key: each.bytes for each in Contents(cache.folder).entries}
    done = gc(cache.folder, max_size=sizes["newest"] + sizes["b"] + sizes["c"] - 1)
    told = [(each.name, each.why) for each in done.removed if each.what == "entry"]
    assert told == [("read/oldest", "least recently used"), ("read/c", "least recently used")]
    assert done.left == sizes["newest"] + sizes["b"] and names(cache) == ["read/newest", "read/b"]
    assert gc(cache.folder, max_size=done.left).removed == []


def test_age_goes_by_the_last_use(cache):
    for key in ("used again", "forgotten"):
        build(cache, key, used=time.time() - 86_400 * 40)
    assert cache.find("read", "used again")
    lease.opened.cache_clear()
    done = gc(cache.folder, older_than=86_400 * 30)
    told = [(each.name, each.why) for each in done.removed if each.what == "entry"]
    assert told == [("read/forgotten", "not used for long")]


@pytest.mark.parametrize("damage", ["truncated", "without a manifest", "of nonsense"])
def test_without_limits_only_what_is_of_no_use_goes(cache, damage):
    build(cache, "good", used=1)
    bad = build(cache, "bad", "long")
    if damage == "truncated":
        (bad / "note.txt").write_text("x")
    elif damage == "without a manifest":
        (bad / "manifest.json").unlink()
    else:
        (bad / "manifest.json").write_text('{"inputs": {}, "files": 3}')
    assert (
        words(next(each for each in Contents(cache.folder).entries if each.key == "bad"), Contents(cache.folder))
        == "damaged"
    )
    assert gc(cache.folder, dry_run=True).removed[0][:2] == ("entry", "read/bad") and bad.exists()
    done = gc(cache.folder)
    assert [(each.name, each.why) for each in done.removed if each.what == "entry"] == [("read/bad", "damaged")]
    assert names(cache) == ["read/good"]


def test_notes_about_files_that_are_gone_go(cache, put):
    from runner.cache.stat_index import file_hash

    there, gone = put("there.csv", "a"), put("gone.csv", "b")
    for file in (there, gone):
        file_hash(file, cache.folder / "stat")
    verdicts = cache.folder / "verdict"
    verdicts.mkdir()
    for name, files in (("kept", [there]), ("lost", [there, gone])):
        (verdicts / name).write_text(json.dumps({"files": {str(file): {} for file in files}}))
    (verdicts / "torn").write_text('{"files"')
    for name, age in (("fresh.tmp", 0), ("stale.tmp", 7200)):
        (verdicts / name).write_text("")
        os.utime(verdicts / name, (time.time() - age,) * 2)
    gone.unlink()
    removed = {
        each.name.split("/")[1]: each.why for each in gc(cache.folder).removed if each.name.startswith("verdict")
    }
    assert removed == {"lost": "its file is gone", "torn": "damaged", "stale.tmp": "never finished"}
    assert sorted(each.name for each in verdicts.iterdir()) == ["fresh.tmp", "kept"]
    assert [json.loads(each.read_bytes())["path"] for each in (cache.folder / "stat").iterdir()] == [str(there)]


def test_other_folders_are_left_alone(cache):
    build(cache, "k")
    (cache.folder / "models").mkdir()
    (cache.folder / "models" / "large").write_text("mine")
    gc(cache.folder, 0, 0)
    assert (cache.folder / "models" / "large").read_text() == "mine"


def test_no_cache_is_no_error_and_makes_none(cache):
    assert gc(cache.folder, 0) == ([], 0, 0) and not cache.folder.exists()


def test_what_was_made_from_what(load_data, put, cache):
    put("t.csv", "text,label\n" + "".join(f"{i * 7919} is {i * 104729},{'xy'[i % 2]}\n" for i in range(30)))
    load_data(train="t.csv", validation={"fraction": 0.2}, clean=[{"type": "lowercase"}], balance="oversample", augment=[{"type": "swap_words"}])  # fmt: skip
    contents = Contents(cache.folder)
    assert [each.stage for each in contents.entries] == ["read", "clean", "split", "balance", "augment"]
    parents = [[parent.stage for parent in contents.parents(each)] for each in contents.entries]
    assert parents == [[], ["read"], ["clean"], ["split"], ["balance", "split"]]
    told = [words(each, contents) for each in contents.entries]
    assert told == ["t.csv", "t.csv: lowercase", "t.csv", "t.csv: balance oversample", "t.csv: swap_words"]
    assert [each.stage for each in contents.children(contents.entries[1])] == ["split"]
    clean = contents.entries[1]
    assert contents.matching(f"clean/{clean.key[:6]}") == contents.matching(clean.key) == clean
    assert contents.matching("split").stage == "split" and contents.matching("clean/") == clean
    for wanted in ("nothing", "spilt", f"split/{clean.key}"):
        with pytest.raises(RunnerError, match=f"no entry `{wanted}`"):
            contents.matching(wanted)
    with pytest.raises(RunnerError) as wrong:
        contents.matching("spilt")
    assert wrong.value.hint == "did you mean the stage `split`? `runner cache ls` lists the entries"


def test_entries_of_one_split_say_which(load_data, put, cache, tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    from runner.data.encode import encode
    from runner.data.recipe import Recipe
    from runner.parts.tasks._form import Form
    from runner.profile.profiles import profiles

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    recipe = Recipe(Form(("text",)), tmp_path / "tokenizer.json", 8)
    put("t.csv", "text,label\n" + "".join(f"{i * 7919} is {i * 104729},{'xy'[i % 2]}\n" for i in range(30)))
    for more in ({}, {"balance": "oversample"}):
        loaded = load_data(train="t.csv", validation={"fraction": 0.2}, test={"fraction": 0.2}, **more)
        profiles(loaded, ["text"], ["label"], None, cache)
        for split, rows in loaded.splits.items():
            encode(rows, recipe, cache, {"rows": loaded.keys[split]})
    contents = Contents(cache.folder)
    for stage, more in (("profile", ""), ("encode", ", up to 8 tokens")):
        told = sorted(words(each, contents) for each in contents.entries if each.stage == stage)
        names = ("test", "train", "train", "validation")
        assert told == [f"t.csv: split {name}{more}" for name in names]
    assert not any(contents.splits(each) for each in contents.entries if each.stage not in ("profile", "encode"))


def test_several_entries_are_offered_by_keys_that_tell_them_apart(cache):
    for number in range(3):
        build(cache, f"read/{'a' * 9}{number}", used=number, file=f"{number}.csv")
    contents = Contents(cache.folder)
    with pytest.raises(RunnerError, match="`read` fits 3 entries") as wrong:
        contents.matching("read")
    names = [f"read/aaaaaaaaa{number} ({number}.csv)" for number in (2, 1, 0)]
    assert wrong.value.hint == f"name one: {', '.join(names)}"
    build(cache, "clean/aaaaaaaaa0")
    with pytest.raises(RunnerError, match="`aaaaaaaaa0` fits 2 entries"):
        Contents(cache.folder).matching("aaaaaaaaa0")
    for number in range(4):
        build(cache, f"read/b{number}", used=number, file="b.csv")
    with pytest.raises(RunnerError, match="`read/` fits 7 entries") as wrong:
        Contents(cache.folder).matching("read/")
    assert wrong.value.hint.endswith(", ...; `runner cache ls` lists all") and wrong.value.hint.count("read/") == 5


def test_ages_in_words():
    assert [ago(0, seconds) for seconds in (5, 61, 3 * 3600, 86_400 * 9, -5)] == ["5 s", "1 min", "3 h", "9 d", "0 s"]


def test_what_can_be_said_when_the_files_are_no_longer_known(cache):
    build(cache, "clean/k", file="0" * 64, clean=[{"type": "lowercase"}])
    build(cache, "written/k", type="paraphrase")
    contents = Contents(cache.folder)
    told = {each.stage: words(each, contents) for each in contents.entries}
    assert told == {"clean": "rows that are no longer cached: lowercase", "written": "paraphrase"}


def test_without_locks_entries_are_used_and_none_is_removed(cache, monkeypatch):
    def lockless(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lease.fcntl, "lockf", lockless)
    made = cache.make("clean", "a" * 64, lambda entry: {"rows": 1}, {"file": "x"})
    assert cache.find("clean", "a" * 64) == made
    gc(cache.folder, max_size=0)
    assert made.is_dir()
