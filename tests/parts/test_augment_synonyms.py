"""Whence synonyms come: tables in files, and wordnets of the package `wn`."""

import random

import pytest

from runner import kinds
from runner.cache.cache import Cache
from runner.data.named import identity, resolved
from runner.parts.augment._augmentation import Parent
from runner.parts.augment._synonyms import lowered

LMF = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE LexicalResource SYSTEM "http://globalwordnet.github.io/schemas/WN-LMF-1.0.dtd">
<LexicalResource>
  <Lexicon id="tiny" label="Tiny" language="en" email="nobody@example.org" license="CC0" version="1">
    <LexicalEntry id="tiny-quick"><Lemma writtenForm="quick" partOfSpeech="a"/>
      <Sense id="s1" synset="tiny-1-a"/></LexicalEntry>
    <LexicalEntry id="tiny-fast"><Lemma writtenForm="fast" partOfSpeech="a"/>
      <Sense id="s2" synset="tiny-1-a"/></LexicalEntry>
    <LexicalEntry id="tiny-alone"><Lemma writtenForm="alone" partOfSpeech="a"/>
      <Sense id="s3" synset="tiny-2-a"/></LexicalEntry>
    <Synset id="tiny-1-a" ili="" partOfSpeech="a"/>
    <Synset id="tiny-2-a" ili="" partOfSpeech="a"/>
  </Lexicon>
