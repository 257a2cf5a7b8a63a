"""Generation: what a language model writes after prompts, in batches, by choices that are each prompt's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from runner.model.language import whole
from runner.parts.choosing import Choices, Sampling
from runner.parts.padding import groups, padded
from runner.parts.tasks._generate import Generate


def generated(
    trunk: nn.Module, prompts: Sequence[list[int]], seeds: Sequence[int], how: Generate, ends: Sequence[int], pad: int
) -> list[list[int]]:
    """The tokens that the model writes after each prompt, without the one that ends them.

    Prompts of like length share a batch, padded on the left for a decoder, on the right for an encoder-decoder. Each
    draws from a generator of its own seed, so that what stands beside it changes nothing but the rounding of sums.
    """
    found: list[list[int]] = [[] for _ in prompts]
    with ready(trunk) as model:
        for rows in groups([len(each) for each in prompts], how.batch_size):
            said = batch(model, trunk, [prompts[row] for row in rows], [seeds[row] for row in rows], how, ends, pad)
            for row, tokens in zip(rows, said, strict=True):
                found[row] = ended(tokens, ends)
    return found


@contextmanager
def ready(trunk: nn.Module) -> Iterator[Any]:
    """The model of transformers with what writing needs: no dropout, its cache, attention that can go on."""
    model = whole(trunk)
    attention, learning = model.config._attn_implementation, trunk.training
    trunk.eval()
    model.set_attn_implementation("eager" if attention == "eager" else "sdpa")
    try:
        with torch.inference_mode():
            yield model
    finally:
        model.set_attn_implementation(attention)
        trunk.train(learning)


def batch(
    model: Any,
    trunk: nn.Module,
    prompts: list[list[int]],
    seeds: list[int],
    how: Generate,
    ends: Sequence[int],
    pad: int,
) -> list[list[int]]:
    """All tokens behind each prompt, those after an end too."""
    import transformers

    both = model.config.is_encoder_decoder
    ids, mask = padded(prompts, pad, left=not both)
    library: Any = transformers
    config = library.GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=how.max_tokens,
        eos_token_id=list(ends) or None,
        pad_token_id=pad,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        use_cache=True,
    )
    limits = [how.max_tokens] * len(prompts)
    sampling = Sampling(how.temperature, how.top_p, how.max_tokens)
    end = ends[0] if ends else pad
    choices = [Choices(seeds, sampling, limits, end)] if how.temperature else []
    given = behind_virtual(trunk, model, ids.to(model.device), mask.to(model.device), pad)
    found = model.generate(
        **given,
        generation_config=config,
        logits_processor=library.LogitsProcessorList(choices),
    ).tolist()
    begin = 1 if both else given["input_ids"].shape[1]
    return [each[begin:] for each in found]


def behind_virtual(trunk: Any, model: Any, ids: torch.Tensor, mask: torch.Tensor, pad: int) -> dict[str, Any]:
    """What writing begins with; virtual tokens, if any, stand in front as in training.

    The `generate` of peft 0.21 loses them with transformers 5: prefixes are ignored, prompts are miscounted.
    """
    if not hasattr(trunk, "prompt_encoder"):
        return {"input_ids": ids, "attention_mask": mask}
    size, number = len(ids), trunk.active_peft_config.num_virtual_tokens
    prompt = trunk.get_prompt(batch_size=size)
    found: dict[str, Any] = {
        "input_ids": torch.cat([ids.new_full((size, number), pad), ids], 1),  # places that are never looked up
        "attention_mask": torch.cat([mask.new_ones(size, number), mask], 1),
    }
    if trunk.active_peft_config.peft_type == "PREFIX_TUNING":
        return {**found, "past_key_values": prompt}
    return {**found, "inputs_embeds": torch.cat([prompt, model.get_input_embeddings()(ids)], 1)}


def ended(tokens: list[int], ends: Sequence[int]) -> list[int]:
    """Tokens up to the first that ends them."""
    return tokens[: next((at for at, token in enumerate(tokens) if token in ends), len(tokens))]
