"""A causal language model that reads texts and says how surprising each is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runner.parts.augment._models import load, longest
from runner.parts.padding import groups, padded

BATCH = 8


class Reader:
    """A model of a folder or GGUF file; texts longer than it takes are cut."""

    def __init__(self, place: Path) -> None:
        self.model, self.tokenizer = load(place, "causal")
        self.most = min(longest(self.model, self.tokenizer), 1024)

    def surprises(self, texts: Sequence[str]) -> list[tuple[float, int]]:
        """Of each text the nats of its tokens behind the first, and their number."""
        import torch

        ids = [self.tokenizer(text)["input_ids"][: self.most] for text in texts]
        found = [(0.0, 0)] * len(ids)
        long = [at for at, each in enumerate(ids) if len(each) > 1]
        with torch.inference_mode():
            for group in groups([len(ids[at]) for at in long], BATCH):
                rows = [long[at] for at in group]
                tokens, mask = padded([ids[at] for at in rows], self.tokenizer.pad_token_id or 0)
                tokens, mask = tokens.to(self.model.device), mask.to(self.model.device)
                logits = self.model(input_ids=tokens, attention_mask=mask, use_cache=False).logits[:, :-1].float()
                nats = torch.nn.functional.cross_entropy(logits.mT, tokens[:, 1:], reduction="none")
                judged = mask[:, 1:].to(nats.dtype)
                sums, counts = (nats * judged).sum(1).tolist(), judged.sum(1).int().tolist()
                for at, nat, count in zip(rows, sums, counts, strict=True):
                    found[at] = nat, count
        return found
