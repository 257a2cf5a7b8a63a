"""Chats as data have them: lists of messages, and what is wrong with some."""

from __future__ import annotations

from itertools import pairwise
from typing import Any


def wrong(value: Any) -> str:
    """Why a value is no chat to learn from; empty where it is one."""
    strange = not isinstance(value, list) or not all(
        isinstance(each, dict) and isinstance(each.get("role"), str) and isinstance(each.get("content"), str)
        for each in value
    )
    if strange or not value:
        return "a chat is a list of messages with `role` and `content`"
    roles = [each["role"] for each in value]
    unknown = [role for role in roles if role not in ("system", "user", "assistant")]
    if unknown:
        return f"a message has the role `{unknown[0]}`: system, user or assistant"
    if "system" in roles[1:]:
        return "a system message stands behind others"
    turns = [role for role in roles if role != "system"]
    for one, other in pairwise(turns):
        if one == other:
            return f"two messages of the {one} follow each other"
    if not turns or turns[0] != "user":
        return "a chat begins with the user"
    return "" if turns[-1] == "assistant" else "a chat ends with the assistant, whose turns are learned"
