"""Laws of every mixing strategy, and their shares by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import kinds

STRATEGIES = kinds.names("mixing")
BATCHES = {"large": 90, "small": 10}

every_strategy = pytest.mark.parametrize("name", STRATEGIES)
law = settings(max_examples=25, deadline=None, database=None)
sizes = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(1, 10**6), min_size=1, max_size=8)


def shares(name, batches, **fields):
    return kinds.pick("mixing", name).model_validate({"strategy": name, **fields}).shares(batches)


def fields(name, batches):
    """What the strategy must be told about these data sets."""
    return {"weights": {data: 1 + len(data) / 2 for data in batches}} if name == "weights" else {}


@every_strategy
@law
@given(sizes)
def test_every_data_set_has_a_share_and_they_sum_to_one(name, batches):
    found = shares(name, batches, **fields(name, batches))
    assert list(found) == list(batches)
    assert all(share > 0 for share in found.values())
    assert sum(found.values()) == pytest.approx(1)


@every_strategy
@law
@given(sizes)
def test_the_order_of_data_sets_changes_no_share(name, batches):
    turned = dict(reversed(batches.items()))
    told = fields(name, batches)
    assert shares(name, turned, **told) == pytest.approx(shares(name, batches, **told))


@every_strategy
def test_a_single_data_set_gets_everything(name):
    assert shares(name, {"only": 7}, **fields(name, ["only"])) == {"only": 1.0}


@pytest.mark.parametrize(
    "name,fields,large",
    [
        ("proportional", {}, 0.9),
        ("uniform", {}, 0.5),
        ("round_robin", {}, 0.5),
        ("temperature", {}, 0.75),
        ("temperature", {"temperature": 2.0}, 0.75),
        ("temperature", {"temperature": 1.0}, 0.9),
        ("weights", {"weights": {"large": 1.0, "small": 4.0}}, 0.2),
        ("weights", {"weights": {"large": 1.0, "small": 3.0, "unused": 5.0}}, 0.25),
    ],
)
def test_shares_by_hand(name, fields, large):
    assert shares(name, BATCHES, **fields) == pytest.approx({"large": large, "small": 1 - large})


@law
@given(sizes)
def test_temperature_one_is_proportional(batches):
    assert shares("temperature", batches, temperature=1.0) == pytest.approx(shares("proportional", batches))


@law
@given(sizes)
def test_a_high_temperature_is_nearly_uniform(batches):
    assert shares("temperature", batches, temperature=1000.0) == pytest.approx(shares("uniform", batches), abs=0.01)


@law
@given(st.floats(1, 100), st.floats(1, 100))
def test_more_temperature_gives_the_small_more(one, other):
    cool, warm = sorted([one, other])
    assert shares("temperature", BATCHES, temperature=cool)["small"] <= (
        shares("temperature", BATCHES, temperature=warm)["small"] + 1e-12
    )


@pytest.mark.parametrize(
    "name,fields",
    [
        ("temperature", {"temperature": 0.5}),
        ("weights", {"weights": {"large": 0.0}}),
        ("weights", {"weights": {}}),
        ("weights", {}),
    ],
)
def test_what_gives_no_shares_is_refused(name, fields):
    with pytest.raises(ValueError, match="validation error"):
        shares(name, BATCHES, **fields)
