"""Answers of a seq2seq or causal model, written in batches, each by the choices of a generator of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from runner.errors import RunnerError
from runner.kinds import bad_value
from runner.parts.augment._augmentation import Refused
from runner.parts.augment._models import load, longest, writes
from runner.parts.augment._written import Written
from runner.parts.choosing import Choices, Sampling
from runner.parts.padding import groups, padded

BATCH = 16
LONGER = 2  # an answer has at most so many times the tokens of its text, and MORE
MORE = 16
TOO_LONG = Refused("too long for the model")
UNFINISHED = Refused("an answer without an end")


def holds_text(prompt: str) -> str:
    """The prompt, if the text has its place in it."""
    if prompt.count("{text}") != 1:
        raise bad_value("a prompt holds `{text}` once, where the text goes")
    return prompt


Prompt = Annotated[str, Field(min_length=6), AfterValidator(holds_text)]


class Sampled(Written):
    """The fields that all kinds share whose texts are generated token by token."""

    temperature: Annotated[float, Field(gt=0, le=10)] = 0.8
    """How freely tokens are chosen; near 0 always the likeliest. Default 0.8."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Probability of the likeliest tokens among which one is chosen, at most 50. Default 0.95."""
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 128
    """Longest answer in tokens, and never more than twice its text and 16. Default 128."""

    @property
    def sampling(self) -> Sampling:
        """The choices that these fields ask for."""
        return Sampling(self.temperature, self.top_p, self.max_tokens)


class Writer:
    """A model that answers prompts."""

    def __init__(self, place: Path) -> None:
        self.kind = writes(place)
        self.model, self.tokenizer = load(place, self.kind)
        ends = self.model.generation_config.eos_token_id
        ends = self.tokenizer.eos_token_id if ends is None else ends
        if ends is None:
            raise RunnerError(f"the model in `{place}` has no token that ends a text", "choose another model")
        self.ends = {ends} if isinstance(ends, int) else set(ends)
        self.pad = min(self.ends) if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        self.most = longest(self.model, self.tokenizer)

    @property
    def chats(self) -> bool:
        """Whether the model was taught to answer messages."""
        return self.kind == "causal" and bool(self.tokenizer.chat_template)

    def answers(
        self, texts: Sequence[str], prompt: str, seeds: Sequence[int], sampling: Sampling
    ) -> list[str | Refused]:
        """What the model says to the prompt with each text; the texts that stand beside it change nothing."""
        prompts = [self.tokens(prompt.replace("{text}", text)) for text in texts]
        plain = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"] if texts else []
        limits = [min(sampling.max_tokens, LONGER * len(each) + MORE, self.most - 2) for each in plain]
        found: list[str | Refused] = [TOO_LONG] * len(texts)
        beside = 0 if self.kind == "seq2seq" else 1
        fit = [at for at, ids in enumerate(prompts) if 0 < len(ids) + beside * limits[at] <= self.most]
        for group in groups([len(prompts[at]) for at in fit], BATCH):
            at = [fit[each] for each in group]
            said = self.generate([prompts[i] for i in at], [seeds[i] for i in at], [limits[i] for i in at], sampling)
            for i, tokens in zip(at, said, strict=True):
                found[i] = self.text(tokens[: limits[i]])
        return found

    def tokens(self, prompt: str) -> list[int]:
        """The prompt as the model wants it."""
        if not self.chats:
            return list(self.tokenizer(prompt)["input_ids"])
        message = [{"role": "user", "content": prompt}]
        text = self.tokenizer.apply_chat_template(
            message, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def generate(
        self, ids: list[list[int]], seeds: list[int], limits: list[int], sampling: Sampling
    ) -> list[list[int]]:
        """The tokens that follow each prompt; an end behind its limit, if it came to none before, is not its own."""
        import torch
        import transformers

        tokens, mask = padded(ids, self.pad, left=self.kind == "causal")
        library: Any = transformers
        config = library.GenerationConfig(
            do_sample=False,
            num_beams=1,
            max_new_tokens=max(limits) + 1,
            eos_token_id=sorted(self.ends),
            pad_token_id=self.pad,
        )
        choices = library.LogitsProcessorList([Choices(seeds, sampling, limits, min(self.ends))])
        with torch.inference_mode():
            found = self.model.generate(
                input_ids=tokens.to(self.model.device),
                attention_mask=mask.to(self.model.device),
                generation_config=config,
                logits_processor=choices,
            ).tolist()
        begin = len(tokens[0]) if self.kind == "causal" else 1
        return [each[begin:] for each in found]

    def text(self, tokens: list[int]) -> str | Refused:
        """The text of tokens up to the one that ends it."""
        end = next((at for at, token in enumerate(tokens) if token in self.ends), None)
        if end is None:
            return UNFINISHED
        return str(self.tokenizer.decode(tokens[:end], skip_special_tokens=True)).strip()
