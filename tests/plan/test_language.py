"""Language models in a plan: exact counts, marked tokens, and what does not fit, at the line of the spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.plan.check import checker
from runner.plan.estimate import parameters
from runner.plan.explain import facts, tree
from tests.plan.test_check import faults, only, text_at
from tests.plan.test_compile import network_of, planned
from tests.run.test_language import KINDS, LLAMA, T5, TEMPLATE, TEXTS, written

LORA = 'adapter = { type = "lora", rank = 2 }'
UNTIED = LLAMA.replace("tie_word_embeddings = true", "tie_word_embeddings = false")
ENCODER = '[model]\nbase = "./encoder"\nmax_length = 16\n'
CHAT = f"""
[tasks.t]
type = "causal_lm"
data = ["films"]
layout = "chat"
input = "messages"
chat_template = {json.dumps(TEMPLATE)}
"""


def lora(model: str) -> str:
    return model.replace("max_length", f"{LORA}\nmax_length", 1)


@pytest.mark.parametrize(
    "tables",
    [
        (LLAMA, TEXTS), (UNTIED, TEXTS), (lora(LLAMA), TEXTS), (lora(UNTIED), TEXTS), KINDS["seq2seq"],
        (lora(T5), KINDS["seq2seq"][1]), KINDS["masked"], KINDS["preference"], KINDS["similarity"],
        (lora(ENCODER), KINDS["similarity"][1]),
        (LLAMA.replace("max_length", 'adapter = { type = "prompt_tuning" }\nmax_length'), TEXTS),
        (LLAMA.replace("max_length", 'adapter = { type = "prefix_tuning", tokens = 5 }\nmax_length'), TEXTS),
        (LLAMA.replace("max_length", "freeze = { layers = 1 }\nmax_length"), TEXTS),
    ],
    ids=["tied", "untied", "lora", "untied lora", "t5", "t5 lora", "masked", "preference", "similarity", "similar lora",
         "prompt", "prefix", "frozen"],
)  # fmt: skip
def test_the_counts_are_those_of_the_network(tables: tuple[str, str], tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "encoder").symlink_to(encoder)
    plan = planned(written(tmp_path, "counts", *tables))
    network = network_of(plan)
    count = parameters(plan.checked)
    assert count.total == sum(each.numel() for each in network.parameters())
    assert count.trainable == sum(each.numel() for each in network.trainable().values())


def test_a_decoder_can_carry_other_heads_without_its_language_head(tmp_path: Path) -> None:
    task = '[tasks.mood]\ntype = "classification"\ndata = ["films"]\n'
    plan = planned(written(tmp_path, "heads", UNTIED, task))
    network = network_of(plan)
    assert parameters(plan.checked).total == sum(each.numel() for each in network.parameters())


def shown(spec: Path) -> list[list[tuple[str, bool]]]:
    (rows,) = facts(planned(spec))["preview"].values()
    return [sequence for row in rows for sequence in row["tokens"]]


def test_the_plan_shows_which_tokens_of_a_chat_count(tmp_path: Path) -> None:
    spec = written(tmp_path, "chat", LLAMA.replace("24", "64"), CHAT)
    for pieces in shown(spec):
        text = "".join(text for text, _ in pieces)
        assert "".join(text for text, counts in pieces if counts).strip() in ("good</s>", "bad</s>")
        assert text.startswith("user: ") and "\nassistant: " in text
    plan = tree(facts(planned(spec)))
    assert "assistant: ⟦good</s>⟧⏎" in plan and "what counts ⟦so⟧" in plan
    assert "assistant: \x1b[32mgood</s>\x1b[0m⏎" in tree(facts(planned(spec)), colour=True)


def test_the_plan_shows_both_answers_of_a_preference_and_what_a_decoder_writes(tmp_path: Path, encoder: Path) -> None:
    first, second, *_ = shown(written(tmp_path, "both", *KINDS["preference"]))
    assert {first[-1], second[-1]} == {("good</s>", True), ("bad</s>", True)} and first[:-1] == second[:-1]
    source, target, *_ = shown(written(tmp_path, "source", *KINDS["seq2seq"]))
    assert [counts for _, counts in source] == [False] and [counts for _, counts in target] == [True]
    (tmp_path / "encoder").symlink_to(encoder)
    pieces = shown(written(tmp_path, "hidden", ENCODER, KINDS["masked"][1].partition("[tasks.mood]")[0]))[0]
    assert any(counts for _, counts in pieces) and not all(counts for _, counts in pieces)


# What does not fit: the tables, where it stands, and some of the words.
WRONG: dict[str, tuple[str, str, str, str]] = {
    "a decoder's task on an encoder": (ENCODER, TEXTS, '"causal_lm"', "is an encoder, and a causal_lm task needs"),
    "a seq2seq task on an encoder": (ENCODER, KINDS["seq2seq"][1], '"seq2seq"', "an encoder-decoder"),
    "a seq2seq task on a decoder": (LLAMA, KINDS["seq2seq"][1], '"seq2seq"', "an encoder-decoder"),
    "hidden words for a decoder": (LLAMA, KINDS["masked"][1].partition("[tasks.mood]")[0], '"masked_lm"', "an encoder"),
    "a head on an encoder-decoder": (
        T5, '[tasks.t]\ntype = "classification"\ndata = ["films"]\n', '"classification"', "can't look at"),
    "two language heads": (
        ENCODER, KINDS["masked"][1] + TEXTS.partition("[tasks.mood]")[0], '"causal_lm"', "is an encoder"),
    "prefixes for an encoder": (
        ENCODER.replace("max_length", 'adapter = { type = "prefix_tuning" }\nmax_length'), KINDS["similarity"][1],
        '"prefix_tuning"', "needs a decoder"),
    "virtual tokens for an encoder-decoder": (
        T5.replace("max_length", 'adapter = { type = "prompt_tuning" }\nmax_length', 1), KINDS["seq2seq"][1],
        '"prompt_tuning"', "needs an encoder or a decoder"),
    "virtual tokens beyond the last position": (
        LLAMA.replace("max_length = 24", 'adapter = { type = "prompt_tuning" }\nmax_length = 60', 1), TEXTS, "60",
        "virtual tokens are more than"),
    "virtual tokens for each task": (
        ENCODER.replace("max_length", 'adapter = { type = "prompt_tuning", per_task = true }\nmax_length'),
        KINDS["similarity"][1], "per_task", "are shared by all tasks"),
    "a fresh head beside an adapter": (
        lora(ENCODER), KINDS["masked"][1].partition("[tasks.mood]")[0], '"masked_lm"', "beside an adapter"),
    "no template": (LLAMA, CHAT.replace("chat_template", "#"), '"chat"', "has no chat template"),
    "a template without marks": (
        LLAMA, CHAT.replace("{% generation %}", "").replace("{% endgeneration %}", ""), "{% for", "does not mark"),
    "nothing counts": (
        LLAMA.replace("max_length = 24", "max_length = 5"), CHAT, "5", "counts: there is nothing to learn"),
    "a metric that scores no texts": (
        LLAMA, TEXTS.replace('"chrf"', '"macro_f1"'), '"macro_f1"', "does not score texts"),
    "a metric of another shape": (
        LLAMA, TEXTS.replace('[tasks.said.generate]', 'metrics = ["accuracy"]\n[tasks.said.generate]'), '"accuracy"',
        "does not fit a causal_lm task"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_told_at_its_line(case: str, tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "encoder").symlink_to(encoder)
    model, tasks, place, words = WRONG[case]
    spec = written(tmp_path, "wrong", model, tasks)
    found = faults(spec)
    assert [each for each in found if words in each.message], [each.message for each in found]
    fault = next(each for each in found if words in each.message)
    assert place in text_at(spec, fault) or place in spec.read_text().splitlines()[fault.line - 1]
    assert fault.hint


def chats(folder: Path, *messages: list[dict[str, str]]) -> Path:
    """A spec over chats."""
    spec = written(folder, "chats", LLAMA, CHAT)
    with (folder / "train.jsonl").open("a", encoding="utf-8") as file:
        for number, each in enumerate(messages):
            file.write(json.dumps({"text": f"x{number}", "label": "good", "size": "s", "messages": each}) + "\n")
    return spec


USER, OTHER = {"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([USER], "a chat ends with the assistant"),
        ([USER, OTHER, USER], "a chat ends with the assistant"),
        ([USER, USER, OTHER], "two messages of the user follow each other"),
        ([OTHER], "a chat begins with the user"),
        ([USER, {"role": "bot", "content": "hi"}], "the role `bot`"),
        ([USER, {"role": "system", "content": "hi"}, OTHER], "a system message stands behind others"),
    ],
    ids=["only the user", "ends with the user", "two user turns", "begins with the assistant", "role", "late system"],
)
def test_a_chat_that_cannot_be_learned_from_is_told_with_its_line(
    messages: list[dict[str, str]], words: str, tmp_path: Path
) -> None:
    fault = only(chats(tmp_path, messages))
    assert words in fault.message and "line 49" in fault.message
    assert fault.line and "[tasks.t]" in Path(fault.file).read_text().splitlines()[fault.line - 1]


def test_what_is_cut_away_is_counted_and_warned_of(tmp_path: Path) -> None:
    spec = written(tmp_path, "cut", LLAMA.replace("max_length = 24", "max_length = 20"), KINDS["completion"][1])
    warnings = [each for each in planned(spec).checked.warnings if each.code == "mask"]
    assert (
        len(warnings) == 1
        and "cuts what `t` learns off" in warnings[0].message
        and " of 48 rows" in warnings[0].message
    )


def test_a_vocabulary_smaller_than_the_tokenizer_is_refused(tmp_path: Path, encoder: Path) -> None:
    import shutil

    shutil.copytree(encoder, tmp_path / "encoder")
    config: dict[str, Any] = json.loads((tmp_path / "encoder/config.json").read_text())
    words = config["vocab_size"]
    (tmp_path / "encoder/config.json").write_text(json.dumps(config | {"vocab_size": words - 3}))
    fault = only(written(tmp_path, "small", ENCODER, KINDS["similarity"][1]))
    assert f"has {words} tokens, its model knows {words - 3}" in fault.message
    assert "./encoder" in text_at(tmp_path / "small.toml", fault)


def test_an_end_of_texts_must_be_known(tmp_path: Path) -> None:
    from runner.run.experiment import prepare

    results = tmp_path / "results"
    base = prepare(written(tmp_path, "base", LLAMA, TEXTS), results).checked.base
    import shutil

    shutil.copytree(base.folder, tmp_path / "endless")
    for name, keys in (("config.json", ("eos_token_id", "pad_token_id")), ("tokenizer_config.json", ("eos_token",))):
        told = json.loads((tmp_path / "endless" / name).read_text())
        (tmp_path / "endless" / name).write_text(json.dumps({k: v for k, v in told.items() if k not in keys}))
    (tmp_path / "endless" / "generation_config.json").unlink(missing_ok=True)
    model = '[model]\nbase = "./endless"\nmax_length = 24\n'
    fault = only(written(tmp_path, "without", model, TEXTS))
    assert "has no token that ends a text" in fault.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"llama"', '"lama"', "no architecture `lama`"),
        ("hidden_size", "hiden_size", "has no setting `hiden_size`"),
        ("num_attention_heads = 2", "num_attention_heads = 3", "no `llama` can be built so"),
        ("vocabulary = 300", "vocabulary = 3", "at least 300"),
        ("hidden_size", "vocab_size", "follows from the tokenizer"),
    ],
)
def test_an_architecture_that_cannot_be_built_is_told(old: str, new: str, words: str, tmp_path: Path) -> None:
    found = faults(written(tmp_path, "wrong", LLAMA.replace(old, new), TEXTS))
    assert [each for each in found if words in each.message + each.hint], [each.message for each in found]


def test_a_run_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    fault = only(written(tmp_path, "from", '[model]\nbase = "run:nothing"\nmax_length = 24\n', TEXTS))
    assert "no finished run `nothing`" in fault.message and "run:nothing" in text_at(tmp_path / "from.toml", fault)


@pytest.mark.parametrize(
    "adapter", [LORA, 'adapter = { type = "prompt_tuning" }', 'adapter = { type = "prefix_tuning" }', ""]
)
def test_a_preference_is_measured_from_the_model_without_its_adapter(adapter: str, tmp_path: Path) -> None:
    import torch

    from runner.run.tuning import fresh, streams_of
    from runner.run.work import Work

    def said(more: str) -> torch.Tensor:
        spec = written(
            tmp_path, "prefers", LLAMA.replace("max_length", f"{more}\nmax_length", 1), KINDS["preference"][1]
        )
        plan = planned(spec)
        work = Work(plan, plan.trials[0], Path(), None, checker(tmp_path / "results/cache").cache)  # type: ignore[arg-type]
        module, feed = fresh(work, streams_of(work), 4)
        module.network.eval()
        with torch.no_grad():
            for each in module.network.trainable().values() if more else ():
                each += 0.3
            return module.network(next(iter(feed.train_dataloader())), ("t",))["t"]

    plain, adapted = said(""), said(adapter)
    torch.testing.assert_close(adapted[:, 3:], plain[:, :3], atol=1e-4, rtol=1e-4)
    assert not adapter or not torch.allclose(adapted[:, :3], plain[:, :3], atol=1e-2)
