"""Language models from nothing, and runs that start from them: trained, written with, resumed, exported."""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path
from typing import Any

import pytest

from runner.errors import Interrupted
from runner.model.save import load
from runner.run.comparing import facts
from runner.run.experiment import prepare, resume, run
from runner.run.trial import carry_out
from runner.store.query import query
from tests.conftest import rows

ENDS = """
[train]
epochs = 2
batch_size = 8
learning_rate = 1e-2
precision = "fp32"
checkpoint_minutes = 1e-9

[evaluate]
resamples = 100

[execute]
threads = 1
"""
DATA = """
[data.films]
train = "train.jsonl"
validation = "validation.jsonl"
test = "test.jsonl"
"""
LLAMA = """
[model]
max_length = 24

[model.base]
vocabulary = 300

[model.base.config]
model_type = "llama"
hidden_size = 16
num_hidden_layers = 2
num_attention_heads = 2
num_key_value_heads = 1
intermediate_size = 32
max_position_embeddings = 64
tie_word_embeddings = true
"""
T5 = """
[model]
max_length = 24

[model.base]
vocabulary = 300

[model.base.config]
model_type = "t5"
d_model = 16
d_ff = 32
d_kv = 8
num_heads = 2
num_layers = 1
"""
TEXTS = """
[tasks.said]
type = "causal_lm"
data = ["films"]

[tasks.said.generate]
max_tokens = 6
rows = 5
prompt_tokens = 3
temperature = 0.7
metrics = ["chrf", "distinct_1"]

[tasks.mood]
type = "classification"
data = ["films"]
"""
TEMPLATE = (
    "{% for m in messages %}{{ m.role + ': ' }}{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content + eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{{ '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


def written(folder: Path, name: str, *tables: str) -> Path:
    """A spec of some tables, beside its data."""
    for split, count, start in (("train", 48, 0), ("validation", 12, 48), ("test", 12, 60)):
        lines = [json.dumps(row_of(row)) for row in rows(count, start)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec = folder / f"{name}.toml"
    spec.write_text(f'name = "{name}"\nseed = 3\n' + "\n".join([*tables, DATA, ENDS]), encoding="utf-8")
    return spec


def row_of(row: dict[str, str]) -> dict[str, Any]:
    """A row with a chat, and with two answers to a prompt."""
    turns = [{"role": "user", "content": row["text"]}, {"role": "assistant", "content": row["label"]}]
    other = "bad" if row["label"] == "good" else "good"
    return {**row, "messages": turns, "rejected": other}


def carried(spec: Path, results: Path) -> dict[str, Any]:
    made = prepare(spec, results)
    return run(made, made.trials[0], results, show=False)


def scored(done: dict[str, Any], model: str = "best") -> dict[tuple[str, str], float]:
    return {(s["task"], s["metric"]): s["value"] for s in done["scores"] if (s["model"], s["split"]) == (model, "test")}


@pytest.mark.slow
def test_a_decoder_learns_texts_and_classes_together_and_another_run_starts_from_it(tmp_path: Path) -> None:
    results = tmp_path / "results"
    first = carried(written(tmp_path, "first", LLAMA, TEXTS), results)
    assert {("said", "perplexity"), ("said", "chrf"), ("mood", "macro_f1")} <= scored(first).keys()
    beside = facts(
        results, first["run"], first["run"], resamples=10
    )  # every score can be made of the kept answers again
    assert {row["p"] for row in beside["scores"]} == {1.0}
    samples = query(results, "SELECT model, prompt, gold, text, tokens, ended FROM samples").to_pylist()
    assert len(samples) == 5 and {each["model"] for each in samples} == {"best"}
    assert all(each["tokens"] <= 6 and each["ended"] == (each["tokens"] < 6) for each in samples)

    answer = load(first["model"])
    told = query(results, "SELECT text, predicted FROM answers WHERE task = 'mood' AND split = 'test'").to_pylist()
    for row, reply in zip(told, answer([row["text"] for row in told]), strict=True):
        assert max(reply["mood"], key=reply["mood"].get) == row["predicted"]
        assert reply["said"]["tokens"] > 0 and reply["said"]["nats"] > 0
    texts = [each["prompt"] for each in samples]
    assert answer.write(texts, temperature=0.0) == answer.write(texts, temperature=0.0)

    chat = f"""
[model]
base = "run:first"
max_length = 48
adapter = {{ type = "lora", rank = 2, targets = "all-linear" }}

[tasks.chat]
type = "causal_lm"
data = ["films"]
layout = "chat"
input = "messages"
chat_template = {json.dumps(TEMPLATE)}
generate = {{ max_tokens = 4, rows = 4, metrics = ["exact_match"] }}
"""
    second = carried(written(tmp_path, "second", chat), results)
    assert scored(second)["chat", "perplexity"] < scored(second, "before")["chat", "perplexity"]
    folder = Path(second["model"])
    assert not (folder / "model.safetensors").exists() and (folder / "chat_template.jinja").read_text() == TEMPLATE
    prompts = [json.dumps(row_of(row)["messages"][:1]) for row in rows(4, 60)]
    found = {row["prompt"]: row["text"] for row in query(results, SECOND).to_pylist()}
    told_again = dict(zip(prompts, load(folder).write(prompts), strict=True))
    asked = {f"user: {json.loads(each)[0]['content']}": text for each, text in told_again.items()}
    assert {prompt: asked[prompt] for prompt in found if prompt in asked} == {
        prompt: text for prompt, text in found.items() if prompt in asked
    }


SECOND = "SELECT prompt, text FROM samples WHERE task = 'chat' AND model = 'best'"


def test_a_spec_whose_tokenizer_is_yet_to_be_learned_is_explained(tmp_path: Path) -> None:
    from runner.run.explaining import facts

    spec = written(tmp_path, "later", LLAMA, TEXTS)
    found = facts(str(spec), tmp_path / "cache")["data"]["films"]
    assert {each["stage"] for each in found} >= {"clean", "split"} and "encode" not in {each["stage"] for each in found}


@pytest.mark.slow
def test_plain_transformers_loads_and_goes_on_with_a_trained_decoder(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    done = carried(written(tmp_path, "plain", LLAMA, TEXTS), tmp_path / "results")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(done["model"]), AutoTokenizer.from_pretrained(done["model"])
    ids = tokenizer("the film was", return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        loss = model(**ids, labels=ids["input_ids"]).loss
    text = "the film was"
    reply = load(done["model"])([text])[0]["said"]
    ids = torch.tensor([[*tokenizer(text)["input_ids"], tokenizer.eos_token_id]])
    with torch.no_grad():
        loss = model(input_ids=ids, labels=ids).loss
    assert reply["nats"] / reply["tokens"] == pytest.approx(loss.item(), abs=1e-4)


KINDS = {
    "seq2seq": (T5, """
[tasks.t]
type = "seq2seq"
data = ["films"]
input = "text"
target = "label"
label_smoothing = 0.1
generate = { max_tokens = 4, rows = 4, metrics = ["exact_match"] }
"""),
    "masked": ('[model]\nbase = "./encoder"\nmax_length = 16\n', """
[tasks.t]
type = "masked_lm"
data = ["films"]

[tasks.mood]
type = "classification"
data = ["films"]
"""),
    "preference": (LLAMA, """
[tasks.t]
type = "preference"
data = ["films"]
input = "text"
target = "label"
rejected = "rejected"
"""),
    "apart": (LLAMA.replace("max_length", 'adapter = { type = "lora", rank = 2, per_task = true }\nmax_length', 1), """
[tasks.t]
type = "causal_lm"
data = ["films"]
generate = { max_tokens = 4, rows = 4, metrics = ["exact_match"] }

[tasks.mood]
type = "classification"
data = ["films"]
"""),
    "prompt": (LLAMA.replace("max_length", 'adapter = { type = "prompt_tuning", tokens = 4 }\nmax_length', 1), """
[tasks.t]
type = "causal_lm"
data = ["films"]
generate = { max_tokens = 4, rows = 4, metrics = ["exact_match"] }
"""),
    "prefix": (LLAMA.replace("max_length", 'adapter = { type = "prefix_tuning", tokens = 4 }\nmax_length', 1), """
[tasks.t]
type = "causal_lm"
data = ["films"]
generate = { max_tokens = 4, rows = 4, metrics = ["exact_match"] }
"""),
    "similarity": ('[model]\nbase = "./encoder"\nmax_length = 16\n', """
[tasks.t]
type = "similarity"
data = ["films"]
input = ["text", "label"]
learn = "pairs"
"""),
    "completion": (LLAMA, """
[tasks.t]
type = "causal_lm"
data = ["films"]
layout = "completion"
input = "text"
target = "label"
prompt = "{text} is"
"""),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_run_ends_with_the_same_scores_and_texts(kind: str, tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "encoder").symlink_to(encoder)
    spec = written(tmp_path, kind, *KINDS[kind])
    whole = carried(spec, tmp_path / "whole")
    stop = threading.Event()
    stop.set()
    made = prepare(spec, tmp_path / "parts")
    with pytest.raises(Interrupted):
        carry_out(made, made.trials[0], tmp_path / "parts", stop, show=False)
    again = resume(tmp_path / "parts", made.trials[0].run, show=False)
    assert again["scores"] == whole["scores"]
    for table in ("answers", "samples"):
        sql = f"SELECT * EXCLUDE (attempt) FROM {table} ORDER BY ALL"
        assert query(tmp_path / "parts", sql).to_pylist() == query(tmp_path / "whole", sql).to_pylist()
    losses = "SELECT split, value FROM metrics WHERE task = 't' AND metric = 'loss' ORDER BY step"
    curves: dict[str, list[float]] = {}
    for row in query(tmp_path / "whole", losses).to_pylist():
        curves.setdefault(row["split"], []).append(row["value"])
    # Some adapters hardly move a model of random weights: one epoch's rows may be harder than another's.
    assert any(curve[-1] < curve[0] for curve in curves.values())
    alike(made, whole, tmp_path / "whole")
    if kind in ("prompt", "prefix"):
        plain(Path(whole["model"]))


def plain(folder: Path) -> None:
    """peft alone, told nothing of this program, is as surprised by a text as the exported model says."""
    import torch
    from peft import PeftConfig, PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    text = "we saw a good film today"
    base = AutoModelForCausalLM.from_pretrained(PeftConfig.from_pretrained(folder).base_model_name_or_path)
    model = PeftModel.from_pretrained(base, folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = torch.tensor([[*tokenizer(text)["input_ids"], tokenizer.eos_token_id]])
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, -ids.shape[1] :]
    nats = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="sum")
    (reply,) = load(folder)([text])
    assert (reply["t"]["tokens"], reply["t"]["nats"]) == (ids.shape[1] - 1, pytest.approx(float(nats), rel=1e-4))


def alike(made: Any, done: dict[str, Any], results: Path) -> None:
    """The exported folder says of the test rows what the run recorded."""
    task = made.checked.spec.experiment.tasks["t"]
    table = made.checked.loaded["films"].splits["test"].select(task.form.columns).to_pylist()
    asked = [tuple(row.values()) if len(row) > 1 else next(iter(row.values())) for row in table]
    replies = [each["t"] for each in load(done["model"])(asked)]
    sql = "SELECT predicted, gold_probability FROM answers WHERE task = 't' AND split = 'test' ORDER BY position"
    recorded = query(results, sql).to_pylist()
    for reply, row in zip(replies, recorded, strict=True):
        if task.kind == "similarity":
            assert -1.001 <= reply <= 1.001
        elif task.kind == "preference":
            assert 1 / (1 + math.exp(-reply["margin"])) == pytest.approx(row["gold_probability"], abs=1e-4)
        elif not reply["tokens"]:
            assert row["gold_probability"] is None  # all of it was cut away
        else:
            assert math.exp(-reply["nats"] / reply["tokens"]) == pytest.approx(row["gold_probability"], abs=1e-4)
