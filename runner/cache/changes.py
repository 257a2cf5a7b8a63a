"""What differs between the inputs of two entries of a stage, in words that somebody can look up in a spec."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from operator import eq
from typing import Any

HASH = re.compile(r"[0-9a-f]{64}")
LONGEST = 80  # characters of a value in a message
MISSING = object()
NAMES = ("name", "file")  # where the name of a file may stand
ROWS = "the rows that go in"
MEANT = {
    "content": "the contents of the file",
    "tokenizer": "the contents of the tokenizer",
    "weights": "the weights",
} | dict.fromkeys(("file", "split", "rows", "parents", "tokens"), ROWS)

Part = Mapping[str, Any]


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The inputs that differ, such as "`max_length` was 128, now 64" or "`lowercase` is new"."""
    return list(of_fields(deciding(before), deciding(now)))


def deciding(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the key is made of, as a manifest would give it back: the name of a file is only for people."""
    named = {field for field in NAMES if field in inputs and inputs[field] == file_name(inputs)}
    return {field: value for field, value in json.loads(json.dumps(inputs)).items() if field not in named}


def file_name(inputs: Mapping[str, Any]) -> str:
    """The file that an entry of `read` or `clean` is about, by its last name; empty for other stages."""
    found = [inputs.get(field) for field in NAMES]
    return next((each for each in found if isinstance(each, str) and not is_hash(each)), "")


def same_file(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two entries are about one file, by its name or by what it holds."""
    names = file_name(before), file_name(now)
    held = [(before.get(field), now.get(field)) for field in ("file", "content")]
    return any(one and one == other for one, other in [names, *held])


def of_fields(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """What differs between two tables, under dotted names."""
    for name in dict.fromkeys([*before, *now]):
        yield from of_value(prefix + name, before.get(name, MISSING), now.get(name, MISSING))


def of_value(name: str, before: Any, now: Any) -> Iterator[str]:
    """What differs between two values, one of which may be missing."""
    there = [value for value in (before, now) if value is not MISSING]
    old, new = (shown(value) for value in (before, now))
    if type(before) is type(now) and before == now:
        return
    if all(isinstance(value, dict) for value in there):
        yield from of_fields({} if before is MISSING else before, {} if now is MISSING else now, f"{name}.")
    elif all(map(is_parts, there)):
        yield from of_parts(name, [] if before is MISSING else before, [] if now is MISSING else now)
    elif all(map(is_hash, there)):
        yield f"{what(name)} {'differ' if len(there) == 2 else 'are new' if before is MISSING else 'are left out'}"
    elif now is MISSING:
        yield f"`{name}` was {old}, now left out"
    elif before is MISSING:
        yield f"`{name}` is new: {new}"
    else:
        yield f"`{name}` was {old}, now {new}" if old != new else f"`{name}` differs"


def is_hash(value: Any) -> bool:
    """Whether a value only says that a content is the same or another."""
    return isinstance(value, str) and bool(HASH.fullmatch(value))


def what(name: str) -> str:
    """What the hash of that name stands for, in the plural."""
    word, _, rest = name.partition(".")
    if word in ("files", "others"):
        return f"the rows of `{rest}` that go in"
    return MEANT.get(name, f"the contents of `{name}`")


def is_parts(value: Any) -> bool:
    """Whether it is a list of parts, such as cleaners."""
    return isinstance(value, list) and all(isinstance(each, dict) and "type" in each for each in value)


def of_parts(name: str, before: Sequence[Part], now: Sequence[Part]) -> Iterator[str]:
    """What differs between two lists of parts: fields, parts that came or went, their order."""
    pairs = paired(before, now)
    for place, part in enumerate(now):
        if place in pairs:
            yield from of_fields(before[pairs[place]], part, f"{called(now, place)}.")
        else:
            yield f"`{called(now, place)}` is new"
    gone = sorted(set(range(len(before))) - set(pairs.values()))
    yield from (f"`{called(before, place)}` is gone" for place in gone)
    order = [pairs[place] for place in sorted(pairs)]
    if order != sorted(order):
        yield f"the order of `{name}` changed"


def paired(before: Sequence[Part], now: Sequence[Part]) -> dict[int, int]:
    """For places in `now` the place that the same part had: an equal one, else one of the same type."""
    found: dict[int, int] = {}
    for same in (eq, alike):
        for place, part in enumerate(now):
            taken = set(found.values())
            free = [old for old, each in enumerate(before) if old not in taken and same(each, part)]
            if free and place not in found:
                found[place] = next((old for old in free if old > found.get(place - 1, -1)), free[0])
    return found


def alike(one: Part, other: Part) -> bool:
    """Whether two parts are of one type."""
    return bool(one["type"] == other["type"])


def called(parts: Sequence[Part], place: int) -> str:
    """The type of a part, with its number where there are several of that type."""
    same = [at for at, each in enumerate(parts) if alike(each, parts[place])]
    kind = str(parts[place]["type"])
    return kind if len(same) == 1 else f"{kind} {same.index(place) + 1}"


def shown(value: Any) -> str:
    """A value for a message: parts as calls without what is unset; hashes and what is very long are cut."""
    if value is MISSING:
        return ""
    if is_parts(value) and value:
        return ", ".join(f"{each['type']}({', '.join(fields(each))})" for each in value)
    text = json.dumps(value, ensure_ascii=False)
    if is_hash(value):
        return f'"{value[:8]}…"'
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"


def fields(part: Part) -> Iterator[str]:
    """The fields of a part that are set."""
    yield from (f"{name}={shown(value)}" for name, value in part.items() if name != "type" and value is not None)
