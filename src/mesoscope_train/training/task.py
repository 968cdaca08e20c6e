"""What is learned: a detector, a loss, an optimiser, as Lightning's module. The loop itself is generic."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics import MeanMetric
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC

from mesoscope_train.detectors import Detector
from mesoscope_train.errors import TrainingDiverged
from mesoscope_train.recipes.settings import Loss, Plateau, Recipe, Stage
from mesoscope_train.training.optimisers import optimiser_of
from mesoscope_train.training.pictures import Batch
from mesoscope_train.training.schedules import factor_of

_PRIME = 1_000_003


class Task(lightning.LightningModule):
    """One stage of a run.

    Args:
        detector: its parameters of this stage ask for gradients, the others do not.
        recipe: of the run.
        stage: of the recipe.
        steps_an_epoch: optimiser steps.
        class_weights: factor of the loss of (real, fake) pictures.
    """

    def __init__(
        self,
        detector: Detector,
        recipe: Recipe,
        stage: Stage,
        *,
        steps_an_epoch: int,
        class_weights: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        super().__init__()
        self.detector = detector
        self._recipe, self._stage, self._steps_an_epoch = recipe, stage, steps_an_epoch
        self._class_weights = class_weights
        self._layout = torch.channels_last if recipe.loop.channels_last else torch.contiguous_format
        detector.to(memory_format=self._layout)
        self.train_loss, self.train_accuracy = MeanMetric(), BinaryAccuracy()
        self.val_loss, self.val_accuracy, self.val_auc = MeanMetric(), BinaryAccuracy(), BinaryAUROC()

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, 3, S, S) to logit (B,)."""
        logits: Tensor = self.detector(inputs)
        return logits

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Dropout's chance is a function of the step, so that a resumed run draws what an unbroken one would."""
        step = self.trainer.fit_loop.total_batch_idx + 1
        torch.manual_seed((self._recipe.loop.seed * _PRIME + step) * _PRIME + self.global_rank)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of a batch; the epoch's running loss and accuracy are of augmented pictures, with dropout on.

        Raises:
            TrainingDiverged: it is not finite.
        """
        inputs, labels, _ = batch
        logits = self(inputs.contiguous(memory_format=self._layout)).float()
        loss = loss_of(logits, labels.float(), self._recipe.loss, self._class_weights)
        if not torch.isfinite(loss):
            raise TrainingDiverged(self._how("the loss"))
        self.train_loss.update(loss.detach(), len(labels))
        self.train_accuracy.update(torch.sigmoid(logits.detach()), labels.long())
        self.log("train_loss", self.train_loss, on_step=False, on_epoch=True)
        self.log("train_accuracy", self.train_accuracy, on_step=False, on_epoch=True)
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Refuse a step that would spoil the weights, before the next checkpoint would keep them."""
        if self._recipe.loop.precision == "16-mixed":  # its scaler meets infinities by design, and skips such steps
            return
        gradients = [parameter.grad for parameter in self.parameters() if parameter.grad is not None]
        if not torch.isfinite(torch.nn.utils.get_total_norm(gradients)):
            raise TrainingDiverged(self._how("a gradient"))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Collect; nothing is chosen here but by the callbacks."""
        inputs, labels, _ = batch
        logits = self(inputs.contiguous(memory_format=self._layout)).float()
        self.val_loss.update(loss_of(logits, labels.float(), self._plain_loss(), self._class_weights), len(labels))
        self.val_accuracy.update(torch.sigmoid(logits), labels.long())
        self.val_auc.update(torch.sigmoid(logits.double()), labels.long())

    def on_validation_epoch_end(self) -> None:
        """Log loss, accuracy at one half, and area under the ROC curve."""
        if self.trainer.sanity_checking:
            return
        self.log("val_loss", self.val_loss)
        self.log("val_accuracy", self.val_accuracy)
        self.log("val_auc", self.val_auc)

    def configure_optimizers(self) -> Any:  # noqa: ANN401 - one of many shapes that Lightning takes
        """The stage's optimiser and schedule."""
        optimiser = optimiser_of(self.detector, self._stage)
        schedule, rate = self._stage.schedule, self._stage.optimiser.learning_rate
        if isinstance(schedule, Plateau):
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimiser, factor=schedule.factor, patience=schedule.patience, min_lr=schedule.floor
            )
            return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss"}}
        factor = factor_of(schedule, rate=rate, steps_an_epoch=self._steps_an_epoch, epochs=self._stage.epochs)
        assert factor is not None  # noqa: S101 - only a plateau has none
        by_step = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": by_step, "interval": "step"}}

    def _plain_loss(self) -> Loss:
        """The loss without what only makes sense in training: validation batches hold no pairs."""
        return self._recipe.loss.model_copy(update={"ranking": 0.0})

    def _how(self, what: str) -> str:
        return (
            f"the run diverged: {what} is not a finite number at epoch {self.current_epoch + 1}, "
            f"step {self.global_step + 1} of stage '{self._stage.name}' "
            f"(learning rate {self._stage.optimiser.learning_rate:g}); the last good checkpoint was kept: "
            "go on from it with a smaller learning rate, a warm-up (schedule cosine) or loop.clip"
        )


def loss_of(logits: Tensor, labels: Tensor, loss: Loss, class_weights: tuple[float, float] = (1.0, 1.0)) -> Tensor:
    """The loss of a batch as one number.

    Args:
        logits: (B,) float32.
        labels: (B,) float32, 1 = fake; with `loss.ranking`, even places are real and odd ones fake.
        loss: see `mesoscope_train.recipes.settings.Loss`.
        class_weights: factors of real and of fake pictures.
    """
    wanted = labels * (1 - loss.smoothing) + loss.smoothing / 2
    if loss.kind == "bce":
        each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    else:
        each = 0.5 * (torch.sigmoid(logits) - wanted) ** 2
    weights = torch.where(labels > 0.5, class_weights[1], class_weights[0])
    total = (each * weights).mean()
    if loss.ranking:
        total = total + loss.ranking * F.softplus(logits[::2] - logits[1::2]).mean()
    return total
