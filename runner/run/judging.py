"""What proxies say of the texts that models wrote: a judgement of each text, and their means as scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.answers.texts import Texts
from runner.cache.cache import fingerprint
from runner.data.named import hashed
from runner.evaluate.means import mean
from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.plan.proxies import of_task, places
from runner.run.scoring import recorded
from runner.run.work import Work


def judged(work: Work, task: str, said: Mapping[str, tuple[Texts, Samples]], first: int) -> list[dict[str, Any]]:
    """The scores of all proxies for the texts of each model; `first` scores of the task stand before them."""
    kept: list[dict[str, Any]] = []
    rule = work.experiment.evaluate
    for at, proxy in enumerate(of_task(work.experiment.tasks[task]), first):
        found = places(proxy, work.checked.spec.folder)
        judge, key = proxy.ready(found), fingerprint(hashed(proxy, found, work.cache))
        for model, (given, samples) in said.items():
            judgements = judge(samples)
            write(work, given, model, proxy, key, judgements)
            values = [each.value for each in judgements]
            score = mean(given, proxy.criterion, values, rule.confidence, rule.resamples, work.trial.seed)
            kept += recorded(work, given.split, model, [score], at)
    return kept


def write(work: Work, given: Texts, model: str, proxy: Proxy, key: str, judgements: Iterable[Judgement]) -> None:
    """Write down what was said of every text."""
    values, raw = zip(*judgements, strict=True) if len(given) else ((), ())
    work.log.write(
        "judgements",
        split=given.split,
        task=given.task,
        model=model,
        judge=f"proxy {proxy.kind}",
        fingerprint=key,
        criterion=proxy.criterion,
        ids=list(given.ids),
        value=list(values),
        raw=list(raw),
    )


def learned(work: Work, task: str) -> Iterable[str]:
    """The training texts of a task, all its columns."""
    part: Any = work.experiment.tasks[task]
    for data in part.data:
        table = work.checked.loaded[data].splits["train"]
        for column in part.form.columns:
            for chunk in table[column].chunks:
                yield from chunk.to_pylist()
