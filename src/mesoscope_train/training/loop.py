"""Stages of a run, one after the other, each by Lightning's trainer. A run that was killed goes on where it was."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, WeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from safetensors.torch import load_file, save_file
from torch import Tensor

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError
from mesoscope_train.detectors import Detector
from mesoscope_train.detectors.low_rank import merge
from mesoscope_train.detectors.stages import let_learn
from mesoscope_train.memory import keep_freed_memory
from mesoscope_train.progress import progress
from mesoscope_train.recipes.settings import Recipe, Stage
from mesoscope_train.training.examples import Examples
from mesoscope_train.training.features import HeadOnly, features_directory, kept_features
from mesoscope_train.training.history import Epoch, EpochWatcher, HistoryWriter
from mesoscope_train.training.order import EpochOrder
from mesoscope_train.training.pictures import Pictures, Readable, TrainingLoader, validation_loader
from mesoscope_train.training.run import Run
from mesoscope_train.training.showing import EpochProgress
from mesoscope_train.training.task import Task

LAST, BEST = "last.ckpt", "best.ckpt"
_MODES = {"loss": "min", "auc": "max", "accuracy": "max"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run reads.

    Attributes:
        train, validation: pictures.
        examples: the training rows, for order and class weights.
        watch: told of every epoch when it is over; may raise to end the run.
    """

    train: Pictures
    validation: Pictures
    examples: Examples
    watch: Callable[[Epoch], None] | None = None


def run_stages(run: Run, recipe: Recipe, detector: Detector, parts: Parts) -> None:
    """Run all stages that are not done yet; `detector` ends with the best weights of the last one.

    Args:
        run: its directory; a stage whose directory holds its weights is finished.
        recipe: of the run.
        detector: with its first weights; changed.
        parts: what is read.

    Raises:
        TrainingDiverged: a loss or a gradient is not finite.
        UsageError: a checkpoint is of another network.
    """
    keep_freed_memory()
    for number, stage in enumerate(recipe.stages, start=1):
        finished = run.stage(number, stage.name) / "model.safetensors"
        if not finished.is_file():
            let_learn(detector, stage.train, rank=stage.rank, seed=recipe.loop.seed)
            _run_stage(run, number, recipe, detector, parts)
        detector.load_state_dict(load_file(finished))
    # what is measured on it next must not depend, to the last bit, on how its planes lay in training
    detector.to(memory_format=torch.contiguous_format)
    if getattr(rank_zero_only, "rank", 0) == 0:
        _save(detector, run.weights_file)


