"""How much two texts mean the same, by the cosine of their mean token vectors in an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.parts.augment._models import load, longest
from runner.parts.padding import groups, padded

BATCH = 32


class Encoder:
    """An encoder that compares texts; longer ones are cut to what it takes."""

    def __init__(self, place: Path) -> None:
        self.model, self.tokenizer = load(place, "encoder")
        self.most = min(longest(self.model, self.tokenizer), 512)

    def similarities(self, some: Sequence[str], others: Sequence[str]) -> list[float]:
        """Cosine of each pair, from -1 to 1."""
        vectors = self.vectors([*some, *others])
        return [float(a @ b) for a, b in zip(vectors[: len(some)], vectors[len(some) :], strict=True)]

    def vectors(self, texts: Sequence[str]) -> Any:
        """Mean token vectors of length 1, a tensor of shape [texts, hidden]."""
        import torch

        ids = self.tokenizer(list(texts), truncation=True, max_length=self.most)["input_ids"] if texts else []
        found: list[Any] = [None] * len(ids)
        with torch.inference_mode():
            for group in groups(list(map(len, ids)), BATCH):
                tokens, mask = padded([ids[at] for at in group], self.tokenizer.pad_token_id or 0)
                tokens, mask = tokens.to(self.model.device), mask.to(self.model.device)
                hidden = self.model(input_ids=tokens, attention_mask=mask).last_hidden_state
                weights = mask[:, :, None].to(hidden.dtype)
                means = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
                for at, vector in zip(group, torch.nn.functional.normalize(means, dim=1).cpu(), strict=True):
                    found[at] = vector
        return found
