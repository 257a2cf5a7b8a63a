"""Deciding: which fields of a spec enter the key of a trial, as `compile.trial` makes it."""

from __future__ import annotations

import re

# Words, places whose contents count instead, and how or where the same work is done.
NEVER = re.compile(
    r"name|description|extends|seeds|(grid|search|execute)(\..+)?|model\.(base|revision)"
    r"|data\.[^.]+\.(train|validation|test|license|groups)"
    r"|train\.(checkpoint_minutes|gradient_checkpointing|strategy|devices)"
)


def decides(field: str) -> bool:
    """Whether another value of a dotted field makes another trial."""
    return not NEVER.fullmatch(field)
