"""An exported folder: others load it, it answers as the network did, and it runs nobody's code."""

from __future__ import annotations

import errno
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from runner.errors import RunnerError
from runner.model import save as saving
from runner.model.dropout import Source
from runner.model.network import Network
from runner.model.save import load, save
from runner.model.trunk import tokens_of
from runner.plan.base import Base
from tests.model.tiny import LABELS, batch, experiment, network, same, sequences, weights_of

LORA = {"type": "lora", "rank": 2}
PROMPT = {"type": "prompt_tuning", "tokens": 3}
APART = {**LORA, "per_task": True}
TEXTS = ["the film was good", "we saw a sad day", "it is nice and sweet and fine and superb today"]
LENGTHS = [4, 7, 5]


def trained(encoder: Path, adapter: dict[str, Any] | None = None, **model: Any) -> Network:
    """A network whose every trainable weight differs from what a new one would have."""
    net = network(encoder, adapter=adapter, **model).eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in net.trainable().values():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return net


def export(net: Network, folder: Path, encoder: Path, adapter: dict[str, Any] | None = None, **model: Any) -> Path:
    spec = experiment(model={"adapter": adapter, "max_length": 12, **model})
    save(net, folder, Base("./encoder", encoder), spec, LABELS)
    return folder


def vectors(trunk: torch.nn.Module) -> torch.Tensor:
    """Token vectors as plain transformers computes them, each text alone."""
    with torch.no_grad():
        alone = [trunk(input_ids=torch.from_numpy(each)[None]) for each in sequences(LENGTHS)]
    return torch.cat([each.last_hidden_state[0] for each in alone])


def own_vectors(net: Network) -> torch.Tensor:
    with torch.no_grad():
        return tokens_of(net.trunk, batch(LENGTHS, packed=net.packed), Source())


def test_plain_transformers_loads_a_full_model(encoder, tmp_path):
    from transformers import AutoModel

    net = trained(encoder)
    plain = AutoModel.from_pretrained(export(net, tmp_path / "model", encoder)).eval()
    assert same(dict(plain.named_parameters()), dict(net.trunk.named_parameters()))
    torch.testing.assert_close(vectors(plain), own_vectors(net), atol=1e-5, rtol=1e-5)