def _run_stage(run: Run, number: int, recipe: Recipe, detector: Detector, parts: Parts) -> None:
    stage, loop = recipe.stages[number - 1], recipe.loop
    directory = run.stage(number, stage.name)
    world = loop.devices * loop.nodes
    with _quiet():
        trainer = _trainer(run, recipe, stage, directory)
    if parts.watch is not None:
        trainer.callbacks.append(EpochWatcher(run.history_file, parts.watch))
    order = _order(recipe, parts.examples, rank=trainer.global_rank, world=world)
    if not len(order):
        raise UsageError(
            f"{len(parts.examples):,} training pictures do not fill one batch of {loop.batch_size} on {world} "
            "process(es); choose a smaller --batch-size"
        )
    learner, train, checked = _learnt_from(detector, recipe, stage, parts, trainer)
    workers = 0 if stage.views else recipe.data.workers
    task = Task(
        learner,
        recipe,
        stage,
        steps_an_epoch=-(-len(order) // loop.accumulate),
        class_weights=_class_weights(recipe, parts.examples),
    )
    training = TrainingLoader(train, order, lambda: _place(trainer), workers=workers, pinned=_on_gpu(trainer))
    validation = validation_loader(checked, loop.batch_size, workers=workers, rank=trainer.global_rank, world=world)
    last = directory / LAST
    with _quiet():
        # weights_only=False would unpickle whatever stands in the file; these files are plain tensors and numbers
        try:
            trainer.fit(task, training, validation, ckpt_path=last if last.is_file() else None, weights_only=True)
        except SystemExit:  # what Lightning makes of Ctrl-C
            if trainer.interrupted:
                raise KeyboardInterrupt from None
            raise
    best = trainer.checkpoint_callbacks[0]
    assert isinstance(best, ModelCheckpoint)  # noqa: S101 - the first one is ours
    if trainer.is_global_zero:
        _load_checkpoint(learner, Path(best.best_model_path or last))
    merge(detector)  # what the stage added to it becomes part of its weights
    if trainer.is_global_zero:
        _save(detector, directory / "model.safetensors")
    trainer.strategy.barrier("stage-saved")


def _learnt_from(
    detector: Detector, recipe: Recipe, stage: Stage, parts: Parts, trainer: lightning.Trainer
) -> tuple[Detector, Readable, Readable]:
    """What learns and what it reads: the detector and pictures, or its head and what its backbone makes of them."""
    if not stage.views:
        return detector, parts.train, parts.validation
    head, device, directory = HeadOnly(detector), trainer.strategy.root_device, features_directory()
    found = []
    for pictures, views in ((parts.train, stage.views), (parts.validation, 1)):
        with progress("features of the frozen backbone", len(pictures) * views) as step:
            found.append(
                kept_features(detector, pictures, views=views, device=device, directory=directory, step=step)
            )
    return head, found[0], found[1]


def _trainer(run: Run, recipe: Recipe, stage: Stage, directory: Path) -> lightning.Trainer:
    loop = recipe.loop
    return lightning.Trainer(
        accelerator=loop.accelerator,
        devices=loop.devices,
        num_nodes=loop.nodes,
        strategy="ddp" if loop.devices * loop.nodes > 1 else "auto",
        precision=loop.precision,
        max_epochs=stage.epochs,
        accumulate_grad_batches=loop.accumulate,
        gradient_clip_val=loop.clip,
        callbacks=_callbacks(run, recipe, stage, directory),
        logger=TensorBoardLogger(run.path / "tensorboard", name=stage.name, version=""),
        use_distributed_sampler=False,  # `EpochOrder` shares the rows out itself
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        enable_model_summary=False,
        enable_progress_bar=False,  # Lightning's writes to stdout, which belongs to results
        default_root_dir=directory,
    )


def _callbacks(run: Run, recipe: Recipe, stage: Stage, directory: Path) -> list[Callback]:
    loop = recipe.loop
    monitor, mode, last = f"val_{loop.monitor}", _MODES[loop.monitor], LAST.removesuffix(".ckpt")
    callbacks: list[Callback] = [
        ModelCheckpoint(
            directory, BEST.removesuffix(".ckpt"), monitor=monitor, mode=mode, enable_version_counter=False
        ),
        # both write one file: whatever came last is where a killed run goes on
        ModelCheckpoint(
            directory, last, every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
        ),
        ModelCheckpoint(directory, last, every_n_train_steps=loop.checkpoint_steps, enable_version_counter=False),
        HistoryWriter(run.history_file, stage.name, loop.batch_size * loop.devices * loop.nodes),
        EpochProgress(stage.name),
    ]
    if loop.early_stopping:
        callbacks.append(EarlyStopping(monitor, patience=loop.early_stopping, mode=mode))
    if loop.ema:
        callbacks.append(WeightAveraging(avg_fn=warmed_average(loop.ema)))
    return callbacks


def warmed_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential moving average whose decay grows with the steps, ``min(decay, (1 + n) / (10 + n))``.

    Without that the first hundreds of averages are mostly random weights and BatchNorm's first statistics, and
    validation tells nothing: on dfdc-faces at step 1,050 (decay 0.998) an AUC of 0.49 where the weights have 0.68.

    Source: the warm-up of TensorFlow's ``ExponentialMovingAverage(num_updates)``.

    Returns:
        for torch's `AveragedModel`: (average, current, averages so far) to the new average.
    """

    def average(averaged: Tensor, current: Tensor, so_far: Tensor | int) -> Tensor:
        n = float(so_far)
        rate = min(decay, (1 + n) / (10 + n))
        return averaged + (current - averaged) * (1 - rate)  # so what is frozen stays the same to the last bit

    return average


def _order(recipe: Recipe, examples: Examples, *, rank: int, world: int) -> EpochOrder:
    return EpochOrder(
        examples.fake,
        examples.groups,
        recipe.loop.batch_size,
        recipe.loop.seed,
        balance="even" if recipe.data.balance == "even" else "none",
        pairs=recipe.data.pairs,
        twins=recipe.blend is not None,
        rank=rank,
        world=world,
    )


def _class_weights(recipe: Recipe, examples: Examples) -> tuple[float, float]:
    """Such that both classes weigh the same in all and the mean weight is one."""
    if recipe.data.balance != "weights":
        return 1.0, 1.0
    return len(examples) / (2 * examples.n_real), len(examples) / (2 * examples.n_fake)


def _load_checkpoint(detector: Detector, path: Path) -> None:
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    prefix = "detector."
    detector.load_state_dict({key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)})


def _save(detector: Detector, path: Path) -> None:
    state = {key: value.detach().cpu().contiguous() for key, value in detector.state_dict().items()}
    with replacing(path) as partial, explained(path):
        save_file(state, partial)


def _place(trainer: lightning.Trainer) -> tuple[int, int]:
    """The epoch that is running, and how many of its batches are done; a resumed run has them from its checkpoint."""
    return trainer.current_epoch, trainer.fit_loop.epoch_loop.batch_progress.current.ready


def _on_gpu(trainer: lightning.Trainer) -> bool:
    return trainer.strategy.root_device.type == "cuda"


class _quiet(warnings.catch_warnings):  # noqa: N801 - used like a function
    """Without Lightning's advice on numbers of workers and its greeting."""

    def __enter__(self) -> Any:  # noqa: ANN401
        entered = super().__enter__()
        warnings.filterwarnings("ignore", module="lightning")
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        return entered
