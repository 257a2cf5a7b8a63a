"""The tables of a spec: every word an author may write, with its type, bounds, unit and default."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from runner.kinds import Family, Part, Table, bad_value
from runner.parts.tasks._task import Task, Text
from runner.spec.grid import Grid
from runner.spec.require import Require
from runner.spec.search import Search

if TYPE_CHECKING:
    from runner.parts.augment._augmentation import Augmentation
    from runner.parts.cleaners._cleaner import Cleaner

Fraction = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
TaskName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]  # no dots: metrics are TASK.METRIC


class Freeze(Table):
    """What of the trunk stays as it was pre-trained, for a while or for good; what rests costs no optimizer memory.

    Nothing is dropped in what rests for good: it says the same of a text in each epoch.
    """

    embeddings: bool = False
    """Whether the embeddings, and what all layers share, are frozen. Default false."""
    layers: Annotated[int, Field(ge=0, le=10_000)] | Literal["all"] = 0
    """Number of layers that are frozen, counted from the lowest; `all` is the whole trunk. Default 0."""
    thaw: Annotated[int, Field(ge=2, le=10_000)] | None = None
    """Epoch, counted from 1, from which what was frozen is trained too; default never."""
    thaw_by: Literal["all", "layer"] = "all"
    """Thaw everything at once, or one layer an epoch from the highest down, embeddings last. Default all."""

    @model_validator(mode="after")
    def freezes(self) -> Self:
        if not self.embeddings and self.layers == 0:
            raise bad_value("nothing is frozen", 'write `layers = N`, `layers = "all"` or `embeddings = true`')
        if self.thaw is None and self.thaw_by == "layer":
            raise bad_value("`thaw_by` needs an epoch to begin with", "add `thaw = 2`", key="thaw_by")
        return self


Setting = bool | int | float | str | list[int]


class Fresh(Table):
    """A model that begins untrained, with weights drawn by the seed and a tokenizer of the training texts."""

    config: dict[str, Setting]
    """Settings of its architecture, as transformers names them: `model_type`, such as llama or t5, and its sizes."""
    vocabulary: Annotated[int, Field(ge=300, le=1_000_000)] = 4096
    """Most tokens of the tokenizer, byte-level BPE over the inputs and targets of all training rows. Default 4096."""

    @model_validator(mode="after")
    def has_a_type(self) -> Self:
        if not isinstance(self.config.get("model_type"), str):
            raise bad_value("`config` names no architecture", 'add model_type, such as "llama"', key="config")
        taken = sorted(self.config.keys() & {"vocab_size", "pad_token_id", "bos_token_id", "eos_token_id"})
        if taken:
            raise bad_value(f"`{taken[0]}` follows from the tokenizer", "leave it out", key="config")
        return self


class Model(Table):
    """The pre-trained trunk that the heads sit on, and how much of it is trained."""

    later: ClassVar[tuple[str, ...]] = ("freeze", "reinitialise", "quantise")

    base: Text | Fresh
    """Where the weights come from: `package:NAME` (inside an installed package), a folder, a GGUF file, a hub id,
    `run:NAME` (what an earlier run trained, by the beginning of its name), or a table of an untrained model.
    """
    revision: Text | None = None
    """Commit, tag or branch of a hub id; default: what the local cache holds."""
    max_length: Annotated[int, Field(ge=4, le=1_000_000)] = 128
    """Longest input in tokens, special tokens included; longer inputs are cut. Default 128."""
    pooling: Literal["mean", "cls", "max", "attention"] = "mean"
    """How token vectors become one vector: `mean`, the first token `cls`, `max` of each feature, or `attention`.

    `attention` is a mean weighted by the softmax of each token's product with a learned query, which begins as zeros:
    as `mean`. Default mean.
    """
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Dropout probability in front of every head. Default 0.1."""
    adapter: Annotated[Part, Family("adapters")] | None = None
    """Train a small adapter on the frozen trunk; left out = all weights are trained."""
    freeze: Freeze | None = None
    """Parts of the trunk that are not trained; left out = all weights are trained."""

    reinitialise: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Number of layers, counted from the highest, that begin with fresh weights drawn by the seed. Default 0."""
    quantise: Literal[8, 4] | None = None
    """Bits of each weight of the base's linear layers, by bitsandbytes, on a GPU below an adapter; default: 32 bits."""

    @model_validator(mode="after")
    def only_without_adapter(self) -> Self:
        if self.adapter is not None and self.freeze is not None:
            raise bad_value(
                "an adapter keeps the whole trunk frozen, so nothing is left to freeze",
                "leave out either `freeze` or `adapter`",
                key="freeze",
            )
        if self.adapter is not None and self.reinitialise:
            raise bad_value(
                "an adapter keeps the whole trunk frozen, so fresh layers would never learn",
                "leave out either `reinitialise` or `adapter`",
                key="reinitialise",
            )
        return self


