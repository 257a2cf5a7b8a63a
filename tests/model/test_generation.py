"""Decoders: packed as alone, written with in batches as alone, and sequences whose tokens count as they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.cache.cache import Cache
from runner.data.prompt import laid_out
from runner.data.recipe import Marks, Recipe
from runner.data.weights import fresh
from runner.kinds import pick
from runner.model.adapters import adapt
from runner.model.batch import build
from runner.model.dropout import Source
from runner.model.generation import generated
from runner.model.language import head_of, of_scores
from runner.model.trunk import choose_trunk, tokens_of
from runner.parts.tasks._form import Form
from runner.parts.tasks._generate import Generate
from runner.parts.tokenizer import tokenizer
from runner.plan.base import Base

TEXTS = ["the cat sat on the mat", "a dog ran to the cat", "naïve café: 3.14 €", "the mat is on the dog"] * 4
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32}
DECODERS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", **SIZES, "num_key_value_heads": 2, "max_position_embeddings": 64},
    "qwen2": {"model_type": "qwen2", **SIZES, "num_key_value_heads": 1, "max_position_embeddings": 64},
    "gpt2": {"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "t5": {"model_type": "t5", "d_model": 16, "d_ff": 32, "d_kv": 8, "num_heads": 2, "num_layers": 1},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Fresh models by name."""
    cache, found = Cache(tmp_path_factory.mktemp("cache")), {}

    def model(name: str) -> Base:
        if name not in found:
            found[name] = Base(name, fresh(DECODERS[name], 300, lambda: iter(TEXTS), "made up", cache))
        return found[name]

    return model


def ids_of(base: Base, texts: list[str]) -> list[np.ndarray]:
    return [np.array(tokenizer(base.tokenizer_file).encode(text).ids) for text in texts]


def batch(sequences: list[np.ndarray], packed: bool) -> Any:
    lengths = [len(each) for each in sequences]
    return build("s", range(len(sequences)), sequences, lengths, {}, packed=packed, pad_id=0)


@pytest.mark.parametrize("name", ["llama", "qwen2"])
def test_texts_packed_into_one_sequence_get_the_scores_that_they_get_alone(models: Any, name: str) -> None:
    base = models(name)
    trunk, packed = choose_trunk(base, True, "causal")
    assert packed
    trunk.eval()
    sequences = ids_of(base, TEXTS[:4])
    with torch.no_grad():
        together = head_of(trunk)(tokens_of(trunk, batch(sequences, True), Source()))
        plain, _ = choose_trunk(base, False, "causal")
        plain.eval()
        alone = [plain(input_ids=torch.from_numpy(each)[None]).logits[0] for each in sequences]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-4)


