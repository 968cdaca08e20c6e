"""What happened epoch by epoch: one CSV file a run, which every stage and every resumed part goes on writing."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line.

    Attributes:
        stage, epoch: epoch counts from 1 in each stage.
        steps: optimiser steps of the stage so far.
        learning_rate: of the head, at the epoch's end.
        train_loss, train_accuracy: running, over augmented pictures.
        val_loss, val_accuracy, val_auc: after the epoch; accuracy at a sigmoid of one half.
        seconds: of the training part.
        images_per_second: of the training part, all processes together.
        data_share: share of that time in which the network waited for pictures.
    """

    stage: str
    epoch: int
    steps: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_auc: float
    seconds: float
    images_per_second: float
    data_share: float


def read_history(path: Path) -> list[Epoch]:
    """All lines; none where there is no file.

    Raises:
        UsageError: the file is not a history.
    """
    if not path.is_file():
        return []
    names = [field.name for field in fields(Epoch)]
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != names:
            raise UsageError(f"{path} is no history of a run: its columns are {reader.fieldnames}")
        return [
            Epoch(line["stage"], int(line["epoch"]), int(line["steps"]), *(float(line[name]) for name in names[3:]))
            for line in reader
        ]


def write_history(path: Path, epochs: list[Epoch]) -> None:
    """Write all lines; whole or not at all."""
    with replacing(path) as partial, explained(path), partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Epoch))
        writer.writerows(astuple(epoch) for epoch in epochs)


class HistoryWriter(Callback):
    """Times the training part of each epoch and adds a line after it.

    Args:
        path: of the CSV file.
        stage: its name.
        images_a_step: batch size times processes.
    """

    def __init__(self, path: Path, stage: str, images_a_step: int) -> None:
        self._path, self._stage, self._images = path, stage, images_a_step
        self._started = self._last_end = 0.0
        self._waited = self._validated = 0.0
        self._batches = 0

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clocks."""
        self._started = self._last_end = time.perf_counter()
        self._waited = self._validated = 0.0
        self._batches = 0

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: object, batch_idx: int
    ) -> None:
        """What passed since the last batch's end was spent waiting for this one."""
        self._waited += time.perf_counter() - self._last_end

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Remember when the step was over."""
        self._batches += 1
        self._last_end = time.perf_counter()

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Validation is no part of the times."""
        self._validated -= time.perf_counter()

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """See `on_validation_start`."""
        self._validated += time.perf_counter()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Add the line; lines of a part that is run again are replaced."""
        if not trainer.is_global_zero:
            return
        seconds = max(1e-9, time.perf_counter() - self._started - self._validated)
        values = {name: _number(value) for name, value in trainer.callback_metrics.items()}
        epoch = Epoch(
            stage=self._stage,
            epoch=trainer.current_epoch + 1,
            steps=trainer.global_step,
            learning_rate=float(trainer.optimizers[0].param_groups[-1]["lr"]),
            **{
                name: values.get(name, math.nan)
                for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_auc")
            },
            seconds=round(seconds, 3),
            images_per_second=round(self._batches * self._images / seconds, 2),
            data_share=round(self._waited / seconds, 4),
        )
        earlier = [line for line in read_history(self._path) if line.stage != self._stage or line.epoch < epoch.epoch]
        write_history(self._path, [*earlier, epoch])


class EpochWatcher(Callback):
    """Tells somebody of each line after it was written.

    Args:
        path: of the CSV file.
        watch: told; what it raises ends the run.
    """

    def __init__(self, path: Path, watch: Callable[[Epoch], None]) -> None:
        self._path, self._watch = path, watch

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Tell of the last line."""
        self._watch(read_history(self._path)[-1])


def _number(value: torch.Tensor | float) -> float:
    return float(value)
