"""Data sets of the `datasets` library."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cache.cache import Cache
from runner.data.files import content_hash, locate, source_of
from runner.errors import RunnerError
from runner.parts.sources._hub import commit, hub_name

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    import datasets

    folder = tmp_path_factory.mktemp("saved")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    one = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features)
    one.save_to_disk(folder / "one")
    datasets.DatasetDict({"train": one, "test": one.select([1])}).save_to_disk(folder / "all")
    (folder / "plain").mkdir()
    (folder / "plain" / "train.jsonl").write_text('{"text": "x"}\n{"text": "y"}\n')
    return folder


def rows(path: Path) -> list:
    return source_of(path, None).read(path).to_pylist()


def test_one_set_with_class_names(saved):
    assert rows(saved / "one") == [
        {"text": "a", "label": "yes", "_line": 1},
        {"text": "b", "label": "no", "_line": 2},
        {"text": "c", "label": None, "_line": 3},
    ]


def test_a_split_of_several(saved):
    assert rows(locate("all#test", saved)) == [{"text": "b", "label": "no", "_line": 1}]


def test_a_folder_to_load(saved):
    assert [row["text"] for row in rows(saved / "plain")] == ["x", "y"]
    assert [row["text"] for row in rows(saved / "plain#train")] == ["x", "y"]


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("all", "several splits", "one of train, test"),
        ("all#tset", "no split `tset`", "did you mean `test`?"),
        ("one#train", "has no splits", "leave out `#train`"),
    ],
)
def test_wrong_splits(saved, name, message, hint):
    with pytest.raises(RunnerError, match=message) as caught:
        rows(saved / name)
    assert hint in caught.value.hint


def test_a_folder_that_is_none(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunnerError, match="`empty` is no data set"):
        rows(tmp_path / "empty")


def test_the_hash_changes_with_any_file_of_the_folder(saved, tmp_path):
    cache = Cache(tmp_path)
    before = content_hash(saved / "plain#train", cache)
    assert before == content_hash(saved / "plain", cache)
    (saved / "plain" / "more.txt").write_text("x")
    assert before != content_hash(saved / "plain", cache)


def test_the_hub_without_network(monkeypatch, tmp_path):
    import huggingface_hub

    def offline(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", offline)
    place = locate("hub:owner/name@main#train", tmp_path)
    with pytest.raises(RunnerError, match="can't be had from the hub: no route") as caught:
        content_hash(place, Cache(tmp_path))
    assert "save_to_disk" in caught.value.hint
    assert source_of(place, None).kind == "dataset"


def test_a_pinned_commit_needs_no_network():
    pinned = "0123456789abcdef" * 2 + "01234567"
    assert commit(Path(f"hub:owner/name@{pinned}#train")) == pinned
    assert hub_name(Path("hub:owner/name#train")) == ("owner/name", None)
