"""Network: a shared trunk and one head per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from runner.errors import RunnerError
from runner.kinds import Part
from runner.model.batch import Batch
from runner.model.dropout import Dropout, Source, replace
from runner.model.packing import NAME, agrees, arrange, register
from runner.model.vocabulary import narrow
from runner.parts.tasks._task import Task
from runner.plan.base import Base
from runner.spec.tables import Model


class Network(nn.Module):
    """Token vectors from the trunk, pooled to one vector a text, then a head per task."""

    def __init__(self, trunk: nn.Module, heads: nn.ModuleDict, model: Model, source: Source, packed: bool) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = heads
        self.pooling = model.pooling
        self.packed = packed
        self.source = source
        self.dropout = Dropout(model.dropout, source)
        replace(self.trunk, source)

    def forward(self, batch: Batch, tasks: Sequence[str]) -> dict[str, torch.Tensor]:
        """Logits [examples, labels] of each task."""
        vectors = self.dropout(pool(tokens_of(self.trunk, batch, self.source), batch.lengths, self.pooling))
        return {task: self.heads[slot(task)](vectors) for task in tasks}

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}


def slot(task: str) -> str:
    """The name of a task's head: torch allows neither dots nor names of its own attributes."""
    plain = task.replace(".", ":")
    return f"{plain}:" if hasattr(nn.ModuleDict, plain) or hasattr(nn.ModuleDict(), plain) else plain


def tokens_of(trunk: nn.Module, batch: Batch, source: Source) -> torch.Tensor:
    """The vector of every real token, shape [tokens, hidden], sequence after sequence."""
    if batch.packed:
        layout, positions = arrange(batch.lengths, source)
        out = trunk(input_ids=batch.input_ids, position_ids=positions, packing=layout, **types(trunk, batch))
        return cast(torch.Tensor, out.last_hidden_state[0])
    mask = torch.arange(batch.input_ids.shape[1], device=batch.lengths.device) < batch.lengths[:, None]
    out = trunk(input_ids=batch.input_ids, attention_mask=mask.long(), **types(trunk, batch))
    return cast(torch.Tensor, out.last_hidden_state[mask])


def types(trunk: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    """The segment ids, where the architecture has an embedding for them."""
    return {"token_type_ids": batch.type_ids} if getattr(trunk.config, "type_vocab_size", 0) > 1 else {}


def pool(tokens: torch.Tensor, lengths: torch.Tensor, how: str) -> torch.Tensor:
    """One vector a sequence, shape [examples, hidden]: the first token's, or the mean over tokens."""
    if how == "cls":
        return tokens[lengths.cumsum(0) - lengths]
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=lengths.device), lengths)
    total = torch.zeros(len(lengths), tokens.shape[1], dtype=tokens.dtype, device=tokens.device)
    return total.index_add(0, owner, tokens) / lengths[:, None].to(tokens.dtype)


def load_trunk(base: Base, attention: str) -> nn.Module:
    """The pre-trained encoder in fp32; a weight that the folder lacks is an error, never random."""
    from transformers import AutoModel
    from transformers.utils import logging

    said: Any = logging
    said.disable_progress_bar()
    said.set_verbosity_error()
    pooler: dict[str, Any] = (
        {} if base.idle() or base.config.get("model_type") not in WITH_POOLER else {"add_pooling_layer": False}
    )
    trunk, info = AutoModel.from_pretrained(
        base.folder,
        dtype=torch.float32,
        attn_implementation=attention,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are refused below, by name
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        **pooler,
    )
    missing = sorted(info["missing_keys"]) + sorted(str(each[0]) for each in info.get("mismatched_keys", ()))
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise RunnerError(
            f"the weights of `{base.written}` lack {len(missing)} layers: {listed}",
            "the folder is damaged or was saved for another architecture; save it again with all its weights",
        )
    return cast(nn.Module, trunk)


WITH_POOLER = {"bert", "roberta", "xlm-roberta", "camembert", "mpnet", "ernie"}


def choose_trunk(base: Base, packing: bool) -> tuple[nn.Module, bool]:
    """The trunk, computing packed where wanted and where a probe shows equal vectors, else padded."""
    padded = load_padded(base)
    if not packing:
        return padded, False
    register()
    try:
        packed = load_trunk(base, NAME)
        same = agrees(padded.eval(), packed.eval(), int(base.config["vocab_size"]))
    except ValueError:  # an architecture without exchangeable attention, or with one that sees only a window
        return padded, False
    return (packed, True) if same else (padded, False)


def load_padded(base: Base) -> nn.Module:
    """The trunk with torch's fused attention, or its own where it knows no other."""
    try:
        return load_trunk(base, "sdpa")
    except ValueError:
        return load_trunk(base, "eager")


def build(
    base: Base,
    model: Model,
    tasks: Mapping[str, Task],
    labels: Mapping[str, Sequence[str]],
    *,
    seed: int,
    packing: bool,
    used: np.ndarray | None = None,
) -> Network:
    """The network before training: pre-trained trunk, fresh heads, adapter if any; heads depend on the seed alone.

    `used` are the token ids of the training texts: only their embeddings are trained; None trains all.
    """
    trunk, packed = choose_trunk(base, packing)
    for name, parameter in trunk.named_parameters():
        if "pooler." in name:
            parameter.requires_grad_(False)
    torch.manual_seed(seed)
    if model.adapter is not None:
        trunk = adapt(trunk, model.adapter)
    elif used is not None:
        narrow(trunk, used)
    heads = nn.ModuleDict({slot(name): task.layer(base.hidden, labels[name]) for name, task in sorted(tasks.items())})
    return Network(trunk, heads, model, Source(), packed)


def adapt(trunk: nn.Module, adapter: Part) -> nn.Module:
    """The trunk with an adapter; only the adapter is trained."""
    from peft import get_peft_model

    return get_peft_model(trunk, adapter.config())  # type: ignore[attr-defined]
