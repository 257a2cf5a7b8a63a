"""Predictor: a trained network that answers texts, and goes on with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from runner.data.encode import tokens_of
from runner.errors import RunnerError
from runner.model.stream import EVALUATION
from runner.parts.tokenizer import tokenizer
from runner.plan.base import Base
from runner.plan.recipes import recipe
from runner.spec.tables import Model

BATCH = 64
Asked = str | tuple[str, ...]


class Predictor:
    """What a saved folder loads as."""

    def __init__(
        self, network: Any, base: Base, model: Model, labels: Mapping[str, Sequence[str]], tasks: Mapping[str, Any]
    ) -> None:
        self.network, self.base, self.model, self.labels, self.tasks = network, base, model, labels, tasks

    def __call__(self, texts: Sequence[Asked]) -> list[dict[str, Any]]:
        """For each text or tuple of texts what each task says of it, as `Task.reply` tells it.

        A tuple holds the columns that a task reads, in their order: two texts of a pair, a prompt and its reply.
        """
        texts = list(texts)
        return [one for start in range(0, len(texts), BATCH) for one in self.some(texts[start : start + BATCH])]

    def some(self, texts: Sequence[Asked]) -> list[dict[str, Any]]:
        """The answers to a few of them."""
        rows = listed(texts)
        found: list[dict[str, Any]] = [{} for _ in texts]
        for width in dict.fromkeys(map(len, rows)):
            places = [place for place, each in enumerate(rows) if len(each) == width]
            for place, reply in zip(places, self.replies([rows[place] for place in places]), strict=True):
                found[place] = reply
        return found

    def replies(self, texts: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        """The answers of the heads that read so many texts; those whose rows have one form share a forward pass."""
        widths = {name: len(task.form.columns) for name, task in self.tasks.items()}
        asked = [name for name, width in widths.items() if width == len(texts[0])]
        if not asked:
            wanted = " or ".join(map(str, sorted(set(widths.values()))))
            raise RunnerError(f"no head reads {len(texts[0])} texts at once", f"give {wanted}")
        found: list[dict[str, Any]] = [{} for _ in texts]
        forms = {name: self.tasks[name].form._replace(columns=()) for name in asked}
        for form in dict.fromkeys(forms.values()):
            names = [name for name in asked if forms[name] == form]
            for name, said in self.said(texts, names).items():
                for row, each in enumerate(said):
                    found[row][name] = self.tasks[name].reply(each, self.labels[name], texts[row])
        return [{name: each[name] for name in asked} for each in found]

    def said(self, texts: Sequence[Sequence[str]], names: Sequence[str]) -> dict[str, list[Any]]:
        """What some heads say of each row, `BATCH` sequences at a time."""
        import torch

        from runner.model.answer import merged
        from runner.model.reading import streamed

        columns = [list(column) for column in zip(*texts, strict=True)]
        how = recipe(self.base, self.tasks, self.model, names)
        nothing: dict[str, Sequence[None]] = {name: [None] * len(texts) for name in names}
        read = streamed("texts", tokens_of(columns, how), columns, nothing, how, self.tasks, self.labels, self.base)
        told: dict[str, list[Any]] = {name: [] for name in names}
        for start in range(0, len(read), BATCH):
            rows = range(start, min(start + BATCH, len(read)))
            batch = read.batch(rows, packed=self.network.packed, pad_id=self.base.padding, words=EVALUATION)
            with torch.inference_mode():
                outputs = self.network.outputs(batch, tuple(names))
            for name in names:
                told[name] += list(self.tasks[name].answer(outputs[name]))
        if read.rows is None:
            return told
        every = np.arange(len(read))
        return {name: merged(every, each, read.rows, self.tasks[name])[1] for name, each in told.items()}

    def write(self, prompts: Sequence[Asked], task: str = "", seed: int = 0, **how: Any) -> list[str]:
        """What the language model writes after each prompt, or tuple of the columns that a prompt is made of.

        `how` are fields of `generate`, instead of those of the spec; `task` is needed where several tasks write.
        """
        from runner.model.generation import generated
        from runner.parts.tasks._generate import Generate

        part = self.tasks[self.writer(task)]
        self.network.turn_to(self.writer(task))
        settings = (getattr(part, "generate", None) or Generate()).model_copy(update=how)
        writer: Any = recipe(self.base, self.tasks, self.model, [self.writer(task)]).cutter()
        ids = writer.asking([list(column) for column in zip(*listed(prompts), strict=True)])
        seeds = [seed + place for place in range(len(ids))]
        found = generated(self.network.trunk, ids, seeds, settings, self.base.ends, self.base.padding)
        words = tokenizer(self.base.tokenizer_file)
        return [words.decode(each).strip() for each in found]

    def writer(self, task: str) -> str:
        """The task that writes."""
        able = [name for name, each in self.tasks.items() if each.speaks in ("causal", "seq2seq")]
        if task in able or (len(able) == 1 and not task):
            return task or able[0]
        hint = f"name one of {', '.join(able)} as `task`" if able else "train a causal_lm or seq2seq task"
        raise RunnerError(f"no task `{task}` writes" if task else "which task writes is not clear", hint)


def listed(texts: Sequence[Asked]) -> list[list[str]]:
    """Texts and tuples of them as lists."""
    return [[text] if isinstance(text, str) else list(text) for text in texts]
