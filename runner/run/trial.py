"""One trial: encode, train, evaluate, export; every stage leaves a record."""

from __future__ import annotations

import json
import shutil
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from runner import __version__
from runner.data.cache import Cache
from runner.data.encode import encode
from runner.errors import Interrupted, RunnerError
from runner.plan.compile import Plan, Trial, mixing_of
from runner.run.environment import environment
from runner.store.log import Log, attempts
from runner.train.state import checksum, replace_text

DONE = "finished.json"
SPEC = "spec.toml"


def folder_of(results: Path, run: str) -> Path:
    """Where a run keeps its log, states and model."""
    return results / "runs" / run


def is_finished(results: Path, run: str) -> bool:
    """Whether the run has ended well."""
    return (folder_of(results, run) / DONE).is_file()


def carry_out(plan: Plan, trial: Trial, results: Path, stop: threading.Event, *, show: bool = True) -> dict[str, Any]:
    """Do the trial, from where an earlier attempt left off; its result as written to `finished.json`.

    The log gets `run_finished` whatever happens short of a kill. Raises what stopped the run.
    """
    folder = folder_of(results, trial.run)
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(folder, trial.run, attempts(folder) + 1)
    began = time.time()
    started(plan, trial, log, folder)
    state = "failed"
    try:
        result = stages(plan, trial, results, folder, log, stop, show)
        replace_text(folder / DONE, json.dumps(result, indent=2) + "\n")
        state = "finished"
        return result
    except Interrupted:
        state = "interrupted"
        raise
    except BaseException as error:
        log.write("failure", kind=type(error).__name__, message=str(error), trace=traceback.format_exc()[-4096:], step=None)
        if isinstance(error, OSError) and not isinstance(error, RunnerError):
            raise RunnerError(f"`{error.filename or folder}`: {error.strerror}", "nothing recorded is lost; mend it, then `runner resume`") from error
        raise
    finally:
        log.write("run_finished", state=state, seconds=time.time() - began)
        log.close()


