"""How often 95 % intervals hold the true score, BCa beside percentile, in worlds where it is known: no clock is read.

The worlds are those of `tests/evaluate/worlds.py`, which the tests ask less often.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from _pairs import ROOT, emit, parser, positive

GOAL = (0.93, 0.97)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--rounds", type=positive, default=4000, help="test sets of each world")
    options.add_argument("--resamples", type=positive, default=1000, help="samples of each bootstrap")
    given = options.parse_args()
    sys.path.insert(0, str(ROOT))
    from tests.evaluate.worlds import covered, worlds

    methods = ("bca", "percentile")
    found = {
        world.name: {
            method: covered(replace(world, method=method), given.rounds, given.resamples, 1) for method in methods
        }
        for world in worlds()
    }
    emit({"rounds": given.rounds, "covered": found, "goal": GOAL}, given.json)


if __name__ == "__main__":
    main()
