"""Packed sequences against padding to the longest of a random batch: useful tokens per second in training a decoder.

Both train the same fresh Llama on the same sequences for the same epochs, with as many rows a batch, drawn at random.
Padded is how transformers does it: `model(input_ids, attention_mask, labels)`. Ours packs the rows into one sequence
without attention across rows, and asks the head only about tokens that count. Useful tokens are those of the rows. The
loss per token afterwards is measured on held-out rows by the same code for both.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _pairs import data_folder, emit, interleaved, parser, positive, ratios

from runner.cache.cache import Cache
from runner.data.encode import tokens_of
from runner.data.recipe import Recipe
from runner.data.weights import fresh
from runner.model.network import Network, build
from runner.model.reading import streamed
from runner.model.stream import Stream
from runner.parts.mixing.proportional import Proportional
from runner.parts.tasks._form import Form
from runner.plan.base import Base
from runner.spec.tables import Experiment
from runner.train.order import draws

GOAL = 2.0
RATE = 1e-3
LLAMA = {
    "model_type": "llama",
    "hidden_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
}
TEMPLATE = (
    "{% for m in messages %}{{ m.role + ':\n' }}{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content + eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}"
    "{{ '\n' }}{% endfor %}"
)


def stories(data: Path) -> list[str]:
    """Paragraphs of the tales."""
    text = (data / "stories_grimm/train.txt").read_text(encoding="utf-8")
    return [" ".join(each.split()) for each in text.split("\n\n") if each.strip()]


def chats(data: Path) -> list[str]:
    """Messages as JSON."""
    with (data / "sgd_chat/train.jsonl").open(encoding="utf-8") as file:
        return [json.dumps(json.loads(line)["messages"]) for line in file]


SETS: dict[str, tuple[Any, Form, int]] = {
    "stories_grimm": (stories, Form(("text",), "blocks"), 512),
    "sgd_chat": (chats, Form(("messages",), "chat", None, TEMPLATE, "", True), 768),
}


def experiment(form: Form) -> Experiment:
    """One task on rows of that form."""
    task: dict[str, Any] = {"type": "causal_lm", "data": ["rows"], "input": form.columns[0]}
    task |= {"layout": "chat", "chat_template": TEMPLATE} if form.chats else {}
    model = {"base": {"config": LLAMA}, "max_length": 1024}
    return Experiment.model_validate(
        {"name": "packing", "model": model, "data": {"rows": {"train": "none.txt"}}, "tasks": {"said": task}}
    )


def read(texts: list[str], form: Form, longest: int, base: Base, tasks: Any) -> Stream:
    """The sequences of texts."""
    recipe = Recipe(form, base.tokenizer_file, longest, marks=base.marks)
    table = tokens_of([texts], recipe)
    return streamed("rows", table, [texts], {"said": texts}, recipe, tasks, {"said": ("text",)}, base)


def network(base: Base, spec: Experiment) -> Network:
    """The same fresh weights each time."""
    return build(base, spec.model, spec.tasks, {"said": ("text",)}, seed=1, packing=True)


def optimizer(net: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(net.parameters(), lr=rate, fused=True)


def packed(base: Base, spec: Experiment, stream: Stream, size: int, epochs: int, rate: float) -> tuple[float, Network]:
    """Seconds of ours."""
    net = network(base, spec)
    step = optimizer(net, rate)
    net.train()
    began = time.perf_counter()
    for epoch in range(epochs):
        for draw in draws({"rows": stream}, Proportional(), 1, epoch, batch_size=size, accumulate=1, grouped=False):
            batch = stream.batch(draw.rows, packed=True, pad_id=0)
            loss = spec.tasks["said"].loss(net.outputs(batch, ("said",))["said"]).mean()
            step.zero_grad()
            loss.backward()
            step.step()
    return time.perf_counter() - began, net


def padded(base: Base, spec: Experiment, stream: Stream, size: int, epochs: int, rate: float) -> tuple[float, Network]:
    """Seconds of transformers."""
    net = network(base, spec)
    net.trunk.set_attn_implementation("sdpa")
    step = optimizer(net, rate)
    net.train()
    began = time.perf_counter()
    for epoch in range(epochs):
        order = np.random.default_rng([1, epoch]).permutation(len(stream))
        for start in range(0, len(order), size):
            ids, mask, labels = laid_out(stream, order[start : start + size])
            loss = net.trunk(input_ids=ids, attention_mask=mask, labels=labels).loss
            step.zero_grad()
            loss.backward()
            step.step()
    took = time.perf_counter() - began
    net.trunk.set_attn_implementation(network(base, spec).trunk.config._attn_implementation)
    return took, net


def laid_out(stream: Stream, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
    """Ids, mask and labels [rows, longest]; a label is the token itself, as transformers shifts them."""
    longest = int(stream.lengths[rows].max())
    ids, mask = torch.zeros(len(rows), longest, dtype=torch.long), torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    for place, row in enumerate(rows.tolist()):
        here = slice(int(stream.offsets[row]), int(stream.offsets[row + 1]))
        tokens = torch.from_numpy(stream.tokens[here].astype(np.int64))
        ids[place, : len(tokens)], mask[place, : len(tokens)] = tokens, 1
        labels[place, 1 : len(tokens)] = torch.from_numpy(stream.targets["said"][here][:-1])
    return ids, mask, labels


def loss_of(net: Network, stream: Stream) -> float:
    """Nats per token that counts."""
    net.eval()
    total = tokens = 0.0
    with torch.inference_mode():
        for rows in stream.by_length(16):
            found = net.outputs(stream.batch(rows, packed=True, pad_id=0), ("said",))["said"].logits[:, 0]
            total, tokens = total + float(found.double().sum()), tokens + len(found)
    return total / tokens


def measured(name: str, texts: list[str], form: Form, longest: int, given: Any) -> dict[str, Any]:
    """Both sides on one data set, a tenth of which is held out."""
    held, texts = texts[::10], [each for place, each in enumerate(texts) if place % 10]
    with tempfile.TemporaryDirectory() as folder:
        spec = experiment(form)
        base = Base(name, fresh(LLAMA, 2048, lambda: iter(texts), name, Cache(Path(folder))))
        train, test, few = (read(each, form, longest, base, spec.tasks) for each in (texts, held, texts[:32]))
        for side in (packed, padded):  # warms up
            side(base, spec, few, 16, 1, RATE)
        asked = (base, spec, train, given.batch, given.epochs, RATE)
        pairs = interleaved(given.pairs, lambda _: packed(*asked), lambda _: padded(*asked))
        useful = int(train.lengths.sum()) * given.epochs
        return {
            "useful_tokens": useful,
            "packed_tokens_per_second": [useful / one for (one, _), _ in pairs],
            "padded_tokens_per_second": [useful / two for _, (two, _) in pairs],
            **ratios([(two, one) for (one, _), (two, _) in pairs]),
            "packed_loss": [loss_of(net, test) for (_, net), _ in pairs],
            "padded_loss": [loss_of(net, test) for _, (_, net) in pairs],
            "goal": GOAL,
        }


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--pairs", type=positive, default=3, help="pairs of measurements")
    options.add_argument("--rows", type=positive, default=10**6, help="most texts of each data set")
    options.add_argument("--batch", type=positive, default=32, help="rows of a batch")
    options.add_argument("--epochs", type=positive, default=2, help="passes over the texts")
    options.add_argument("--data", choices=tuple(SETS), default=list(SETS), nargs="+", help="data sets")
    given = options.parse_args()
    torch.set_num_threads(2)
    found = {}
    for name in given.data:
        texts, form, longest = SETS[name]
        found[name] = measured(name, texts(data_folder())[: given.rows], form, longest, given)
    emit(found, given.json)


if __name__ == "__main__":
    main()
