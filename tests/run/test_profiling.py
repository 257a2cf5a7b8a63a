"""The profile as lines: what a person reads, to the letter."""

from __future__ import annotations

import pyarrow as pa

from runner.profile.profile import profile
from runner.run.profiling import lines


def test_splits_side_by_side_and_groups_below(tmp_path):
    rows = {
        "id": ["a", "b", "c", "d"],
        "text": ["Good day to you!", "good  day to you", "Bad news", "Good day,\nAnn"],
        "label": ["happy", "happy", "sad", "happy"],
        "genre": ["mail", "mail", "a very long name\nof a group of rows", None],
    }
    train = profile(pa.table(rows), ["text"], ["label"], "genre", tmp_path)
    test = profile(pa.table(rows).slice(2), ["text"], ["label"], None, tmp_path)
    test["languages"] = None
    assert lines({"train": train, "test": test}) == [
        "    profile                     train                test",
        "    rows                        4                    2",
        "    classes of label            2, evenness 0.81     2, evenness 1.00",
        "    characters (p50, p95, max)  14, 16, 16           10, 13, 13",
        "    words (p50, p95, max)       4, 4, 4              2, 3, 3",
        "    vocabulary                  7 of 13 words        5 of 5 words",
        "    type-token ratio, HD-D      0.538, –             1.000, –",
        "    distinct 1, 2, 3            0.54, 0.38, 0.23     1.00, 0.60, 0.20",
        "    most common prefix          50.0% 'good day to'  " + f"50.0% {test['prefixes'][0]['text']!r}",
        "    languages                   unsure 100%          not measured",
        "    near duplicates             2 rows in 1 cluster  none",
        "  groups of train by genre: 3; goes together with label 0.71 (Cramér's V)",
        "    group                     rows  label                         words p50  HD-D  near duplicates",
        "    mail                      2     1, evenness 0.00, happy 100%  4          –     100.0%",
        "    (none)                    1     1, evenness 0.00, happy 100%  3          –     0.0%",
        "    a very long name of a g…  1     1, evenness 0.00, sad 100%    2          –     0.0%",
    ]