class Split(Table):
    """Rows taken out of another split of the same data set."""

    from_: Annotated[Literal["train", "validation", "test"], Field(alias="from")] = "train"
    """The split whose rows are taken. Default train."""
    fraction: Fraction | None = None
    """Share of the rows, between 0 and 1, chosen by the hash of their id; adding rows moves no other row."""
    stratify: Text | None = None
    """Column whose classes each give the same share; only with `fraction`."""
    group: Text | None = None
    """Column whose equal values stay together in one split; only with `fraction`."""
    column: Text | None = None
    """Column that names the split of each row; with `values` instead of `fraction`."""
    values: Annotated[list[Text], Field(min_length=1)] | None = None
    """Values of `column` that belong to this split."""

    @model_validator(mode="after")
    def one_way(self) -> Self:
        by_column = self.column is not None or self.values is not None
        if by_column == (self.fraction is not None) or (by_column and None in (self.column, self.values)):
            raise PydanticCustomError("one_way", "a split takes either `fraction`, or `column` with `values`")
        if by_column and (self.stratify or self.group):
            raise PydanticCustomError("one_way", "`stratify` and `group` go with `fraction` only")
        if self.stratify and self.group:
            raise PydanticCustomError("one_way", "`stratify` and `group` exclude each other")
        return self


class Cap(Table):
    """Keep at most so many rows of each class."""

    cap: Annotated[int, Field(ge=1)]
    """Rows of a class at most, chosen by hash."""


class Data(Table):
    """One data set and its three splits; paths are relative to the spec's file."""

    train: Text
    """File, folder or `hub:OWNER/NAME#SPLIT` with the rows to learn from."""
    validation: Text | Split = Split.model_validate({"from": "train", "fraction": 0.1})
    """Rows that choose the best checkpoint. Default: a tenth of train, by hash."""
    test: Text | Split | None = None
    """Rows that are scored once at the end; left out = no test score."""
    format: Annotated[str, Family("sources").word()] | None = None
    """How the files are read; default: by their ending."""
    id: Text | None = None
    """Column with a stable, unique id of each row; default: the hash of the row's input."""
    empty_text: Literal["error", "drop"] = "error"
    """What to do with a row whose text or label is empty. Default error."""

    clean: list[Annotated[Part, Family("cleaners")]] = Field(default=[])
    """What mends or drops rows of the files before they are split, in this order. Default nothing."""
    leakage: Literal["drop", "error", "warn"] = "drop"
    """What to do with rows that a later split has too, each input exactly or nearly; it keeps them. Default drop."""
    sample: Annotated[int, Field(ge=1)] | Fraction | None = None
    """A whole number of rows of train, or a share below 1: stratified, a smaller one part of a larger. Default all."""
    balance: Literal["oversample", "undersample", "class_weights"] | Cap | None = None
    """How unequal classes of train are evened out: repeated or fewer rows, weights in the loss, or a cap."""
    balance_by: Text | None = None
    """Column of the classes for `balance` and `sample`; default: the target, if the tasks have but one."""
    augment: list[Annotated[Part, Family("augment")]] = Field(default=[])
    """What makes new training rows, each of the rows that were there before all of them. Default nothing."""

    groups: Text | None = None
    """Column of the files whose values `runner data` compares, an empty one as `(none)`; no row changes by it."""
    license: Text | None = None
    """Licence of the data, for the model card."""

    @property
    def rules(self) -> dict[str, Split]:
        """The splits that are taken out of others."""
        written = {"validation": self.validation, "test": self.test}
        return {name: rule for name, rule in written.items() if isinstance(rule, Split)}

    @property
    def cleaners(self) -> "list[Cleaner]":
        """What `clean` lists, as what it is."""
        return cast("list[Cleaner]", self.clean)

    @property
    def augmentations(self) -> "dict[int, Augmentation]":
        """What of `augment` makes rows, by its place: mixup makes none."""
        return {at: cast("Augmentation", part) for at, part in enumerate(self.augment) if hasattr(part, "variants")}