</LexicalResource>
"""
FILES = {
    "t.csv": "word,synonym\nquick,fast\nQuick,swift\n",
    "t.tsv": "synonym\tword\nfast\tquick\nswift\tquick\n",
    "t.jsonl": '{"word": "quick", "synonym": "fast"}\n{"word": "quick", "synonym": "swift"}\n',
}


def build(name, **fields):
    return kinds.pick("augment", name).model_validate({"type": name, **fields})


def fault(part, folder):
    _, (found,) = resolved({0: part}, folder)
    return found


def vary(part, folder, text, seed=0):
    (places,), faults = resolved({0: part}, folder)
    assert faults == []
    (made,) = part.ready(places)([Parent("id", text, random.Random(seed), [])])
    return made


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_the_same_as_a_table(name, tmp_path):
    (tmp_path / name).write_text(FILES[name])
    inline = build("synonyms", table={"quick": ["fast", "swift"]})
    for seed in range(8):
        assert vary(build("synonyms", table=name), tmp_path, "Quick fox", seed) == vary(
            inline, tmp_path, "Quick fox", seed
        )


def test_the_key_holds_the_file_s_content_and_not_its_name(tmp_path):
    keys = []
    for name, text in [("a.csv", FILES["t.csv"]), ("b.csv", FILES["t.csv"]), ("c.csv", FILES["t.csv"] + "fox,vixen\n")]:
        (tmp_path / name).write_text(text)
        part = build("insert_words", table=name)
        (places,), _ = resolved({0: part}, tmp_path)
        keys.append(identity(part, places, Cache(tmp_path / "cache")))
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "word,other\nquick,fast\n", "`t.csv` has no column `synonym`"),
        ("t.csv", "word,other\n", "`t.csv` has no column `synonym`"),
        ("t.csv", "", "`t.csv` has no rows"),
        ("t.csv", "word,synonym\nquick\n", "`t.csv`, row 1: no `word` with a `synonym`"),
        ("t.csv", "word,synonym\n", "`t.csv` has no rows"),
        ("t.jsonl", "[1]\n", "`t.jsonl`, row 1, has no column `word`"),
        ("t.jsonl", '{"word": "quick", "synonym": 3}\n', "`t.jsonl`, row 1: no `word` with a `synonym`"),
        ("t.jsonl", "{\n", "`t.jsonl` can't be read: "),
        ("t.txt", "quick fast\n", "`t.txt` is no table of synonyms"),
    ],
)
def test_a_file_that_is_no_table(name, text, message, tmp_path):
    (tmp_path / name).write_text(text)
    found = fault(build("synonyms", table=name), tmp_path)
    assert found.where == ("augment", 0, "table")
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("name", "text", "message", "hint"),
    [
        ("t.csv", "wrd,synonym\na,b\n", "`t.csv` has no column `word`", "did you mean `wrd`? name it `word`"),
        (
            "t.tsv",
            "word\tsynonyms\na\tb\n",
            "`t.tsv` has no column `synonym`",
            "did you mean `synonyms`? name it `synonym`",
        ),
        (
            "t.jsonl",
            '{"wrd": "a", "synonym": "b"}\n',
            "`t.jsonl`, row 1, has no column `word`",
            "did you mean `wrd`? name it `word`",
        ),
        (
            "t.csv",
            "a,b\nc,d\n",
            "`t.csv` has no column `word`",
            "it has `a`, `b`; write the columns `word` and `synonym`",
        ),
    ],
)
def test_a_file_with_other_columns(name, text, message, hint, tmp_path):
    (tmp_path / name).write_text(text)
    found = fault(build("synonyms", table=name), tmp_path)
    assert (found.message, found.hint) == (message, hint)


def test_a_file_that_is_missing(tmp_path):
    (tmp_path / "synonyms.csv").touch()
    found = fault(build("synonyms", table="synonym.csv"), tmp_path)
    assert found.message == "`synonym.csv` does not exist"
    assert "did you mean `synonyms.csv`?" in found.hint


def test_words_are_found_in_any_letters():
    look_up = lowered({"Quick": ["fast"], "quick": ["swift"]})
    assert list(look_up("QUICK")) == ["fast", "swift"]
    assert list(look_up("fox")) == []


@pytest.fixture
def wordnet(tmp_path, monkeypatch):
    wn = pytest.importorskip("wn")
    monkeypatch.setattr(wn.config, "data_directory", tmp_path / "wn")
    (tmp_path / "tiny.xml").write_text(LMF)
    return wn


def test_synonyms_of_a_wordnet(wordnet, tmp_path):
    wordnet.add(tmp_path / "tiny.xml", progress_handler=None)
    part = build("synonyms", wordnet="tiny:1")
    assert vary(part, tmp_path, "the Quick fox alone") == "the fast fox alone"
    assert vary(build("insert_words", wordnet="tiny"), tmp_path, "alone").split() == ["alone"]
    assert part.meaning() == build("synonyms", wordnet="tiny").meaning() == {"wordnet": ["tiny:1"]}
    assert [path.is_file() for path in part.reads()] == [True]


def test_a_lexicon_that_is_missing(wordnet, tmp_path):
    found = fault(build("synonyms", wordnet="tiny:1"), tmp_path)
    assert (found.where, found.message) == (("augment", 0, "wordnet"), "`wn` has no lexicon `tiny:1`")
    assert found.hint == "`python -m wn download tiny:1` installs it"
    wordnet.add(tmp_path / "tiny.xml", progress_handler=None)
    assert fault(build("synonyms", wordnet="tinny:1"), tmp_path).hint.startswith("did you mean `tiny:1`?")


def test_without_the_package(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "wn", None)
    found = fault(build("synonyms", wordnet="tiny:1"), tmp_path)
    assert found.message == "`wordnet` needs the package `wn`, which is not installed"
    assert found.hint == "`pip install 'runner[wn]'`"


def test_the_version_of_a_kind_decides_its_rows_and_those_of_no_other(tmp_path, monkeypatch):
    parts = [
        kinds.pick("augment", "swap_words")(type="swap_words"),
        kinds.pick("augment", "synonyms")(type="synonyms", table={"a": ["b"]}),
    ]
    before = [identity(part, {}, Cache(tmp_path / "cache")) for part in parts]
    monkeypatch.setattr(type(parts[1]), "version", 99)
    after = [identity(part, {}, Cache(tmp_path / "cache")) for part in parts]
    assert before[0] == after[0] and "version" not in before[0]
    assert before[1] != after[1] and {**after[1], "version": before[1]["version"]} == before[1]
