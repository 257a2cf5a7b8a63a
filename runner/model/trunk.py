"""The trunk: the pre-trained encoder, loaded whole or refused, and the vectors it gives for the tokens of a batch."""

from __future__ import annotations

import inspect
from typing import Any, cast

import torch
from torch import nn

from runner.errors import RunnerError
from runner.model import language
from runner.model.batch import Batch
from runner.model.batch import build as layout_of
from runner.model.dropout import Source
from runner.model.language import CLASSES
from runner.model.packing import NAME, arrange, register
from runner.plan.base import Base

WITH_POOLER = {"bert", "roberta", "xlm-roberta", "camembert", "mpnet", "ernie"}


def load_trunk(base: Base, attention: str, speaks: str = "", bits: int | None = None) -> nn.Module:
    """The pre-trained model in fp32, with the language head that `speaks` names; linear layers in `bits` on this GPU.

    A weight that the folder lacks is an error, never random; but for the head of a masked language model, which many
    encoders are published without.
    """
    import transformers
    from transformers.utils import logging

    said: Any = logging
    said.disable_progress_bar()
    said.set_verbosity_error()
    bare = not speaks and not base.idle() and base.config.get("model_type") in WITH_POOLER
    pooler: dict[str, Any] = {"add_pooling_layer": False} if bare else {}
    trunk, info = getattr(transformers, CLASSES[speaks]).from_pretrained(
        base.folder,
        dtype=torch.float32,
        attn_implementation=attention,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are refused below, by name
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        **pooler,
        **({} if bits is None else quantised(bits)),
    )
    trunk.config.use_cache = False
    needed = f"{trunk.base_model_prefix}." if speaks == "masked" else ""
    missing = sorted(name for name in info["missing_keys"] if name.startswith(needed))
    missing += sorted(str(each[0]) for each in info.get("mismatched_keys", ()))
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise RunnerError(
            f"the weights of `{base.written}` lack {len(missing)} layers: {listed}",
            "the folder is damaged or was saved for another architecture; save it again with all its weights",
        )
    return cast(nn.Module, trunk)


def quantised(bits: int) -> dict[str, Any]:
    """Weights by bitsandbytes on the GPU that this process uses: LLM.int8 (Dettmers and others 2022), or NF4 of QLoRA.

    Four bits are computed with in bf16 where the GPU knows it (Dettmers and others 2023, arXiv:2305.14314).
    """
    import transformers

    compute = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    four = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": compute}
    how: dict[str, Any] = {"load_in_8bit": True} if bits == 8 else {"load_in_4bit": True, **four}
    config: Any = transformers.BitsAndBytesConfig
    return {"quantization_config": config(**how), "device_map": {"": torch.cuda.current_device()}}


def choose_trunk(
    base: Base, packing: bool, speaks: str = "", seed: int = 0, bits: int | None = None, packs: bool | None = None
) -> tuple[nn.Module, bool]:
    """The trunk, computing packed where wanted and where a probe shows equal vectors, else padded.

    A language head that the base lacks is drawn by the seed. What is quantised is probed before, in fp32. Where
    it is known whether it `packs`, nothing is probed.
    """
    if packing and packs and bits is None:
        register()
        torch.manual_seed(seed)
        return load_trunk(base, NAME, speaks), True
    trunk, packed = probed(base, packing and packs is not False, speaks, seed)
    if bits is None:
        return trunk, packed
    attention = str(cast(Any, trunk).config._attn_implementation)
    del trunk
    torch.manual_seed(seed)
    return load_trunk(base, attention, speaks, bits), packed


def probed(base: Base, packing: bool, speaks: str, seed: int) -> tuple[nn.Module, bool]:
    """The same in fp32."""
    torch.manual_seed(seed)
    padded = load_padded(base, speaks)
    if speaks == "seq2seq":
        return padded, False
    if speaks:
        must_agree(padded, base)
    if not packing:
        return padded, False
    register()
    try:
        torch.manual_seed(seed)
        packed = load_trunk(base, NAME, speaks)
        same = agrees(padded.eval(), packed.eval(), int(base.config["vocab_size"]))
    except ValueError:  # an architecture without exchangeable attention, or with one that sees only a window
        return padded, False
    return (packed, True) if same else (padded, False)


def load_padded(base: Base, speaks: str = "") -> nn.Module:
    """The trunk with torch's fused attention, or its own where it knows no other."""
    try:
        return load_trunk(base, "sdpa", speaks)
    except ValueError:
        return load_trunk(base, "eager", speaks)


def must_agree(trunk: nn.Module, base: Base) -> None:
    """RunnerError where the model does more to its scores than its head."""
    ids = torch.arange(5, 12)[None]
    batch = layout_of("probe", range(1), [ids[0].numpy()], [ids.shape[1]], {}, packed=False, pad_id=0)
    trunk.eval()
    with torch.no_grad():
        vectors = tokens_of(trunk, batch, Source())
    if not language.agrees(trunk, ids, vectors):
        message = f"`{base.written}` does more to the scores of its language head than runner knows"
        raise RunnerError(message, "choose a model such as BERT, RoBERTa, Llama, Qwen or GPT-2")


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
    if hasattr(trunk, "prompt_encoder"):
        return behind_virtual(trunk, batch)
    trunk = language.body(trunk)
    if batch.packed:
        layout, positions = arrange(batch.lengths, source)
        out = trunk(input_ids=batch.input_ids, position_ids=positions, packing=layout, **types(trunk, batch))
        return cast(torch.Tensor, out.last_hidden_state[0])
    mask = torch.arange(batch.input_ids.shape[1], device=batch.lengths.device) < batch.lengths[:, None]
    out = trunk(input_ids=batch.input_ids, attention_mask=mask.long(), **types(trunk, batch))
    return cast(torch.Tensor, out.last_hidden_state[mask])


def cache_word(model: nn.Module) -> str:
    """What its architecture calls the keys and values of earlier tokens: transformers 5.24 renamed them."""
    known = inspect.signature(model.forward).parameters
    return "cache" if "cache" in known else "past_key_values"


def behind_virtual(trunk: Any, batch: Batch) -> torch.Tensor:
    """The same of a trunk that virtual tokens stand in front of; they have no vector of their own here."""
    model, size = language.body(trunk), len(batch.lengths)
    number = trunk.active_peft_config.num_virtual_tokens
    mask = torch.arange(batch.input_ids.shape[1], device=batch.lengths.device) < batch.lengths[:, None]
    seen = torch.cat([mask.new_ones(size, number), mask], 1).long()
    given = trunk.get_prompt(batch_size=size)
    if trunk.active_peft_config.peft_type == "PREFIX_TUNING":
        before: Any = {cache_word(model): given}
        out = model(input_ids=batch.input_ids, attention_mask=seen, use_cache=True, **before)
        return cast(torch.Tensor, out.last_hidden_state[mask])
    embedded = torch.cat([given, model.get_input_embeddings()(batch.input_ids)], 1)
    kinds = {name: torch.cat([each.new_zeros(size, number), each], 1) for name, each in types(model, batch).items()}
    out = model(inputs_embeds=embedded, attention_mask=seen, **kinds)
    return cast(torch.Tensor, out.last_hidden_state[:, number:][mask])


def types(trunk: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    """The segment ids, where the architecture has an embedding for them."""
    return {"token_type_ids": batch.type_ids} if getattr(trunk.config, "type_vocab_size", 0) > 1 else {}