class Selection(Table):
    """What `combined` is: a weighted mean of validation metrics, each between 0 and 1 or -1 and 1, higher is better.

    A metric without bounds, or of which less is better, enters by a transform of d, its distance to a perfect score:
    d is the value itself where less is better, else 1 minus the value. `complement` is 1 - d, `inverse` is 1 / (1 + d)
    and `negative_exp` is e to the power of -d; all three are 1 for a perfect score and order epochs as the metric does.
    """

    weights: Annotated[dict[str, Annotated[float, Field(ge=0, le=1e6)]], Field(min_length=1)] | None = None
    """Weight of each `TASK.METRIC` in `combined`, 0 = shown, not used. Default: each task's first metric, all alike."""
    transforms: dict[str, Literal["complement", "inverse", "negative_exp"]] = Field(default={})
    """How a `TASK.METRIC` enters; errors and losses in `weights` need one. Default `inverse` for such first metrics."""

    @model_validator(mode="after")
    def something_weighs(self) -> Self:
        if self.weights is not None and not any(self.weights.values()):
            raise bad_value("all weights are 0: nothing is left to choose by", "raise one of them", "weights")
        return self


class EarlyStopping(Table):
    """Stop when a validation metric no longer improves."""

    metric: Text = "combined"
    """`combined`, `loss` or `TASK.METRIC`, measured on validation after each epoch. Default combined."""
    patience: Annotated[int, Field(ge=1, le=1000)] = 2
    """Epochs without improvement before training stops. Default 2."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """Smallest change that counts as improvement, in the metric's unit. Default 0."""


class Average(Table):
    """Mean of the weights along training, which takes their place in validation, selection and export."""

    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the old average that each optimizer step keeps; at step t it is at most (1 + t) / (10 + t)."""
    last: Annotated[int, Field(ge=2, le=1000)] | None = None
    """Number of epochs whose weights at their ends are averaged evenly, fewer at first; instead of `ema`."""

    @model_validator(mode="after")
    def one_way(self) -> Self:
        if (self.ema is None) == (self.last is None):
            raise PydanticCustomError("one_way", "an average takes either `ema` or `last`")
        return self


class Train(Table):
    """How the weights are trained: AdamW with warm-up."""

    later: ClassVar[tuple[str, ...]] = (
        "head_learning_rate",
        "layer_decay",
        "average",
        "gradient_checkpointing",
        "compile",
        "strategy",
        "devices",
    )

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 3
    """Passes over the training rows. Default 3."""
    max_steps: Annotated[int, Field(ge=1)] | None = None
    """Stop after this many optimizer steps even within an epoch; default no limit."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    """Examples of one forward pass. Default 32."""
    accumulate: Annotated[int, Field(ge=1, le=4096)] = 1
    """Batches whose gradients make one optimizer step, each example weighing the same. Default 1."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 5e-5
    """Peak learning rate after warm-up. Default 5e-5; adapters want about ten times more."""
    head_learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None
    """Peak learning rate of the heads and of attention pooling; default: `learning_rate`."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor of the learning rate from each layer of the trunk to the next one below it.

    Layer i of L, counted from the lowest, trains at `learning_rate` * `layer_decay` ^ (L - i), embeddings at
    `learning_rate` * `layer_decay` ^ (L + 1); the recorded curve is the rate of the highest layer. Default 1.
    """
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """Course of the learning rate after warm-up, down to 0 at the end. Default linear."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the optimizer steps in which the learning rate rises from 0. Default 0.1."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    """AdamW's decay per unit of learning rate; norms and biases are exempt. Default 0.01."""
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    """Largest L2 norm of all gradients together. Default 1.0."""
    loss_balance: Literal["fixed", "uncertainty", "pcgrad"] = "fixed"
    """How the losses of tasks make one: `fixed`, their sum by `loss_weight`, `uncertainty` or `pcgrad`. Default fixed.

    `uncertainty` learns a log-variance s a task, at first 0: the loss L of a labelled unit counts exp(-s) L + s / 2,
    times `loss_weight` (Kendall and others 2018, arXiv:1705.07115). `pcgrad` takes from each task's gradient in the
    trunk what goes against that of another task of the same optimizer step, in seeded order once a step (Yu and others
    2020, arXiv:2001.06782); it costs one backward pass a task.
    """
    balance_rate: Annotated[float, Field(gt=0, le=10)] = 0.01
    """Peak learning rate of the log-variances of `uncertainty`, on the course of `learning_rate`. Default 0.01."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of the forward pass; `auto` is bf16 where the processor computes in it, else fp32. Default auto.

    `fp16` needs a GPU; losses are scaled so that small gradients are not lost, and a step that overflows is left out.
    """
    batching: Literal["auto", "length_grouped", "random"] = "auto"
    """Put texts of similar length into one batch, or any. Default auto.

    `auto` is `random` where a task models language, whose loss counts tokens: in a batch of short texts each would
    count more than in one of long texts. Everywhere else it is `length_grouped`.
    """
    packing: bool = True
    """Compute without padding where the architecture allows it; the logits are the same. Default true."""
    select_by: Text = "combined"
    """Validation metric of the best checkpoint: `combined`, `loss` or `TASK.METRIC`.

    `combined` is the mean that `[selection]` describes. Default combined.
    """
    average: Average | None = None
    """Validate, select and export a mean of the weights along training; left out = the weights themselves."""
    early_stopping: EarlyStopping | None = None
    """Stop before `epochs` when validation no longer improves; left out = train to the end."""
    checkpoint_minutes: Annotated[float, Field(gt=0)] = 5.0
    """Minutes between two saved states within an epoch; each epoch's end is saved too. Default 5."""
    gradient_checkpointing: bool = False
    """Compute activations of layers again in the backward pass instead of keeping them; same weights. Default false."""
    compile: bool = False
    """Compile the trunk with torch.compile while it trains, which needs a C++ compiler. Default false."""
    strategy: Literal["ddp", "fsdp"] | None = None
    """How several processes share the batches of each optimizer step; default: one process does all.

    With `ddp` each process holds all weights, with `fsdp` a part of them. Neither changes what a run is.
    """
    devices: Annotated[int, Field(ge=1, le=1024)] = 1
    """Number of processes of `strategy`, each on a GPU of its own, or all on the processor. Default 1."""


