"""Every key and value is found where it stands."""

import json

import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.places import Places

BARE = st.text("abcXYZ019_-", min_size=1, max_size=6)
KEYS = st.one_of(BARE, st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=5))
GAP = st.sampled_from(["", " ", "  ", "\t"])
BREAK = st.sampled_from(["\n", "\r\n", "\n\n", "\n# a = 1 [x]\n", " # 'note\"\n"])
SCALARS = st.sampled_from(
    [
        "1",
        "-2.5e3",
        "true",
        "inf",
        '"x"',
        '"a # b = [c]"',
        r'"q\"uote"',
        "'raw \\'",
        '"é漢"',
        "1979-05-27 07:32:00",
        "[]",
        '"""m\nl"""',
        "'''a\n'b'''",
        '"""end\\""""',
        "{}",
        "[1, 2]",
        "[\n 1, # one\n 2,\n]",
        "0x1F",
        "07:32:00",
        '""',
    ]
)


def quoted(key):
    """The key as TOML writes it."""
    bare = key and all(char in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-" for char in key)
    return key if bare else json.dumps(key, ensure_ascii=False)


@st.composite
def values(draw, depth=2):
    """Text of a value, and the keys inside it with their paths."""
    if depth == 0 or draw(st.booleans()):
        return draw(SCALARS), []
    if draw(st.booleans()):
        found = [draw(values(depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        inner = [((index, *path), key) for index, (_, paths) in enumerate(found) for path, key in paths]
        return f"[{', '.join(text for text, _ in found)}]", inner
    names = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    pairs, inner = [], []
    for name in names:
        text, below = draw(values(depth - 1))
        pairs.append(f"{quoted(name)}{draw(GAP)}={draw(GAP)}{text}")
        inner += [((name,), quoted(name)), *(((name, *path), key) for path, key in below)]
    return f"{{ {', '.join(pairs)} }}", inner


@st.composite
def pairs(draw, table):
    """Lines of one table, and its keys."""
    lines, found = "", []
    for name in draw(st.lists(KEYS, max_size=4, unique=True)):
        dotted = draw(st.lists(BARE, max_size=2))
        value, inner = draw(values())
        parts = [name, *dotted]
        gap = draw(GAP)
        lines += f"{draw(GAP)}{f'{gap}.{gap}'.join(map(quoted, parts))}{draw(GAP)}={draw(GAP)}{value}{draw(BREAK)}"
        found += [((*table, *parts[: index + 1]), quoted(part)) for index, part in enumerate(parts)]
        found += [((*table, *parts, *path), key) for path, key in inner]
    return lines, found


@st.composite
def documents(draw):
    """A TOML text and all its keys: path and the text of the key."""
    text, found = draw(pairs(()))
    taken = {path[0] for path, _ in found}
    names = [name for name in draw(st.lists(KEYS, max_size=3, unique=True)) if name not in taken]
    for name in names:
        many = draw(st.integers(0, 2))
        for index in range(max(many, 1)):
            table = (name, index) if many else (name,)
            gap, (lines, inner) = draw(GAP), draw(pairs(table))
            head = f"{gap}{quoted(name)}{gap}"
            text += (f"[[{head}]]" if many else f"[{head}]") + draw(BREAK) + lines
            found += [(table, quoted(name)), *inner]
    return text, found


def at(place, text):
    """The text of a place."""
    return text.split("\n")[place.line - 1][place.column - 1 : place.end_column]


@settings(max_examples=200, deadline=None, database=None)
@given(documents())
def test_every_key_is_found_at_its_text(document):
    text, keys = document
    tomli.loads(text)
    places = Places(text, "x.toml")
    for path, key in keys:
        assert places.wrote(path), (text, path)
        assert at(places.place(path), text) == key, (text, path)


@settings(max_examples=200, deadline=None, database=None)
@given(st.text("ab.=[]{}\"'\\# \n,1", max_size=40), st.lists(st.sampled_from(["a", "b", 0, 1]), max_size=3))
def test_no_text_is_too_wrong(text, path):
    place = Places(text).place(tuple(path), "value")
    assert place.line >= 1 and place.column >= 1 and place.end_column >= place.column


def test_values():
    text = 'a = "x" # no\nb = { c = [1, 22] }\n'
    places = Places(text)
    assert at(places.place(("a",), "value"), text) == '"x"'
    assert at(places.place(("b", "c", 1), "value"), text) == "22"
    assert at(places.place(("b", "c"), "value"), text) == "[1, 22]"


def test_what_nobody_wrote_stands_at_the_table_around_it():
    places = Places("[a]\nb = 1\n")
    assert places.place(("a", "zzz", "deep")).line == 1
    assert places.place(("zzz",)) == ("", 1, 1, 1)


def test_the_parent_is_asked_for_what_the_child_did_not_write():
    places = Places("a = 1\n", "child", Places("\nb = 2\n", "parent"))
    assert places.place(("a",)).file == "child"
    assert places.place(("b",)) == ("parent", 2, 1, 1)
