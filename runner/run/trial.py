"""One trial: encode, train, evaluate, export; every stage leaves a record."""

from __future__ import annotations

import json
import shutil
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runner.cache.cache import Cache
from runner.errors import Interrupted, RunnerError
from runner.plan.compile import Plan, Trial, mixing_of
from runner.plan.weights import weights
from runner.run.accounting import accounted
from runner.run.activating import activated
from runner.run.company import trained_together
from runner.run.encoding import encoded
from runner.run.exporting import exported
from runner.run.opening import opening
from runner.run.probing import known, remember
from runner.run.scoring import scored
from runner.run.work import DONE, Join, Work, folder_of
from runner.run.writing import compared, writers, written
from runner.store.log import Log, attempts
from runner.train.state import replace_text


def carry_out(
    plan: Plan,
    trial: Trial,
    results: Path,
    stop: threading.Event,
    *,
    show: bool = True,
    join: Join = None,
    together: int = 1,
) -> dict[str, Any]:
    """Do the trial, from where an earlier attempt left off; its result as written to `finished.json`.

    The log gets `run_finished` whatever happens short of a kill. Raises what stopped the run.
    """
    folder = folder_of(results, trial.run)
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(folder, trial.run, attempts(folder) + 1)
    work = Work(plan, trial, folder, log, Cache(results / "cache"), join, together)
    began = time.monotonic()
    state = "failed"
    try:
        opening(work)
        result = stages(work, stop, show)
        if log.broken:
            raise RunnerError(f"the log of the run is not whole: {log.broken}", "free some space, then `runner resume`")
        replace_text(folder / DONE, json.dumps(result, indent=2) + "\n")
        state = "finished"
        shutil.rmtree(folder / "state", ignore_errors=True)
        return result
    except Interrupted as error:
        state = "interrupted"
        raise Interrupted(error.message, f"`runner resume {trial.run}` goes on from there") from None
    except (KeyboardInterrupt, SystemExit):  # the second signal; lightning makes an exit of it
        state = "interrupted"
        raise Interrupted("stopped at once", f"`runner resume {trial.run}` goes on from the last saved state") from None
    except BaseException as error:
        failed(work, error)
        if isinstance(error, OSError):
            raise RunnerError(
                f"`{error.filename or folder}`: {error.strerror}",
                "nothing recorded is lost; mend it, then `runner resume`",
            ) from error
        raise
    finally:
        log.write("run_finished", state=state, seconds=time.monotonic() - began)
        log.close()


def failed(work: Work, error: BaseException) -> None:
    """Record what stopped the run, with the last 4 KiB of its trace."""
    trace = traceback.format_exc()[-4096:]
    step = getattr(error, "step", None)
    work.log.write("failure", kind=type(error).__name__, message=str(error), trace=trace, step=step)


def stages(work: Work, stop: threading.Event, show: bool) -> dict[str, Any]:
    """The journey of the data through the steps of the plan."""
    accounted(work)
    streams = encoded(work)
    from runner.train.fit import quiet  # loads torch and lightning, which is no part of training

    quiet()
    settle(1 if work.join else work.experiment.execute.threads)
    network = untrained(work, streams) if work.experiment.train.strategy is None else None
    streams = activated(work, network, streams)
    if work.join is not None:
        work.join(network)
    began = time.monotonic()
    with work.stage("train", sum(map(len, streams["train"].values()))) as detail:
        trainer, module, feed = trained(work, network, streams, stop, show)
        changed = sum(each.numel() for each in module.network.trainable().values())
        detail.update(steps=int(module.taken), packed=module.network.packed, parameters=changed, threads=threads())
        detail.update({"together": work.together} if work.together > 1 else {})
    seconds = time.monotonic() - began
    with work.stage("evaluate"):
        scores, tuned = scored(work, lambda split: predicted(trainer, module, feed.evaluation(split)), streams)
    if writers(work):
        with work.stage("generate"):
            scores += texts(work, trainer, module, feed, streams)
    with work.stage("export"):
        model = exported(work, module.network, scores, tuned)
    return {
        "run": work.trial.run,
        "key": work.trial.key,
        "model": str(model),
        "scores": scores,
        "writes": list(writers(work)),
        "seconds": round(seconds, 3),
        "tokens_per_second": speed(work, trainer, module, feed, streams, seconds),
    }


