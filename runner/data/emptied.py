"""Why a split has no rows: its file has none, cleaners take them, or the rules of the splits leave none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from runner.data.account import facts_of, gone_of
from runner.data.clean import Cleaned, cleaners_of
from runner.data.columns import as_text
from runner.data.faults import Fault, counted
from runner.data.read import Origin
from runner.data.split import Rows
from runner.spec.tables import Data

READ = -1  # the place of the step that leaves out rows without a text or label


class Loss(NamedTuple):
    """Rows of a file that one step drops, by reason; `place` is its own in `clean`."""

    place: int
    step: str
    reasons: Mapping[str, int]

    @property
    def rows(self) -> int:
        return sum(self.reasons.values())


def emptied(
    name: str, data: Data, origins: Mapping[str, Origin], cleaned: Mapping[str, Cleaned], rows: Mapping[str, Rows]
) -> Fault:
    """The fault of a split without rows, at the cleaner that takes most of them where cleaning is to blame."""
    source, rule = rows[name].origin, data.rules.get(name)
    written, left = f"`{origins[source].written}`", cleaned[source].table.num_rows
    lost = losses(data, source, cleaned)
    gone = sum(each.rows for each in lost)
    reasons = []
    if rule is not None:
        share = f"fraction {rule.fraction:g}" if rule.fraction else f"`{rule.column}`"
        given = counted(len(rows[rule.from_].index), "row")
        reasons.append(f"{share} of the {given} of `{rule.from_}` gives none")
    elif left:
        reasons.append(f"the other splits take all rows of {written}")
    if gone > left:
        reasons.append(told(lost, gone + left, written))
    message = f"`{name}` would be empty: {'; '.join(reasons) or f'{written} has no rows'}"
    cleaner = lost[0] if gone > left and lost[0].place != READ else None
    hints = [f"loosen `{cleaner.step}`, or leave it out"] if cleaner else []
    hints += ["take a larger fraction, or name a file"] if rule is not None else []
    return Fault(("clean", cleaner.place) if cleaner else (name,), message, "; or ".join(hints))


def losses(data: Data, split: str, cleaned: Mapping[str, Cleaned]) -> list[Loss]:
    """What each step takes from a split's file, most rows first."""
    places = [READ, *cleaners_of(data, split)]
    steps = zip(places, facts_of(cleaned[split].entry), strict=True)
    found = [Loss(place, facts["step"], facts["dropped"]) for place, facts in steps if facts["dropped"]]
    return sorted(found, key=lambda loss: -loss.rows)


def told(lost: Sequence[Loss], rows: int, written: str) -> str:
    """The losses in words: all about the largest, the sums of the others."""
    first, *others = lost
    some = f"{first.rows:,} of the {rows:,} rows of {written}"
    if first.place == READ:
        said = f"{some if others or first.rows < rows else f'all rows of {written} ({rows:,})'} lack a text or label"
    else:
        whole = f"all {rows:,} rows of {written}" if rows > 1 else f"the only row of {written}"
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in first.reasons.items())
        said = f"`{first.step}` drops {whole if first.rows == rows else some}: {reasons}"
    more = [f"{each.rows:,} by `{each.step}`" for each in others]
    return f"{said}; {', '.join(more)}" if more else said


def taken_away(name: str, data: Data, origins: Mapping[str, Origin], cleaned: Mapping[str, Cleaned]) -> list[Fault]:
    """The values in the rule of a split whose rows all go by cleaning, at the cleaner that takes most of them."""
    import pyarrow.compute as pc

    rule, source = data.rules[name], root(name, data)
    table, faults = origins[source].table, []
    column = as_text(table[rule.column]) if rule.column in table.column_names else None
    for value in rule.values or () if column is not None else ():
        lines = set(table["_line"].filter(pc.equal(column, value)).to_pylist())
        gone = [each for each in gone_of(cleaned[source].entry) if each.line in lines and not each.flagged]
        if not lines or len(gone) < len(lines):
            continue
        (step, reason), rows = Counter((each.step, each.reason) for each in gone).most_common(1)[0]
        place = next(
            each.place for each in losses(data, source, cleaned) if each.step == step and reason in each.reasons
        )
        where = (name, "values") if place == READ else ("clean", place)
        took = f"`{step}` takes {rows:,} of the {counted(len(lines), 'row')} whose `{rule.column}` is that: {reason}"
        faults.append(Fault(where, f"`{name}` gets no `{value}`: {took}", "loosen it, or name another value"))
    return faults


def root(name: str, data: Data) -> str:
    """The split whose file the rows of a split come from."""
    while name in data.rules:
        name = data.rules[name].from_
    return name