def started(plan: Plan, trial: Trial, log: Log, folder: Path) -> None:
    """Record what is about to happen, and keep the spec with the run."""
    spec, written = plan.checked.spec, plan.checked.spec.experiment.written()
    place = environment(spec.folder)
    replace_text(folder / SPEC, spec.text)
    replace_text(folder / "spec.json", json.dumps(written, indent=2, ensure_ascii=False) + "\n")
    replace_text(folder / "origin.json", json.dumps({"spec": str(spec.file.resolve()), "seed": trial.seed}))
    log.write(
        "run_started",
        name=spec.experiment.name,
        description=spec.experiment.description,
        seed=trial.seed,
        trial_key=trial.key,
        plan_key=plan.key,
        spec_file=str(spec.file),
        spec_text=spec.text,
        spec_resolved=written,
        params=flat(written),
        environment=place,
        version=__version__,
    )
    for name, loaded in plan.checked.loaded.items():
        for file in loaded.files:
            log.write("data", data=name, split=file.split, file=file.path, sha256=file.sha256, rows=file.rows, bytes=file.bytes)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested tables as dotted names; lists stay whole, as JSON text."""
    if isinstance(value, dict):
        return {k: v for key, each in value.items() for k, v in flat(each, f"{path}.{key}" if path else key).items()}
    return {path: json.dumps(value) if isinstance(value, list) else value}


def stages(plan: Plan, trial: Trial, results: Path, folder: Path, log: Log, stop: threading.Event, show: bool) -> dict[str, Any]:
    """The journey of the data through the steps of the plan."""
    from runner.model.network import build
    from runner.train.fit import fit, quiet

    quiet()
    set_threads(plan.checked.spec.experiment.execute.threads)
    checked, experiment = plan.checked, plan.checked.spec.experiment
    tasks: Mapping[str, Any] = experiment.tasks
    for step in trial.steps:
        if step.name.startswith("data "):
            log.write("stage", name=step.name, key=step.key, cached=step.cached, reason=step.reason, rows=sum(step.detail["rows"].values()), seconds=0.0, detail=dict(step.detail))
    streams = encoded(plan, trial, Cache(results / "cache"), log)
    began = time.time()
    network = build(checked.base, experiment.model, tasks, checked.labels, seed=trial.seed, packing=experiment.train.packing)
    trainer, module, feed = fit(
        network,
        experiment,
        streams,
        checked.labels,
        {name: task.weights({label: checked.counts[name]["train"].get(label, 0) for label in checked.labels[name]}) for name, task in tasks.items()},
        mixing_of(checked),
        seed=trial.seed,
        pad_id=pad_id(checked.base),
        folder=folder / "state",
        record=log.write,
        stop=stop,
        show=show,
    )
    seconds = time.time() - began
    trained = int(trainer.global_step)
    seen = sum(int(each.lengths.sum()) for each in streams["train"].values()) * experiment.train.epochs
    full = module.first_step == 0 and trained == module.steps and experiment.train.max_steps is None
    speed = seen / seconds if full else None
    stage(log, trial, "train", sum(map(len, streams["train"].values())), seconds, {"steps": trained, "packed": network.packed, "tokens_per_second": speed})
    scores = evaluated(plan, trial, trainer, module, feed, streams, results, log)
    began = time.time()
    model = exported(plan, trial, network, folder, scores, log)
    stage(log, trial, "export", None, time.time() - began, {"folder": str(model)})
    shutil.rmtree(folder / "state", ignore_errors=True)
    return {"run": trial.run, "model": str(model), "scores": scores, "seconds": round(seconds, 3), "tokens_per_second": speed}


def stage(log: Log, trial: Trial, name: str, rows: int | None, seconds: float, detail: dict[str, Any]) -> None:
    """Record a stage that was carried out."""
    step = next(each for each in trial.steps if each.name == name)
    log.write("stage", name=name, key=step.key, cached=False, reason=step.reason, rows=rows, seconds=seconds, detail=detail)


def encoded(plan: Plan, trial: Trial, cache: Cache, log: Log) -> dict[str, dict[str, Any]]:
    """The streams of each split, tokens from the cache or made now."""
    from runner.model.stream import stream

    checked, experiment = plan.checked, plan.checked.spec.experiment
    streams: dict[str, dict[str, Any]] = {"train": {}, "validation": {}, "test": {}}
    for name, (data, inputs, tasks) in plan.streams.items():
        loaded = checked.loaded[data]
        for split, table in loaded.splits.items():
            began = time.time()
            tokens = encode(table, inputs, checked.base.tokenizer_file, experiment.model.max_length, cache, {"data": loaded.fingerprint, "split": split})
            targets = {task: indices(table, experiment.tasks[task], checked.labels[task]) for task in tasks}
            streams[split][name] = stream(name, tokens, targets)
            step = next(each for each in trial.steps if each.name == f"encode {name} {split}")
            log.write("stage", name=step.name, key=step.key, cached=step.cached, reason=step.reason, rows=table.num_rows, seconds=time.time() - began, detail={})
    return streams


def indices(table: Any, task: Any, labels: tuple[str, ...]) -> np.ndarray:
    """The target column as class indices."""
    position = {label: index for index, label in enumerate(labels)}
    return np.fromiter((position[label] for label in table[task.target].to_pylist()), np.int64, table.num_rows)


def evaluated(plan: Plan, trial: Trial, trainer: Any, module: Any, feed: Any, streams: Any, results: Path, log: Log) -> list[dict[str, Any]]:
    """Scores of the best checkpoint on validation and test, baselines beside, answers recorded."""
    from runner.evaluate.baselines import majority, tfidf
    from runner.evaluate.measure import measure
    from runner.model.answer import answers

    checked, experiment = plan.checked, plan.checked.spec.experiment
    rule, tasks = experiment.evaluate, experiment.tasks
    kept: list[dict[str, Any]] = []
    began = time.time()
    for split in [each for each in ("validation", "test") if streams[each]]:
        outputs = trainer.predict(module, dataloaders=feed.evaluation(split))
        for given in answers(outputs, streams[split], tasks, checked.labels, split):
            rows = rows_of(plan, given.task, split)
            write_answers(log, given, rows)
            models = {"best": given}
            if split == "test":
                train = rows_of(plan, given.task, "train")
                known = {label: index for index, label in enumerate(given.labels)}
                gold = np.array([known[label] for label in train["gold"]])
                if "majority" in rule.baselines:
                    models["majority"] = majority(gold, given.ids, given.gold, given.labels, given.task, split)
                if "tfidf" in rule.baselines:
                    models["tfidf"] = tfidf(train["text"], gold, rows["text"], given.ids, given.gold, given.labels, given.task, split)
            for model, one in models.items():
                found = [vars(m) for m in measure(one, tasks[given.task].metrics, rule.confidence, rule.resamples, trial.seed)]  # type: ignore[attr-defined]
                log.write("scores", split=split, model=model, rows=found)
                kept += [{"split": split, "model": model, **row} for row in found]
    stage(log, trial, "evaluate", None, time.time() - began, {})
    return kept


def rows_of(plan: Plan, task: str, split: str) -> dict[str, list[str]]:
    """Texts and labels of a task's rows in the order of its streams."""
    found: dict[str, list[str]] = {"text": [], "gold": []}
    part: Any = plan.checked.spec.experiment.tasks[task]
    for data, inputs, tasks in plan.streams.values():
        if task in tasks and split in plan.checked.loaded[data].splits:
            table = plan.checked.loaded[data].splits[split]
            found["text"] += [" | ".join(texts) for texts in zip(*(table[c].to_pylist() for c in inputs), strict=True)]
            found["gold"] += table[part.target].to_pylist()
    return found


def write_answers(log: Log, given: Any, rows: Mapping[str, list[str]]) -> None:
    """Record what the model said about every example."""
    span = np.arange(len(given))
    log.write(
        "answers",
        split=given.split,
        task=given.task,
        labels=list(given.labels),
        ids=list(given.ids),
        gold=[given.labels[index] for index in given.gold],
        predicted=[given.labels[index] for index in given.predicted],
        confidence=given.probabilities[span, given.predicted].tolist(),
        gold_probability=given.probabilities[span, given.gold].tolist(),
        text=rows["text"],
    )


def exported(plan: Plan, trial: Trial, network: Any, folder: Path, scores: list[dict[str, Any]], log: Log) -> Path:
    """The folder of the trained model, with its card and specs."""
    from runner.model.save import save
    from runner.run.card import card

    model = folder / "model"
    save(network, model, plan.checked.base, plan.checked.spec.experiment, plan.checked.labels)
    (model / "README.md").write_text(card(plan, trial, scores), encoding="utf-8")
    shutil.copyfile(folder / SPEC, model / SPEC)
    shutil.copyfile(folder / "spec.json", model / "spec.json")
    for file in sorted(model.iterdir()):
        log.write("artifact", name=file.name, path=str(file), sha256=checksum(file), bytes=file.stat().st_size)
    return model


def pad_id(base: Any) -> int:
    """Token id of padding; 0 where the config names none (it is masked anyway)."""
    return int(base.config.get("pad_token_id") or 0)


def set_threads(threads: int | None) -> None:
    """Processor threads of torch; and only operations that give equal bits each time."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)

