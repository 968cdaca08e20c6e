"""How far a run is, on stderr: a bar over each epoch, and a line with its validation figures after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import lightning
from lightning.pytorch.callbacks import Callback

from mesoscope.cli.console import remark
from mesoscope_train.progress import progress


class EpochProgress(Callback):
    """Shows each epoch's steps while it runs, and what it came to.

    Args:
        stage: its name.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._open = contextlib.ExitStack()
        self._step: Callable[..., None] = lambda: None

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Open the bar; a resumed epoch's begins where it was left."""
        if not trainer.is_global_zero:
            return
        what = f"{self._stage}: epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
        self._step = self._open.enter_context(progress(what, int(trainer.num_training_batches)))
        # where an epoch is not gone on with, this still counts the one before
        done = trainer.fit_loop.epoch_loop.batch_progress.current.ready % int(trainer.num_training_batches)
        if done:
            self._step(done)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """One step."""
        self._step()

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """The steps are over."""
        self._close()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Say what the epoch came to."""
        self._close()
        if not trainer.is_global_zero:
            return
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        told = (("loss", "val_loss"), ("accuracy", "val_accuracy"), ("AUC", "val_auc"))
        figures = ", ".join(f"{name} {values[key]:.4f}" for name, key in told if key in values)
        remark(f"{self._stage}: epoch {trainer.current_epoch + 1} of {trainer.max_epochs}: validation {figures}")

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Leave the terminal as it was."""
        self._close()

    def _close(self) -> None:
        self._open.close()
        self._step = lambda: None