def predicted(trainer: Any, module: Any, batches: Any) -> Iterator[Any]:
    """What the heads say, batch by batch."""
    return (piece for pieces in trainer.predict(module, dataloaders=batches) for piece in pieces)


def texts(work: Work, trainer: Any, module: Any, feed: Any, streams: Any) -> list[dict[str, Any]]:
    """Scores of what the trained network writes, and the network before training where it is asked too."""
    own = module.network
    models = {"best": own} | ({"before": untrained(work, streams)} if compared(work) else {})

    def predict(network: Any, split: str) -> Iterator[Any]:
        module.network = network
        yield from predicted(trainer, module, feed.evaluation(split))

    try:
        return written(work, models, predict, streams)
    finally:
        module.network = own


def trained(work: Work, network: Any, streams: Any, stop: threading.Event, show: bool) -> tuple[Any, Any, Any]:
    """Trainer, module and feed after the fit; the network has the weights of the best epoch."""
    from runner.train.fit import fit, fitted

    if network is not None:
        given, more = network_of(work, streams, network)
        return fit(*given, **more, record=work.log.write, stop=stop, show=show)
    steps = trained_together(work, stop, show)
    given, more = network_of(work, streams)
    trainer, module, feed = fitted(*given, **more)
    module.taken = steps
    return trainer, module, feed


def network_of(work: Work, streams: Any, network: Any = None) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a fit begins with: the network, if there is none yet, and all that it learns from."""
    checked, experiment = work.checked, work.experiment
    tasks: Any = experiment.tasks
    weights = {name: weights_of(work, name) for name in tasks}
    network = network or untrained(work, streams)
    given = (network, experiment, streams, checked.shown, weights, mixing_of(checked))
    return given, {"seed": work.trial.seed, "pad_id": checked.base.padding, "folder": work.folder / "state"}


def untrained(work: Work, streams: Any) -> Any:
    """The network as it is before training."""
    from runner.model.network import build

    checked, experiment = work.checked, work.experiment
    tasks: Any = experiment.tasks
    packs = known(work)
    network = build(
        checked.base,
        experiment.model,
        tasks,
        checked.labels,
        seed=work.trial.seed,
        packing=experiment.train.packing,
        packs=packs,
        used=used_tokens(streams, checked.base.padding),
    )
    if packs is None and network.probed is not None:
        remember(work, network.probed)
    return network


def used_tokens(streams: Any, padding: int) -> npt.NDArray[np.int64]:
    """The token ids of the training texts, and of padding, ascending."""
    return np.unique(np.concatenate([[padding], *(each.tokens for each in streams["train"].values())]))


def weights_of(work: Work, name: str) -> list[float] | None:
    """Weight of each output of a task's head."""
    found = weights(work.checked, name)
    return None if found is None else list(found.values())


def speed(work: Work, trainer: Any, module: Any, feed: Any, streams: Any, seconds: float) -> float | None:
    """Training tokens per second, if this attempt did all of the training."""
    if work.together > 1 or module.first_step or module.taken != feed.steps or work.experiment.train.max_steps:
        return None
    return float(sum(int(each.lengths.sum()) for each in streams["train"].values())) * (
        work.experiment.train.epochs / seconds
    )


def threads() -> int:
    """Processor threads of torch: sums are split among them, so that other numbers of them may round otherwise."""
    import torch

    return torch.get_num_threads()


def settle(threads: int | None, processes: int = 1) -> None:
    """Processor threads of torch, shared by the processes; and only operations that give equal bits each time."""
    import torch
    import torch.utils.deterministic

    if threads or processes > 1:
        torch.set_num_threads(max((threads or torch.get_num_threads()) // processes, 1))
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a tenth of a step
