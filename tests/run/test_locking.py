"""`runner lock` and `run --locked`: each kind of drift is named, what changes no result is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.data.packages import installed
from runner.errors import RunnerError
from runner.run.locking import held, lock, place
from tests.conftest import rows, write_csv


@pytest.fixture
def own(tiny: Path, encoder: Path) -> Path:
    """The tiny spec, locked, with a model of its own."""
    (tiny.parent / "encoder").unlink()
    shutil.copytree(encoder, tiny.parent / "encoder")
    lock(tiny, tiny.parent / "results")
    return tiny


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def refused(spec: Path) -> RunnerError:
    with pytest.raises(RunnerError) as caught:
        held(spec, spec.parent / "results")
    return caught.value


def lines(fault: RunnerError) -> list[str]:
    """What drifted, a kind and a name each, and the words after."""
    return [line.strip() for line in fault.message.splitlines()[1:]]


def test_what_is_as_it_was_is_held_and_its_lock_stays_byte_by_byte(own: Path) -> None:
    before = place(own).read_bytes()
    held(own, own.parent / "results")
    held(own, own.parent / "elsewhere")
    assert lock(own, own.parent / "other") == (own.with_suffix(".lock"), [])
    assert place(own).read_bytes() == before
    assert list(json.loads(before)) == ["beside", "data", "model", "packages", "spec", "trials"]


def test_words_that_change_no_result_are_no_drift(own: Path) -> None:
    edit(own, 'name = "tiny"', 'name = "tiny"\ndescription = "the same work"')
    edit(own, "threads = 1", "threads = 2")
    held(own, own.parent / "results")


def test_files_that_moved_are_no_drift(own: Path) -> None:
    for old, new in (("train.csv", "rows.csv"), ("encoder", "base")):
        shutil.move(own.parent / old, own.parent / new)
        edit(own, old, new)
    held(own, own.parent / "results")


def test_a_field_that_was_edited(own: Path) -> None:
    edit(own, "epochs = 3", "epochs = 4")
    fault = refused(own)
    assert lines(fault) == ["spec train.epochs: was 3, is 4; write it back"]
    assert fault.message.startswith(f"`{own}` has drifted from `{place(own)}`")
    assert fault.hint == f"mend it, or accept what is now: `runner lock {own}`"


def test_a_field_given_from_outside(own: Path) -> None:
    with pytest.raises(RunnerError, match=r"spec train\.epochs: was 3, is 9"):
        held(own, own.parent / "results", [("train.epochs", 9)])


def test_a_file_with_other_rows(own: Path) -> None:
    write_csv(own.parent / "test.csv", rows(24, 90))
    (told,) = lines(refused(own))
    assert told.startswith("data films test: was ") and told.endswith("; bring that file back")


def test_another_model(own: Path) -> None:
    edit(own.parent / "encoder/config.json", "0.02", "0.03")
    (told,) = lines(refused(own))
    assert told.startswith("model config.json: was ") and "bring that model back" in told


def test_a_tokenizer_that_says_other_ids(own: Path) -> None:
    edit(own.parent / "encoder/tokenizer.json", '"the"', '"café"')
    found = lines(refused(own))
    assert [each.split(":")[0] for each in found] == ["model probe", "model tokenizer.json"]


def test_a_file_that_an_augmentation_reads(own: Path) -> None:
    words = own.parent / "words.tsv"
    words.write_text("word\tsynonym\ngood\tfine\n", encoding="utf-8")
    part = '[{ type = "synonyms", table = "words.tsv" }]'
    edit(own, 'test = "test.csv"', f'test = "test.csv"\naugment = {part}')
    lock(own, own.parent / "results")
    words.write_text("word\tsynonym\ngood\tgreat\n", encoding="utf-8")
    (told,) = lines(refused(own))
    assert told.startswith("beside films words.tsv: was ")


@pytest.mark.parametrize(
    ("name", "now", "mend"),
    [("torch", "9.9", "`pip install torch=="), ("sacrebleu", None, "`pip install sacrebleu==")],
)
def test_a_package_of_another_version(
    own: Path, monkeypatch: pytest.MonkeyPatch, name: str, now: Any, mend: str
) -> None:
    monkeypatch.setattr("runner.run.pinned.installed", lambda package: now if package == name else installed(package))
    (told,) = lines(refused(own))
    assert told.startswith(f"packages {name}: was {installed(name)}, is {now or '-'}; {mend}")


def test_another_python_and_another_runner(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    monkeypatch.setattr("runner.run.pinned.__version__", "0.2.0")
    python, runner = lines(refused(own))
    assert python.startswith("packages python: was 3.") and "is 3.99.0; use python 3." in python
    assert runner == "packages runner: was 0.1.0, is 0.2.0; `pip install runner==0.1.0`"


def test_a_runner_that_makes_other_trials_of_the_same(own: Path) -> None:
    told = json.loads(place(own).read_bytes())
    told["trials"]["key"] = "0" * 64
    place(own).write_text(json.dumps(told), encoding="utf-8")
    (line,) = lines(refused(own))
    assert line.startswith("trials key: was 000000000000, is ")


def test_all_that_drifted_is_said_at_once_and_a_new_lock_says_what_it_accepts(own: Path) -> None:
    edit(own, "seed = 13", "seed = 14")
    write_csv(own.parent / "train.csv", rows(60))
    assert [each.split(":")[0] for each in lines(refused(own))] == ["spec seed", "data films train"]
    _, changed = lock(own, own.parent / "results")
    assert [(each.kind, each.name) for each in changed[:2]] == [("spec", "seed"), ("data", "films train")]
    held(own, own.parent / "results")


def test_the_axes_of_a_grid_are_pinned(own: Path) -> None:
    with own.open("a", encoding="utf-8") as file:
        file.write('\n[grid]\n"train.batch_size" = [4, 8]\n')
    lock(own, own.parent / "results")
    edit(own, "[4, 8]", "[4, 16]")
    (told,) = lines(refused(own))
    assert told.startswith("spec grid.") and "8" in told and "16" in told


def test_a_spec_without_a_lock(tiny: Path) -> None:
    fault = refused(tiny)
    assert fault.message == f"`{tiny}` has no lock: `{place(tiny)}` does not exist"
    assert fault.hint == f"`runner lock {tiny}` writes it"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"spec": {}}', '{"spec": 1, "data": 1, "model": 1, "packages": 1}'])
def test_a_lock_that_is_none(own: Path, text: str) -> None:
    place(own).write_text(text, encoding="utf-8")
    fault = refused(own)
    assert "is no lock" in fault.message and fault.hint == f"write it anew: `runner lock {own}`"


def test_nothing_is_trained_where_something_drifted(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from runner import __main__ as program

    results = own.parent / "results"
    edit(own, "epochs = 3", "epochs = 4")
    monkeypatch.setattr("sys.argv", ["runner", "run", str(own), "--locked", "--results", str(results)])
    assert program.code() == 1
    assert "spec train.epochs: was 3, is 4" in capsys.readouterr().err
    assert not (results / "runs").exists()
