"""What proxies and judges say of the texts that models wrote: a judgement of each, and their means as scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from runner.answers.texts import Texts
from runner.cache.cache import fingerprint
from runner.data.named import hashed
from runner.evaluate.means import mean
from runner.parts.judges._judge import PREFERRED, UNREADABLE
from runner.parts.proxies._proxy import Judgement, Samples
from runner.plan.proxies import judges_of, of_task, places
from runner.run.scoring import recorded
from runner.run.work import Work

Said = Mapping[str, tuple[Texts, Samples]]


class Found(NamedTuple):
    """What was said of the texts of one model about one criterion, by whom; `fingerprint` tells all that decided it."""

    model: str
    given: Texts
    judge: str
    fingerprint: str
    criterion: str
    judgements: list[Judgement]


def judged(work: Work, task: str, said: Said, first: int) -> list[dict[str, Any]]:
    """The scores that proxies and judges give each model; `first` scores of the task stand before them."""
    kept: list[dict[str, Any]] = []
    rule = work.experiment.evaluate
    for found in (*by_proxies(work, task, said), *by_judges(work, task, said)):
        write(work, found)
        values = [each.value for each in found.judgements]
        score = mean(found.given, found.criterion, values, rule.confidence, rule.resamples, work.trial.seed)
        place = first + len({row["metric"] for row in kept} - {found.criterion})
        kept += recorded(work, found.given.split, found.model, [score], place)
    return kept


def by_proxies(work: Work, task: str, said: Said) -> Iterator[Found]:
    """What each proxy says of the texts of each model."""
    for proxy in of_task(work.experiment.tasks[task]):
        found = places(proxy, work.checked.spec.folder)
        judge, key = proxy.ready(found), fingerprint(hashed(proxy, found, work.cache))
        for model, (given, samples) in said.items():
            yield Found(model, given, f"proxy {proxy.kind}", key, proxy.criterion, judge(samples))


def by_judges(work: Work, task: str, said: Said) -> Iterator[Found]:
    """What each judge says of the texts of each model, and of the pairs of both."""
    for judge in judges_of(work.experiment.tasks[task]):
        ask = judge.asker()
        key = fingerprint({"rubric": judge.rubric(), "pairs": judge.choice(), "model": judge.model, "seed": judge.seed})
        who = f"{judge.kind} {judge.model}"
        for model, (given, samples) in said.items():
            rated = [judge.rated(ask, *each) for each in zip(samples.prompts, samples.texts, strict=True)]
            for name in (*judge.criteria, UNREADABLE):
                yield Found(model, given, who, key, f"{judge.name}_{name}", [each[name] for each in rated])
        if judge.pairwise and len(said) == 2:
            (given, samples), (_, other) = said["best"], said["before"]
            pairs = zip(samples.prompts, samples.texts, other.texts, strict=True)
            found = [judge.preferred(ask, *each) for each in pairs]
            yield Found("best", given, who, key, f"{judge.name}_{PREFERRED}", found)


def write(work: Work, found: Found) -> None:
    """Write down what was said of every text."""
    work.log.write(
        "judgements",
        split=found.given.split,
        task=found.given.task,
        model=found.model,
        judge=found.judge,
        fingerprint=found.fingerprint,
        criterion=found.criterion,
        ids=list(found.given.ids),
        value=[each.value for each in found.judgements],
        raw=[each.raw for each in found.judgements],
    )


def learned(work: Work, task: str) -> Iterable[str]:
    """The training texts of a task, all its columns."""
    part: Any = work.experiment.tasks[task]
    for data in part.data:
        table = work.checked.loaded[data].splits["train"]
        for column in part.form.columns:
            for chunk in table[column].chunks:
                yield from chunk.to_pylist()
