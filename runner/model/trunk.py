"""The trunk: the pre-trained encoder, loaded whole or refused, and the vectors it gives for the tokens of a batch."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn

from runner.errors import RunnerError
from runner.model.batch import Batch
from runner.model.batch import build as layout_of
from runner.model.dropout import Source
from runner.model.packing import NAME, arrange, register
from runner.plan.base import Base

WITH_POOLER = {"bert", "roberta", "xlm-roberta", "camembert", "mpnet", "ernie"}


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


def agrees(padded: nn.Module, packed: nn.Module, vocabulary: int) -> bool:
    """Whether packed computation gives the padded vectors on a fixed probe, within 1e-4."""
    generator = torch.Generator().manual_seed(0)
    sequences = [torch.randint(5, vocabulary, (n,), generator=generator).numpy() for n in (3, 9, 5)]
    pairs = [len(sequence) for sequence in sequences]
    batches: list[Batch] = [
        layout_of("probe", range(3), sequences, pairs, {}, packed=flag, pad_id=0) for flag in (False, True)
    ]
    with torch.no_grad():
        first, second = (
            tokens_of(trunk, batch, Source()) for trunk, batch in zip((padded, packed), batches, strict=True)
        )
    return bool(torch.allclose(first, second, atol=1e-4))


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