class Evaluate(Table):
    """How the best checkpoint is scored."""

    later: ClassVar[tuple[str, ...]] = ("interval", "cluster", "by", "smallest_group")

    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 64
    """Examples of one forward pass. Default 64."""
    confidence: Fraction = 0.95
    """Coverage of the bootstrap intervals. Default 0.95."""
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """Bootstrap resamples of the examples. Default 1000."""
    interval: Literal["bca", "percentile"] = "bca"
    """How intervals come of the resamples: `percentile`, or corrected for bias and skewness. Default bca."""
    cluster: Text | None = None
    """Column whose equal values are drawn together, as rows of one document or author are alike; default: none."""
    baselines: list[Literal["majority", "tfidf"]] = Field(default=["majority", "tfidf"])
    """Simple models scored beside the trained one. Default both."""
    by: list[Text] = Field(default=[])
    """Columns of the data whose values make groups that are scored one by one; `length_bucket` is made of the words
    of the input where no file has it. Default none.
    """
    smallest_group: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Examples that a group needs to be the worst one; smaller groups are scored all the same. Default 10."""
    require: dict[str, Require] = Field(default={})
    """Bounds that scores must keep, by `METRIC` or `TASK.METRIC`; `runner scorecard` judges them. Default none."""


class Ray(Table):
    """What a trial asks of a Ray cluster; its nodes must see the folders of the specs, the data and the results."""

    address: Text | None = None
    """Where the cluster is, such as `"auto"` or `"ray://head:10001"`; default: RAY_ADDRESS, or a new one here."""
    gpus: Annotated[float, Field(ge=0, le=1024)] = 0
    """GPUs of a trial, or the part of one. Default 0."""
    memory: Annotated[float, Field(gt=0)] | None = None
    """GiB that must be free on a node where a trial begins; default: not asked for."""
    resources: dict[str, Annotated[float, Field(gt=0)]] = Field(default={})
    """Resources of the cluster's own, by name."""


