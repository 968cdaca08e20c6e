"""What a training run is told: one tree of frozen, typed models, the same in Python, in YAML and in flags.

Precedence, the last wins: the recipe's own values, a YAML file (``--config``), single values (``--set a.b=c``) and
the flags that abbreviate them. Unknown keys and wrong types fail with the way to the key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesoscope.preprocess import ResizeFilter
from mesoscope_train.augment import Operation
from mesoscope_train.augment.self_blend import SelfBlend

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


ALL, HEAD = "all", "head"
"""What a stage trains, where it is not named by a part of the backbone."""


class Settings(BaseModel):
    """Base of all: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Settings):
    """Which pictures, and how they are drawn.

    Attributes:
        manifests: at least one when training starts; several are merged.
        fold: with a manifest of folds, the one that is validation; None where there is a split column.
        balance: ``none`` takes every row once an epoch; ``even`` draws as many fakes as reals an epoch, each class
            as often as the larger one has rows; ``weights`` leaves the rows and weighs the loss.
        pairs: batches hold a real and a fake of one group side by side wherever a group has both.
        workers: processes that read ahead; 0 reads in the process that trains.
        cache: keep decoded pictures in one file on disk, so that each is decoded once.
    """

    manifests: tuple[Path, ...] = ()
    fold: Annotated[int, Field(ge=0)] | None = None
    balance: Literal["none", "even", "weights"] = "none"
    pairs: bool = False
    workers: Annotated[int, Field(ge=0)] = 2
    cache: bool = True


class Model(Settings):
    """Which network.

    Attributes:
        detector: name in the registry with its options, ``NAME`` or ``NAME:key=value,…``.
        weights: ``imagenet`` (timm's download), ``none``, or a file, run or bundle to go on from.
        judges: what the bundle will be shown.
        size, resize, margin: of the input; None for the detector's own.
        train_size: side of the training inputs where it is smaller than `size`, for networks that take any.
    """

    detector: str
    weights: str = "none"
    judges: Literal["face", "image"] = "face"
    size: Annotated[int, Field(ge=16, le=2048)] | None = None
    resize: ResizeFilter | None = None
    margin: Annotated[float, Field(ge=0, le=4)] | None = None
    train_size: Annotated[int, Field(ge=16, le=2048)] | None = None


class Optimiser(Settings):
    """How weights are moved.

    Attributes:
        name: of the method (torch.optim).
        learning_rate: at the start, or the peak where the schedule warms up.
        weight_decay: on matrices and kernels only, never on biases and BatchNorm.
        betas: of Adam and its kin.
        momentum: of SGD.
    """

    name: Literal["adam", "adamw", "nadam", "sgd"] = "adam"
    learning_rate: Positive = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    betas: tuple[Share, Share] = (0.9, 0.999)
    momentum: Share = 0.0


class Constant(Settings):
    """The learning rate stays."""

    kind: Literal["constant"] = "constant"


class StepIterations(Settings):
    """Multiplied by `factor` every `every` optimiser steps, never below `floor` (S3's general setting)."""

    kind: Literal["step-iterations"] = "step-iterations"
    every: Count = 1000
    factor: Positive = 0.1
    floor: Positive = 1e-6


class StepEpochs(Settings):
    """Multiplied by `factor` every `every` epochs (S3's second net)."""

    kind: Literal["step-epochs"] = "step-epochs"
    every: Count = 5
    factor: Positive = 0.1


class ComputedDecay(Settings):
    """Exponential steps whose length is computed so that the floor is reached at the end (S3's first net).

    With r0 the first rate, the number of decays is ``log(floor / r0) / log(factor)``; a decay comes every
    ``steps an epoch x planned epochs / decays`` steps.

    Attributes:
        floor: lowest rate allowed.
        factor: of each decay.
        planned_epochs: that the length is computed for; None for the stage's own number.
    """

    kind: Literal["computed-decay"] = "computed-decay"
    floor: Positive = 1e-6
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    planned_epochs: Count | None = None


class Plateau(Settings):
    """Multiplied by `factor` when the validation loss has not fallen for `patience` epochs, never below `floor`."""

    kind: Literal["plateau"] = "plateau"
    factor: Positive = 0.1
    patience: Annotated[int, Field(ge=0)] = 2
    floor: Annotated[float, Field(ge=0)] = 1e-7


class Cosine(Settings):
    """Linear warm-up over a share of the steps, then half a cosine down to `floor` times the rate."""

    kind: Literal["cosine"] = "cosine"
    warmup: Share = 0.05
    floor: Share = 0.0


Schedule = Annotated[
    Constant | StepIterations | StepEpochs | ComputedDecay | Plateau | Cosine, Field(discriminator="kind")
]


