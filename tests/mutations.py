"""Small changes anywhere in a document of tables and arrays: what a slip of the author may make of it."""

from __future__ import annotations

import copy

from hypothesis import strategies as st


def holders(value):
    """Every table and array inside a value, itself included."""
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from holders(each)


@st.composite
def mutated(draw, whole, keys, values):
    """A document after one to three changes: something left out, added under one of the keys, or another value."""
    made = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        holder = draw(st.sampled_from(list(holders(made))))
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        change = draw(st.sampled_from(["drop", "add", "set"])) if places else "add"
        if change == "drop":
            del holder[draw(st.sampled_from(places))]
        elif change == "set":
            holder[draw(st.sampled_from(places))] = copy.deepcopy(draw(values))
        elif isinstance(holder, dict):
            holder[draw(keys)] = copy.deepcopy(draw(values))
        else:
            holder.append(copy.deepcopy(draw(values)))
    return made