def test_plain_peft_loads_an_adapter(encoder, tmp_path):
    from peft import PeftModel
    from transformers import AutoModel

    net = trained(encoder, LORA)
    folder = export(net, tmp_path / "model", encoder, LORA)
    assert not (folder / "model.safetensors").exists()
    bare = AutoModel.from_pretrained(encoder).eval()
    before = vectors(bare)
    adapted = PeftModel.from_pretrained(bare, folder).eval()
    torch.testing.assert_close(vectors(adapted), own_vectors(net), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(before, own_vectors(net), atol=1e-2)


def probabilities(net: Network, folder: Path, texts: list[Any]) -> dict[str, list[list[float]]]:
    """What the network says, computed without the predictor."""
    from tokenizers import Tokenizer

    from runner.model.batch import build

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoded = [tokenizer.encode(*([text] if isinstance(text, str) else text)) for text in texts]
    ids = [torch.tensor(each.ids[:11] + each.ids[-1:] if len(each.ids) > 12 else each.ids).numpy() for each in encoded]
    pairs = [len(each.ids) - sum(each.type_ids) for each in encoded]
    with torch.no_grad():
        logits = net(build("s", range(len(ids)), ids, pairs, {}, packed=net.packed, pad_id=0), tuple(LABELS))
    return {task: values.softmax(-1).tolist() for task, values in logits.items()}


@pytest.mark.parametrize("adapter", [None, LORA, APART, PROMPT])
@pytest.mark.parametrize(
    "texts", [TEXTS, [("the film", "was good"), ("a day", "was sad and poor")], [" ".join(["good day"] * 20)]]
)
def test_a_loaded_folder_answers_as_the_network_did(encoder, tmp_path, adapter, texts):
    net = trained(encoder, adapter)
    folder = export(net, tmp_path / "model", encoder, adapter)
    if isinstance(texts[0], tuple):
        about = json.loads((folder / "heads.json").read_bytes())
        for task in about["tasks"].values():
            task["input"] = ["first", "second"]
        (folder / "heads.json").write_text(json.dumps(about), encoding="utf-8")
    found = load(folder)(texts)
    expected = probabilities(net, folder, texts)
    for row, answer in enumerate(found):
        assert {task: tuple(each) for task, each in answer.items()} == LABELS
        for task, each in answer.items():
            assert list(each.values()) == pytest.approx(expected[task][row], abs=1e-5)
            assert sum(each.values()) == pytest.approx(1)
    assert len(found) == len(texts)


@pytest.mark.parametrize(
    "model", [{"reinitialise": 1}, {"freeze": {"layers": "all"}}, {"pooling": "attention"}], ids=str
)
def test_a_loaded_folder_has_the_weights_that_were_trained(encoder, tmp_path, model):
    """Loading neither freezes nor draws anything anew; a query of pooling comes back too."""
    net = trained(encoder, **({"pooling": model["pooling"]} if "pooling" in model else {}))
    folder = export(net, tmp_path / "model", encoder, **model)
    found = load(folder)
    assert same(weights_of(found.network), weights_of(net))
    assert set(found.network.trainable()) == set(net.trainable())
    expected = probabilities(net, folder, TEXTS)["mood"]
    assert [list(each["mood"].values()) for each in found(TEXTS)] == pytest.approx(np.array(expected), abs=1e-5)


def test_no_texts_have_no_answers(encoder, tmp_path):
    assert load(export(trained(encoder), tmp_path / "model", encoder))([]) == []


def test_answers_bear_the_names_that_the_folder_was_saved_with(encoder, tmp_path):
    shown = LABELS | {"mood": ("negative", "good")}
    save(trained(encoder), tmp_path / "model", Base("./encoder", encoder), experiment(), shown)
    (answer,) = load(tmp_path / "model")(["a day"])
    assert list(answer["mood"]) == ["negative", "good"]


def test_a_folder_that_is_none_of_ours_is_refused(encoder):
    with pytest.raises(RunnerError, match=r"heads\.json"):
        load(encoder)


def test_an_adapter_finds_its_base_where_it_was_or_where_the_spec_leads(encoder, tmp_path, monkeypatch):
    base = shutil.copytree(encoder, tmp_path / "base")
    folder = export(trained(encoder, LORA), tmp_path / "model", base, LORA)
    expected = load(folder)(TEXTS)
    monkeypatch.chdir(tmp_path)
    base.rename(tmp_path / "encoder")
    assert load(folder)(TEXTS) == expected
    shutil.rmtree(tmp_path / "encoder")
    with pytest.raises(RunnerError, match=r"\./encoder"):
        load(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("older", [False, True])
def test_a_folder_appears_whole_or_not_at_all(encoder, tmp_path, monkeypatch, older):
    folder = tmp_path / "model"
    before = content(export(trained(encoder), folder, encoder)) if older else {}

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saving.shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        export(network(encoder), folder, encoder)
    assert folder.exists() == older
    assert (content(folder) if older else {}) == before


def test_a_second_save_replaces_the_first_and_heals_a_torn_one(encoder, tmp_path):
    folder = export(trained(encoder), tmp_path / "model", encoder)
    (folder / "old.txt").write_text("old", encoding="utf-8")
    torn = tmp_path / ".model.part"
    torn.mkdir()
    (torn / "half.txt").write_text("half", encoding="utf-8")
    net = network(encoder).eval()
    export(net, folder, encoder)
    assert not {"old.txt", "half.txt"} & set(content(folder))
    (answer,) = load(folder)(TEXTS[:1])
    assert list(answer["mood"].values()) == pytest.approx(probabilities(net, folder, TEXTS[:1])["mood"][0], abs=1e-5)
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


class Trap:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_a_trap_springs_when_it_is_read(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()


PICKLED = ("pytorch_model.bin", "adapter_model.bin", "heads.bin", "heads.pt", "model.pt")


@pytest.mark.parametrize("adapter", [None, LORA])
@pytest.mark.parametrize("whole", [True, False])
def test_a_pickle_in_the_folder_is_never_read(encoder, tmp_path, adapter, whole):
    folder = export(trained(encoder, adapter), tmp_path / "model", encoder, adapter)
    for name in PICKLED:
        (folder / name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    if whole:
        assert len(load(folder)(TEXTS)) == 3
    else:
        (folder / ("model.safetensors" if adapter is None else "adapter_model.safetensors")).unlink()
        with pytest.raises((OSError, RunnerError)):
            load(folder)
    assert not (tmp_path / "sprung").exists()


def test_texts_that_no_head_reads_are_refused(encoder, tmp_path):
    folder = export(trained(encoder), tmp_path / "model", encoder)
    with pytest.raises(RunnerError, match="no head reads 2 texts at once"):
        load(folder)([("the film", "was good")])
    assert load(folder)([]) == []
