"""Padding: texts of like length side by side, filled up to the longest."""

from __future__ import annotations

from typing import Any


def groups(lengths: list[int], size: int) -> list[list[int]]:
    """Places of texts in groups of at most `size` of about the same length, so that little is padding."""
    order = sorted(range(len(lengths)), key=lambda at: (lengths[at], at))
    return [order[start : start + size] for start in range(0, len(order), size)]


def padded(ids: list[list[int]], pad: int, *, left: bool = False) -> tuple[Any, Any]:
    """Token ids and attention mask as tensors of shape [texts, longest text]."""
    import torch

    width = max(map(len, ids))
    fill = [[pad] * (width - len(each)) for each in ids]
    mask = [[1] * len(each) for each in ids]
    none = [[0] * len(each) for each in fill]
    rows = [a + b if left else b + a for a, b in zip(fill, ids, strict=True)]
    masks = [a + b if left else b + a for a, b in zip(none, mask, strict=True)]
    return torch.tensor(rows), torch.tensor(masks)
