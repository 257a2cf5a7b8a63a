"""The language model of a trunk: its own head over the vocabulary, and how surprising tokens are by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from runner.errors import RunnerError

CHUNK = 1024  # tokens whose scores over the vocabulary are held at once
CLASSES = {
    "": "AutoModel",
    "causal": "AutoModelForCausalLM",
    "masked": "AutoModelForMaskedLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
}

Head = Callable[[torch.Tensor], torch.Tensor]


def whole(trunk: nn.Module) -> Any:
    """The model of transformers itself, without what peft puts around it."""
    return trunk.get_base_model() if hasattr(trunk, "get_base_model") else trunk  # type: ignore[operator]


def body(trunk: nn.Module) -> Any:
    """What gives a vector a token."""
    return whole(trunk).base_model


def head_of(trunk: nn.Module) -> nn.Module:
    """What turns such a vector into a score for each token of the vocabulary."""
    model = whole(trunk)
    found = [child for child in model.children() if child is not model.base_model]
    if len(found) != 1:
        raise RunnerError(
            f"the language head of `{type(model).__name__}` has {len(found)} parts: runner knows those of one",
            "choose a model such as BERT, RoBERTa, Llama, Qwen or GPT-2",
        )
    (head,) = found
    assert isinstance(head, nn.Module)
    return head


def surprises(head: Head, vectors: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Of each token [tokens, 3]: how surprising it is, in nats, how surprising all tokens are on average, and whether
    it is the likeliest (1 or 0). Scores over the vocabulary are never held for more than `CHUNK` tokens."""
    pieces = list(zip(vectors.split(CHUNK), target.split(CHUNK), strict=True))  # type: ignore[no-untyped-call]
    if len(pieces) == 1 or not torch.is_grad_enabled():
        return torch.cat([surprise(head, *piece) for piece in pieces])
    return torch.cat([checkpoint(surprise, head, *piece, use_reentrant=False) for piece in pieces])


def surprise(head: Head, vectors: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The same of one chunk."""
    return of_scores(head(vectors), target)


def of_scores(scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The same from scores [tokens, vocabulary]."""
    scores = scores.float()
    total = scores.logsumexp(-1)
    right = scores.gather(-1, target[:, None])[:, 0]
    hit = (scores.argmax(-1) == target).float() if len(target) else right
    return torch.stack([total - right, total - scores.mean(-1), hit.detach()], -1)


def agrees(trunk: nn.Module, tokens: torch.Tensor, vectors: torch.Tensor) -> bool:
    """Whether the head on these vectors [tokens, hidden] gives the scores of the whole model on the ids [1, tokens]."""
    with torch.no_grad():
        expected = whole(trunk)(input_ids=tokens).logits[0]
        return bool(torch.allclose(head_of(trunk)(vectors), expected, atol=1e-3))
