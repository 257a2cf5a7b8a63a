"""Coverage: intervals hold the truth as often as they say. Seeded and few, so that it takes seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.evaluate.worlds import World, covered, worlds


@pytest.mark.slow
@pytest.mark.parametrize("world", worlds(), ids=lambda world: world.name)
def test_intervals_hold_the_truth_as_often_as_they_say(world: World) -> None:
    assert 0.93 <= covered(world, rounds=400, resamples=400, seed=5) <= 0.97


def test_clusters_that_are_ignored_make_intervals_too_narrow() -> None:
    world = next(each for each in worlds() if each.cluster > 1)
    assert covered(replace(world, ignore=True), rounds=60, resamples=100, seed=5) < 0.85