class Stage(Settings):
    """One part of a run with its own optimiser: first the head, then more of the network, say.

    Attributes:
        name: of its directory and in the logs.
        epochs: at most.
        train: ``all``, ``head`` (the backbone is frozen, BatchNorm's statistics too), ``norms`` (of the backbone the
            scales and shifts of its normalisations alone), ``low-rank`` (residuals on its attention's weights, merged
            into them at the end), or the name of a part of the backbone from which on it is trained.
        rank: of those residuals.
        views: with ``head``: so many views of each training picture (the first as it is, the others augmented, drawn
            once) go through the frozen backbone once, and what comes out is kept on disk. None runs the backbone at
            every step, with fresh augmentation.
        backbone_rate: the backbone's learning rate over the head's.
        optimiser: see there.
        schedule: of the learning rate.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "all"
    epochs: Count
    train: str = ALL
    rank: Annotated[int, Field(ge=1, le=1024)] = 8
    views: Count | None = None
    backbone_rate: Positive = 1.0
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Constant()


class Loss(Settings):
    """What is made small.

    Attributes:
        kind: ``bce`` binary cross-entropy of the logit, ``squared-error`` half the squared distance between the
            sigmoid and the label.
        smoothing: labels are drawn this far towards one half.
        ranking: weight of ``log(1 + exp(real - fake))`` over the pairs of a batch (needs ``data.pairs``).
    """

    kind: Literal["bce", "squared-error"] = "bce"
    smoothing: Share = 0.0
    ranking: Annotated[float, Field(ge=0)] = 0.0


class Loop(Settings):
    """How the loop runs.

    Attributes:
        batch_size: pictures a step and a process.
        accumulate: batches whose gradients are summed into one step.
        clip: largest norm of the gradient; None for no clipping.
        precision: Lightning's word.
        channels_last: keep planes interleaved: on two processor cores twice as fast for MesoInception-4, slower for
            Meso-4 (docs/performance.md).
        ema: decay of the moving average of the weights (warmed up), which is then validated and exported; or None.
        early_stopping: epochs without a better validation value after which a stage ends; None for never.
        monitor: the validation value by which the best checkpoint is chosen.
        checkpoint_steps: a checkpoint for resuming every so many steps, and after each epoch.
        accelerator, devices, nodes: Lightning's.
        seed: of everything random.
    """

    batch_size: Count = 32
    accumulate: Count = 1
    clip: Positive | None = None
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    channels_last: bool = True
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    early_stopping: Count | None = None
    monitor: Literal["loss", "auc", "accuracy"] = "loss"
    checkpoint_steps: Count = 500
    accelerator: str = "auto"
    devices: Count = 1
    nodes: Count = 1
    seed: Annotated[int, Field(ge=0)] = 0


class Svm(Settings):
    """A support vector machine on the features of the trained network, in the place of its output layer.

    C and gamma are those of the grid with the best mean `measure` over folds that keep groups together, all of them
    in the training part; the validation part serves for calibration and thresholds alone.

    Attributes:
        network: ``train`` the network by the stages first; ``keep`` it as its first weights are; ``auto`` keeps it
            where those weights are of the whole network, its head too, and trains it otherwise.
        c: penalties that are tried.
        gamma: kernel widths that are tried, times the number of features: 1 is scikit-learn's ``scale``.
        measure: what is compared.
        folds: at most; fewer where there are fewer groups.
        balanced: both classes weigh the same in all, however many rows each has.
        exact_rows: largest training part for the exact machine; a larger one gets an approximation of the kernel.
        landmarks: of that approximation.
    """

    network: Literal["auto", "train", "keep"] = "auto"
    c: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.1, 1.0, 10.0)
    gamma: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.1, 0.3, 1.0, 3.0)
    measure: Literal["accuracy", "auc"] = "accuracy"
    folds: Annotated[int, Field(ge=2)] = 5
    balanced: bool = False
    exact_rows: Annotated[int, Field(ge=0)] = 20_000
    landmarks: Annotated[int, Field(ge=2, le=10_000)] = 1000


class Recipe(Settings):
    """A whole run.

    Attributes:
        name: of the recipe, with its variant.
        about: what it is, in a sentence.
        chosen: dotted names of settings that the study does not state and we chose.
        blend: where it is given, only the real faces of the training part are used, and each becomes a pair: itself,
            and a fake that is blended of it. A validation part without fakes is treated likewise. None: as labelled.
        augment: operations on training pictures, in order, after the blending.
        stages: in order; at least one.
        svm: fitted when the stages are done; None for none.
        fast: a smoke test: few rows, one short epoch a stage; never a result.
    """

    name: str
    about: str
    chosen: tuple[str, ...] = ()
    data: Data = Data()
    model: Model
    blend: SelfBlend | None = None
    augment: tuple[Operation, ...] = ()
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    svm: Svm | None = None
    loss: Loss = Loss()
    loop: Loop = Loop()
    fast: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"two stages have one name: {', '.join(names)}")
        if self.loss.ranking and not (self.data.pairs or self.blend):
            raise ValueError("loss.ranking needs data.pairs: true")
        if (self.data.pairs or self.blend) and self.loop.batch_size % 2:
            raise ValueError(f"{'blend' if self.blend else 'data.pairs'} needs an even loop.batch_size")
        if self.blend and (self.data.pairs or self.data.balance != "none"):
            raise ValueError("blend makes its own pairs of real faces: leave data.pairs and data.balance as they are")
        if any(stage.train != ALL for stage in self.stages) and self.model.weights == "none":
            raise ValueError(
                "a frozen backbone needs weights: a random one would stay random; "
                "give model.weights (imagenet, or a file, run or bundle of the same backbone)"
            )
        self._views_can_be_kept()
        return self

    def _views_can_be_kept(self) -> None:
        kept = [stage for stage in self.stages if stage.views]
        if any(stage.train != HEAD for stage in kept):
            raise ValueError("stages.N.views keeps what a frozen backbone gives: it needs train: head")
        if kept and self.blend:
            raise ValueError("stages.N.views keeps pictures as they are: blended ones are new at every step")
        if kept and self.loop.devices * self.loop.nodes > 1:
            raise ValueError("stages.N.views trains a head on kept features, which takes one process")
