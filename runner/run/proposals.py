"""Proposals: an Optuna study over the ranges of a search, told what trials found; only this file knows Optuna."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from runner.errors import RunnerError
from runner.spec.search import Range, Search

Params = Mapping[str, Any]


class Proposals:
    """Points to try. Each follows from the seed, its number, and what was told before: so a search can be resumed."""

    def __init__(self, search: Search, directions: Sequence[str], epochs: int) -> None:
        self.optuna = loaded()
        self.search, self.epochs, self.waiting = search, epochs, 0
        self.spaces = {name: distribution(self.optuna, each) for name, each in search.space.items()}
        self.study = self.optuna.create_study(directions=list(directions), pruner=self.pruner())

    def ask(self, number: int) -> Any:
        """The trial of a number, counted from 0."""
        if self.search.sampler == "qmc" and not self.waiting:
            self.study.enqueue_trial(self.sobol(number))
        self.waiting = max(self.waiting - 1, 0)
        self.study.sampler = self.sampler(number)
        return self.study.ask(self.spaces)

    def enqueue(self, point: Params) -> None:
        """Let the next trial have these values."""
        self.waiting += 1
        self.study.enqueue_trial({name: self.inner(name, value) for name, value in point.items()})

    def point(self, trial: Any) -> dict[str, Any]:
        """The values of a trial by their dotted field."""
        return {name: self.outer(name, trial.params[name]) for name in self.search.space}

    def inner(self, name: str, value: Any) -> Any:
        """A value as Optuna has it: choices are JSON there, for they may be tables."""
        return json.dumps(value, sort_keys=True) if self.search.space[name].choices is not None else value

    def outer(self, name: str, value: Any) -> Any:
        """The value of a spec."""
        return json.loads(value) if self.search.space[name].choices is not None else value

    def holds(self, name: str, value: Any) -> bool:
        """Whether a value lies in the range of a field."""
        choices = self.search.space[name].choices
        if choices is not None:
            return value in choices
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and bool(self.spaces[name]._contains(value))

    def finished(self, trial: Any, values: Sequence[float], broken: Mapping[str, float]) -> None:
        """Tell what a trial found, and by how much it breaks its bounds (0 or less where it keeps to them)."""
        for name, amount in broken.items():
            trial.set_constraint(name, amount)
        self.study.tell(trial, list(values))

    def ended(self, trial: Any, state: str) -> None:
        """Tell that a trial was given up, or failed."""
        states = self.optuna.trial.TrialState
        self.study.tell(trial, state=states.PRUNED if state == "pruned" else states.FAIL)

    def hopeless(self, trial: Any, curve: Mapping[int, float]) -> bool:
        """Whether a trial with these values after its epochs should be given up."""
        known = self.study.trials[trial.number].intermediate_values
        for epoch, value in sorted(curve.items()):
            if epoch not in known:
                trial.report(value, step=epoch)
                if trial.should_prune():
                    return True
        return False

    def sampler(self, number: int) -> Any:
        """The rule of the spec, seeded for one trial."""
        samplers, search = self.optuna.samplers, self.search
        seed = (search.sampler_seed + 1_000_003 * number) % 2**32
        if search.sampler == "tpe":
            return samplers.TPESampler(seed=seed, n_startup_trials=search.startup_trials, multivariate=True)
        if search.sampler == "gp":
            return samplers.GPSampler(seed=seed, n_startup_trials=search.startup_trials)
        if search.sampler == "cmaes":
            return samplers.CmaEsSampler(seed=seed)
        return samplers.RandomSampler(seed=seed)

    def sobol(self, number: int) -> dict[str, Any]:
        """The point of a number in a scrambled Sobol sequence: Optuna's own counts in the study, which is not kept."""
        from scipy.stats.qmc import Sobol

        sequence = Sobol(len(self.spaces), scramble=True, rng=self.search.sampler_seed)
        shares = sequence.fast_forward(number).random(1)[0] if number else sequence.random(1)[0]
        named = zip(self.search.space, shares, strict=True)
        return {name: self.inner(name, self.search.space[name].at(float(share))) for name, share in named}

    def pruner(self) -> Any:
        """The rule of the spec."""
        pruners, rule = self.optuna.pruners, self.search.pruner
        if rule is None:
            return pruners.NopPruner()
        if rule.type == "successive_halving":
            return pruners.SuccessiveHalvingPruner(min_resource=rule.min_epochs, reduction_factor=rule.reduction)
        if rule.type == "hyperband":
            return pruners.HyperbandPruner(rule.min_epochs, self.epochs, rule.reduction)
        first = min(self.search.startup_trials, 5)
        median = pruners.MedianPruner(n_startup_trials=first, n_warmup_steps=rule.min_epochs)
        return median if rule.type == "median" else pruners.PatientPruner(median, rule.patience)


def distribution(optuna: Any, each: Range) -> Any:
    """A range in Optuna's words."""
    kinds = optuna.distributions
    if each.choices is not None:
        return kinds.CategoricalDistribution([json.dumps(value, sort_keys=True) for value in each.choices])
    if each.whole:
        return kinds.IntDistribution(each.low, each.high, log=each.log, step=each.step or 1)
    return kinds.FloatDistribution(float(each.low or 0), float(each.high or 0), log=each.log, step=each.step)


def loaded() -> Any:
    """Optuna, without its notices; RunnerError where it is missing."""
    try:
        import optuna
    except ImportError:
        raise RunnerError("a search needs the package `optuna`", "`pip install 'runner[search]'`") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna
