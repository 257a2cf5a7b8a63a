"""What a spec asks of processors, GPUs and processes, against what the machine has and what goes together."""

from __future__ import annotations

from collections.abc import Iterator

from runner.data.packages import installed
from runner.plan import machine
from runner.plan.faults import Faults, Where
from runner.spec.read import Spec
from runner.spec.tables import Fresh

Clash = tuple[bool, Where, str, str]  # whether it is there, where, what is wrong, what to do


def devices(spec: Spec, faults: Faults) -> None:
    """Faults of how the work is shared, how exactly it is computed, and what must be there for it."""
    for there, where, message, hint in (*shared(spec), *sharded(spec), *computed(spec), *quantised(spec)):
        if there:
            faults.add("devices", where, message, hint, "value")


def card(spec: Spec) -> bool:
    """Whether the tensors will live on a GPU."""
    return spec.experiment.execute.accelerator != "cpu" and machine.gpus() > 0


def shared(spec: Spec) -> Iterator[Clash]:
    """Processes take whole batches of an optimizer step, each equally many."""
    train = spec.experiment.train
    count, strategy = train.devices, train.strategy
    if strategy is None:
        hint = 'write `strategy = "ddp"`, or `"fsdp"` where one GPU can\'t hold all weights'
        yield count > 1, ("train", "devices"), f"{count} processes need a `strategy`", hint
        return
    message = f"`{strategy}` shares the work among processes, but `devices` is 1"
    yield count == 1, ("train", "strategy"), message, "write `devices = 2` or more"
    written = spec.places.written(("train", "accumulate"))
    message = f"an optimizer step has {train.accumulate} batch{'es' * (train.accumulate > 1)}, which {count} processes "
    message += "can't share evenly: each computes whole batches"
    hint = f"write `accumulate = {count}` or a multiple, and a smaller `batch_size` where a step shall stay as large"
    yield train.accumulate % count > 0, ("train", "accumulate" if written else "devices"), message, hint
    if card(spec):
        message = f"`devices` is {count}, but this machine shows {machine.gpus()} GPUs"
        hint = "write fewer, or look at CUDA_VISIBLE_DEVICES"
        yield count > machine.gpus(), ("train", "devices"), message, hint


def sharded(spec: Spec) -> Iterator[Clash]:
    """What needs whole weights or gradients in one process."""
    train, model = spec.experiment.train, spec.experiment.model
    if train.strategy != "fsdp":
        return
    ddp = 'write `strategy = "ddp"`'
    message = "`pcgrad` projects whole gradients, and with `fsdp` each process holds parts of them"
    yield train.loss_balance == "pcgrad", ("train", "loss_balance"), message, ddp
    message = "`compile` reads the weights of whole layers, and with `fsdp` each process holds parts of them"
    yield train.compile, ("train", "compile"), message, f"{ddp}, or leave `compile` out"
    message = "`fp16` scales the loss, and `fsdp` knows no scale"
    yield train.precision == "fp16", ("train", "precision"), message, f'{ddp}, or "bf16"'
    message = "`thaw` lets weights learn that `fsdp` has shared out as frozen"
    thaw = model.freeze is not None and model.freeze.thaw is not None
    yield thaw, ("model", "freeze", "thaw"), message, f"{ddp}, or leave `thaw` out"
    message = "with an adapter for each task processes use other weights at once, and `fsdp` reduces the same ones"
    yield bool(getattr(model.adapter, "per_task", False)), ("model", "adapter", "per_task"), message, ddp
    message = f"`fsdp` shares out weights of 32 bits, not of {model.quantise}"
    yield model.quantise is not None, ("model", "quantise"), message, f"{ddp}, or leave `quantise` out"


def computed(spec: Spec) -> Iterator[Clash]:
    """Arithmetic, and what is computed again or compiled."""
    train = spec.experiment.train
    if train.precision == "fp16":
        where = ("train", "precision")
        yield not card(spec), where, f"`fp16` {needs_card()}", 'write "bf16", "fp32" or "auto"'
        message = "`fp16` scales the loss of a step, and `pcgrad` takes the gradient of each task"
        yield train.loss_balance == "pcgrad", where, message, 'write "bf16" or "fp32"'
    adapter = spec.experiment.model.adapter
    if train.gradient_checkpointing and adapter is not None and adapter.kind == "prefix_tuning":
        message = "`prefix_tuning` gives each layer keys from before, which a layer that is computed again would lack"
        hint = "leave it out, or choose `prompt_tuning` or `lora`"
        yield True, ("train", "gradient_checkpointing"), message, hint
    if train.compile:
        where = ("train", "compile")
        message = "`compile` needs a compiler of C++, and there is neither g++ nor clang++"
        hint = "install one, name it by the environment variable CXX, or leave `compile` out"
        yield machine.compiler() is None, where, message, hint
        message = "`compile` and `gradient_checkpointing` both decide which activations are kept"
        yield train.gradient_checkpointing, where, message, "leave one of them out"


def quantised(spec: Spec) -> Iterator[Clash]:
    """A quantised base can't be trained itself, and its kernels are those of a GPU."""
    model = spec.experiment.model
    if model.quantise is None:
        return
    bits, where, none = f"weights of {model.quantise} bits", ("model", "quantise"), "leave `quantise` out"
    yield model.adapter is None, where, f"{bits} can't be trained themselves", 'add [model.adapter], such as "lora"'
    yield isinstance(model.base, Fresh), where, "an untrained base has nothing worth keeping", none
    yield not card(spec), where, f"{bits} {needs_card('need')}", none
    message = "`quantise` needs the package `bitsandbytes`, which is not installed"
    yield card(spec) and installed("bitsandbytes") is None, where, message, "`pip install 'runner[quantise]'`"


def needs_card(verb: str = "needs") -> str:
    """What is missing."""
    return f"{verb} a GPU of Nvidia, and " + ('`accelerator` is "cpu"' if machine.gpus() else "none is found here")