def test_no_text_sees_the_one_before_it(models: Any) -> None:
    base = models("llama")
    trunk, _ = choose_trunk(base, True, "causal")
    trunk.eval()
    first, second, other = ids_of(base, TEXTS[:3])
    with torch.no_grad():
        one = tokens_of(trunk, batch([first, second], True), Source())[len(first) :]
        two = tokens_of(trunk, batch([other, second], True), Source())[len(other) :]
    torch.testing.assert_close(one, two, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_a_batch_is_written_as_each_prompt_alone(models: Any, name: str, temperature: float) -> None:
    base = models(name)
    trunk, _ = choose_trunk(base, True, "seq2seq" if name == "t5" else "causal")
    prompts = [each.tolist() for each in ids_of(base, TEXTS[:4])]
    how, seeds = Generate(max_tokens=8, temperature=temperature, top_p=0.9, batch_size=3), [5, 6, 7, 8]
    together = generated(trunk, prompts, seeds, how, base.ends, base.padding)
    alone = [generated(trunk, [p], [s], how, base.ends, base.padding)[0] for p, s in zip(prompts, seeds, strict=True)]
    assert together == alone and all(len(each) <= 8 for each in together)
    assert generated(trunk, prompts, seeds, how, base.ends, base.padding) == together
    if temperature:
        assert generated(trunk, prompts, [9, 10, 11, 12], how, base.ends, base.padding) != together


def test_greedy_writing_is_that_of_transformers(models: Any) -> None:
    from transformers import AutoModelForCausalLM

    base = models("llama")
    trunk, _ = choose_trunk(base, True, "causal")
    (prompt,) = [each.tolist() for each in ids_of(base, TEXTS[:1])]
    plain = AutoModelForCausalLM.from_pretrained(base.folder)
    expected = plain.generate(torch.tensor([prompt]), max_new_tokens=8, do_sample=False)[0, len(prompt) :].tolist()
    (found,) = generated(trunk, [prompt], [1], Generate(max_tokens=8), base.ends, base.padding)
    assert found == [each for each in expected if each not in base.ends][: len(found)] and (
        len(found) == 8 or len(expected) < 9
    )


def test_writing_leaves_the_network_as_it_was(models: Any) -> None:
    base = models("llama")
    trunk, _ = choose_trunk(base, True, "causal")
    sequences = ids_of(base, TEXTS[:2])
    trunk.train()
    before = tokens_of(trunk, batch(sequences, True), Source())
    generated(trunk, [sequences[0].tolist()], [1], Generate(max_tokens=3), base.ends, base.padding)
    assert trunk.training and torch.equal(before, tokens_of(trunk, batch(sequences, True), Source()))


def test_surprises_of_scores_by_hand() -> None:
    scores = torch.tensor([[0.0, 0.0], [np.log(3.0), 0.0]])
    found = of_scores(scores, torch.tensor([0, 1]))
    assert found[:, 0].tolist() == pytest.approx([np.log(2), np.log(4)])
    assert found[:, 1].tolist() == pytest.approx([np.log(2), (np.log(4 / 3) + np.log(4)) / 2])
    assert found[:, 2].tolist() == [1.0, 0.0]


def recipe(base: Base, kind: Any, columns: tuple[str, ...], longest: int = 64, **more: Any) -> Recipe:
    return Recipe(Form(columns, kind, **more), base.tokenizer_file, longest, marks=base.marks)


def judged(tokens: Any, base: Base) -> str:
    """The text of the tokens that count."""
    chosen = [id for id, counts in zip(tokens.ids, tokens.judged, strict=True) if counts]
    return str(tokenizer(base.tokenizer_file).decode(chosen, skip_special_tokens=False))


texts = st.text(st.characters(codec="utf-8", exclude_characters="<"), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None, database=None)
@given(texts, st.integers(2, 40))
def test_the_pieces_of_a_text_spell_it_and_count_each_token_once(models: Any, text: str, longest: int) -> None:
    base = models("llama")
    (pieces,) = recipe(base, "blocks", ("text",), longest).cutter().windows([[text]])
    whole = [*tokenizer(base.tokenizer_file).encode(text).ids, base.marks.end]
    joined = [pieces[0].ids[0], *(id for each in pieces for id in each.ids[1:])]
    assert joined == whole and all(len(each.ids) <= longest for each in pieces)
    assert sum(sum(each.judged) for each in pieces) == len(whole) - 1
    first = len(tokenizer(base.tokenizer_file).decode(whole[:1]).encode()) if text.isascii() else None
    if first is not None:
        assert sum(each.bytes for each in pieces) == len(text.encode()) - first


def test_only_the_reply_to_a_prompt_counts(models: Any) -> None:
    base = models("llama")
    how = recipe(base, "reply", ("a", "b", "c"), prompt="{b} {a}:")
    ((found,),) = how.cutter().windows([["cat"], ["the"], [" sat"]])
    assert judged(found, base) == " sat</s>" and found.bytes == 4 and found.lost == 0
    text = tokenizer(base.tokenizer_file).decode(found.ids, skip_special_tokens=False)
    assert text == "the cat: sat</s>"


def test_a_reply_that_is_cut_counts_what_is_left_and_what_is_lost(models: Any) -> None:
    base = models("llama")
    ((whole,),) = recipe(base, "reply", ("a", "b")).cutter().windows([["the cat"], [" sat on the mat"]])
    ((found,),) = (
        recipe(base, "reply", ("a", "b"), len(whole.ids) - 2).cutter().windows([["the cat"], [" sat on the mat"]])
    )
    assert found.ids == whole.ids[:-2] and found.lost == 2 and sum(found.judged) == sum(whole.judged) - 2
    assert found.bytes == len(judged(found, base).encode())


def test_a_prompt_is_made_of_its_columns_at_once() -> None:
    assert laid_out("{a} and {b}", {"a": "{b}", "b": "x"}) == "{b} and x"
    assert laid_out("", {"a": "1", "b": "2"}) == "1\n2"
    assert laid_out("{c} {a", {"a": "1"}) == "{c} {a"


def test_openings_are_what_a_model_goes_on_with(models: Any) -> None:
    base = models("llama")
    (found,) = recipe(base, "blocks", ("t",)).cutter().openings([["the cat sat"]], 2)  # type: ignore[attr-defined]
    assert found.text + found.gold == "the cat sat" and len(found.ids) == 2
    (found,) = recipe(base, "reply", ("a", "b")).cutter().openings([["the"], ["cat"]], 2)  # type: ignore[attr-defined]
    assert (found.text, found.gold) == ("the", "cat")
    (found,) = recipe(base, "versus", ("a", "b", "c")).cutter().openings([["the"], ["cat"], ["dog"]], 2)  # type: ignore[attr-defined]
    assert found.gold == "cat"


def test_marks_are_those_of_the_folder(models: Any) -> None:
    assert models("llama").marks == Marks(2, "<s>", "</s>") and models("llama").ends == [2]


@pytest.mark.parametrize("name", DECODERS)
def test_a_fresh_model_is_the_same_each_time(models: Any, name: str, tmp_path: Path) -> None:
    again = fresh(DECODERS[name], 300, lambda: iter(TEXTS), "made up", Cache(tmp_path))
    for file in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (again / file).read_bytes() == (models(name).folder / file).read_bytes()


def test_a_decoder_without_a_pad_token_answers_as_one_with(models: Any, tmp_path: Path) -> None:
    import json
    import shutil

    base = models("llama")
    shutil.copytree(base.folder, tmp_path / "padless")
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        told = json.loads((tmp_path / "padless" / name).read_text())
        kept = {key: value for key, value in told.items() if "pad_token" not in key}
        (tmp_path / "padless" / name).write_text(json.dumps(kept))
    bare = Base("padless", tmp_path / "padless")
    prompts, seeds = [each.tolist() for each in ids_of(base, TEXTS[:3])], [1, 2, 3]
    said = [
        generated(
            choose_trunk(each, False, "causal")[0], prompts, seeds, Generate(max_tokens=6), each.ends, each.padding
        )
        for each in (base, bare)
    ]
    assert said[0] == said[1]
    vectors = []
    for each in (base, bare):
        trunk, _ = choose_trunk(each, False, "causal")
        with torch.no_grad():
            vectors.append(tokens_of(trunk.eval(), batch(ids_of(base, TEXTS[:3]), False), Source()))
    assert torch.equal(*vectors)


def with_virtual(base: Base, kind: str) -> Any:
    """A trunk with virtual tokens far from those that it began with."""
    adapter: Any = pick("adapters", kind).model_validate({"type": kind, "tokens": 5})
    trunk = adapt(choose_trunk(base, False, "causal")[0], adapter, ["t"])
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in trunk.parameters():
            if parameter.requires_grad:
                parameter += 2.0 * torch.randn(parameter.shape, generator=generator)
    return trunk.eval()


def step_by_step(trunk: Any, prompt: list[int], count: int, ends: list[int]) -> list[int]:
    """The likeliest tokens, each by the vectors that training sees."""
    ids = list(prompt)
    for _ in range(count):
        with torch.no_grad():
            vectors = tokens_of(trunk, batch([np.array(ids)], False), Source())
            ids.append(int(head_of(trunk)(vectors[-1:]).argmax()))
        if ids[-1] in ends:
            return ids[len(prompt) : -1]
    return ids[len(prompt) :]


VIRTUAL = [(name, kind) for name in ("llama", "qwen2", "gpt2") for kind in ("prompt_tuning", "prefix_tuning")]


@pytest.mark.parametrize(("name", "kind"), VIRTUAL)
def test_writing_behind_virtual_tokens_is_what_training_sees(models: Any, name: str, kind: str) -> None:
    base = models(name)
    trunk, plain = with_virtual(base, kind), choose_trunk(base, False, "causal")[0].eval()
    prompts = [each.tolist() for each in ids_of(base, ["the", *TEXTS[:3]])]
    expected = [step_by_step(trunk, each, 8, base.ends) for each in prompts]
    for size in (1, 4):
        how = Generate(max_tokens=8, batch_size=size)
        assert generated(trunk, prompts, [1] * 4, how, base.ends, base.padding) == expected
    assert expected != [step_by_step(plain, each, 8, base.ends) for each in prompts]


@pytest.mark.parametrize(("name", "kind"), VIRTUAL)
def test_drawn_texts_behind_virtual_tokens_are_those_of_each_prompt_alone(models: Any, name: str, kind: str) -> None:
    base = models(name)
    trunk = with_virtual(base, kind)
    prompts = [each.tolist() for each in ids_of(base, ["the", *TEXTS[:2]])]
    how, seeds = Generate(max_tokens=8, temperature=0.9, top_p=0.9, batch_size=3), [5, 6, 7]
    together = generated(trunk, prompts, seeds, how, base.ends, base.padding)
    alone = [generated(trunk, [p], [s], how, base.ends, base.padding)[0] for p, s in zip(prompts, seeds, strict=True)]
    assert together == alone


@pytest.mark.parametrize(("name", "kind"), VIRTUAL)
def test_vectors_behind_virtual_tokens_are_those_of_peft(models: Any, name: str, kind: str) -> None:
    base = models(name)
    trunk = with_virtual(base, kind)
    (ids,) = ids_of(base, TEXTS[:1])
    given = torch.from_numpy(ids)[None]
    with torch.no_grad():
        ours = head_of(trunk)(tokens_of(trunk, batch([ids], False), Source()))
        theirs = trunk(input_ids=given, attention_mask=torch.ones_like(given)).logits[0]
    torch.testing.assert_close(ours, theirs[-len(ids) :], atol=1e-5, rtol=1e-4)