class Slurm(Table):
    """What a trial asks of Slurm; its nodes must see the folders of the specs, the data and the results."""

    minutes: Annotated[float, Field(gt=0)] = 60
    """Time limit of a job; one that comes to it saves its state and is queued again. Default 60."""
    gpus: Annotated[int, Field(ge=0, le=1024)] = 0
    """GPUs of a trial. Default 0."""
    memory: Annotated[float, Field(gt=0)] | None = None
    """GiB of memory of a job; default: that of the partition."""
    partition: Text | None = None
    """Where jobs are queued; default: that of the cluster."""
    notice: Annotated[int, Field(ge=1)] = 90
    """Seconds before the end in which a job is told that it comes. Default 90."""
    requeues: Annotated[int, Field(ge=0)] = 100
    """How often a job that came to its time limit is queued again. Default 100."""
    options: dict[str, str | int | bool] = Field(default={})
    """Further options of `sbatch`, by their long names, such as `account` and `qos`."""
    local: bool = False
    """Whether jobs run as processes of this machine after all, to try a spec where there is no Slurm."""


class Execute(Table):
    """Where and how the work is done; no part of what a run is, though other hardware may round otherwise."""

    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Processor threads of one run; default: what torch chooses."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """Where the tensors live. Default auto."""
    share: Literal["auto", "adapters", "off"] = "auto"
    """What trials share beyond stages: activations of layers that never learn, computed once and kept in the cache;
    with `adapters` also the passes of a base that their adapters leave as it is. Default auto."""
    workers: Annotated[int, Field(ge=1, le=1024)] = 1
    """Trials at the same time, each in a process with its part of the cores, and a GPU of its own. Default 1."""
    backend: Literal["local", "inline", "ray", "slurm"] = "local"
    """Where trials of a grid run: processes of this machine, one by one in `runner` itself, or a cluster."""
    ray: Ray = Ray()
    """What a trial asks of a Ray cluster."""
    slurm: Slurm = Slurm()
    """What a trial asks of Slurm."""
    artifacts: Text | None = None
    """URL of a folder that the model of each run is copied to, of whatever fsspec knows; default: none."""
    time_limit: Annotated[float, Field(gt=0)] | None = None
    """Minutes that one trial may take before it is stopped and counts as failed; default: no limit."""
    memory_limit: Annotated[float, Field(gt=0)] | None = None
    """GiB of memory that the processes of one trial may hold before they are stopped; default: no limit."""
    retries: Annotated[int, Field(ge=0, le=100)] = 1
    """How often a trial is begun again, from its last saved state, after its process died. Default 1."""
    on_failure: Literal["continue", "stop"] = "continue"
    """What a failed trial means for the others of its grid. Default continue."""
    on_out_of_memory: Literal["fail", "halve"] = "fail"
    """A trial that lacks memory fails, or is tried with half of `batch_size` and twice `accumulate`. Default fail."""
    keep: Literal["all", "best", "none"] = "all"
    """Which runs of a finished grid keep their model: all, the one that validates best, or none. Default all."""


class Experiment(Table):
    """One experiment: the whole of a TOML file."""

    name: Name
    """Short name of the experiment: letters, digits, dots, dashes, underscores."""
    description: str = ""
    """What the experiment is for, in one sentence."""
    extends: Text | None = None
    """Another spec whose tables this one overrides, one level deep; relative to this file."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    """Seed of all randomness. Default 13."""
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**32)]], Field(min_length=1)] | None = None
    """Several seeds: one run each; instead of `seed`."""
    model: Model
    """The pre-trained trunk."""
    data: Annotated[dict[Name, Data], Field(min_length=1)]
    """Data sets by name."""
    tasks: Annotated[dict[TaskName, Annotated[Task, Family("tasks")]], Field(min_length=1)]
    """Tasks by name; each is one head on the shared trunk."""
    mixing: Annotated[Part, Family("mixing", word="strategy")] | None = None
    """How batches of several data sets are mixed; default proportional."""
    train: Train = Train()
    """Training."""
    selection: Selection = Selection()
    """The metric that chooses the checkpoint and stops training."""
    evaluate: Evaluate = Evaluate()
    """Evaluation."""
    execute: Execute = Execute()
    """Execution."""
    grid: Grid | Annotated[list[Grid], Field(min_length=1)] | None = None
    """Values of fields to try, one run for each combination and seed."""
    search: Search | None = None
    """Ranges of fields in which good values are searched, run after run."""

    @model_validator(mode="after")
    def seed_or_seeds(self) -> Self:
        if self.seed is not None and self.seeds is not None:
            raise PydanticCustomError("one_way", "write either `seed` or `seeds`, not both")
        return self

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, in the order written."""
        return tuple(self.seeds or [13 if self.seed is None else self.seed])

    def written(self) -> dict[str, Any]:
        """Everything with its defaults filled in, as JSON-compatible values under the author's words."""
        return self.model_dump(mode="json", by_alias=True)
