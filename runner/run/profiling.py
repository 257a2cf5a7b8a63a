"""The profiles of a data set as lines: a measure a line, a column a split; below it a line a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.data.faults import counted
from runner.run.aligned import aligned

SHOWN = 10  # groups of a split
CUT = 24  # characters of a text in a cell
LEAST = 0.005  # share of a language that is told

Profile = Mapping[str, Any]


def lines(profiles: Mapping[str, Profile]) -> list[str]:
    """The profiles of all splits side by side, then the groups of each."""
    rows = [["profile", *profiles], *([name, *cells] for name, *cells in measures(list(profiles.values())))]
    told = aligned(rows, indent=4)
    for split, profile in profiles.items():
        if profile["groups"]:
            told += compared(split, profile["groups"])
    return told


def measures(profiles: Sequence[Profile]) -> list[list[str]]:
    """The measures that are told, with the words for each profile."""
    found = [["rows", *(f"{each['rows']:,}" for each in profiles)]]
    for target in profiles[0]["classes"]:
        found.append([f"classes of {target}", *(even(each["classes"][target]) for each in profiles)])
    for unit in ("characters", "words"):
        found.append([f"{unit} (p50, p95, max)", *(long(each["lengths"][unit]) for each in profiles)])
    return [
        *found,
        ["vocabulary", *(f"{each['words']['vocabulary']:,} of {each['words']['total']:,} words" for each in profiles)],
        ["type-token ratio, HD-D", *(rich(each["words"]) for each in profiles)],
        ["distinct 1, 2, 3", *(distinct(each["words"]) for each in profiles)],
        ["most common prefix", *(common(each["prefixes"]) for each in profiles)],
        ["languages", *(spoken(each["languages"]) for each in profiles)],
        ["near duplicates", *(alike(each["near_duplicates"]) for each in profiles)],
    ]


def compared(split: str, groups: Mapping[str, Any]) -> list[str]:
    """The groups of one split, largest first."""
    strength = [f"{target} {value:.2f}" for target, value in groups["cramers_v"].items() if value is not None]
    told = f"; goes together with {', '.join(strength)} (Cramér's V)" if strength else ""
    groups_of = f"  groups of {split} by {short(groups['column'])}: {groups['count']:,}{told}"
    shown = list(groups["largest"].items())[:SHOWN]
    targets = list(shown[0][1]["classes"])
    head = ["group", "rows", *targets, "words p50", "HD-D", "near duplicates"]
    rows = [
        [
            short(name),
            f"{each['rows']:,}",
            *(even(each["classes"][target]) + ", " + most(each["classes"][target]) for target in targets),
            f"{each['lengths']['words']['p50']:g}",
            number(each["words"]["hdd"]),
            f"{each['near_duplicates']['share']:.1%}",
        ]
        for name, each in shown
    ]
    more = groups["count"] - len(shown)
    return [groups_of, *aligned([head, *rows], indent=4), *([f"    and {more:,} more"] if more else [])]


def even(classes: Mapping[str, Any]) -> str:
    return f"{len(classes['rows']):,}, evenness {classes['evenness']:.2f}"


def most(classes: Mapping[str, Any]) -> str:
    label, rows = next(iter(classes["rows"].items()))
    return f"{short(label)} {rows / sum(classes['rows'].values()):.0%}"


def long(lengths: Mapping[str, Any]) -> str:
    return f"{lengths['p50']:.0f}, {lengths['p95']:.0f}, {lengths['max']:,}"


def rich(words: Mapping[str, Any]) -> str:
    return f"{words['type_token_ratio']:.3f}, {number(words['hdd'])}"


def distinct(words: Mapping[str, Any]) -> str:
    return ", ".join(f"{words[f'distinct_{length}']:.2f}" for length in (1, 2, 3))


def common(prefixes: Sequence[Mapping[str, Any]]) -> str:
    return f"{prefixes[0]['share']:.1%} {short(prefixes[0]['text'])!r}"


def spoken(languages: Mapping[str, Any] | None) -> str:
    if languages is None:
        return "not measured"  # the package isn't installed
    shares = {code: count / languages["asked"] for code, count in languages["rows"].items()}
    return ", ".join(f"{code} {share:.0%}" for code, share in list(shares.items())[:3] if share >= LEAST)


def alike(found: Mapping[str, Any]) -> str:
    return f"{found['rows']:,} rows in {counted(found['clusters'], 'cluster')}" if found["clusters"] else "none"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def short(text: str) -> str:
    """A text in one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= CUT else line[: CUT - 1] + "…"
