"""The training run: a fixed number of epochs, no choice made on the way, and the weights' moving average."""

from __future__ import annotations

import copy
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mesoscope.types import Float32Array
from mesoscope_train.detectors import Detector, parse_architecture
from mesoscope_train.face_bundle.batches import Augmentation, Pictures, batches, pairs_of_epoch
from mesoscope_train.face_bundle.rows import Row


@dataclass(frozen=True, slots=True)
class Settings:
    """Of a run.

    Attributes:
        architecture: registered name.
        size: side of the training inputs; smaller than the bundle's, because windows are cut from the pictures.
        epochs: all of them are run.
        pairs_per_batch: half the batch.
        learning_rate: the peak of one cosine cycle with a linear warm-up (Smith and Topin 2017, "1cycle").
        weight_decay: on matrices and kernels only.
        smoothing: of labels.
        ranking: weight of the pair loss log(1 + exp(real - fake)) beside the binary cross-entropy.
        average: decay of the moving average of the weights (Polyak and Juditsky 1992).
        seed: of everything random.
        augmentation: see there.
    """

    architecture: str = "slim-resnet"
    size: int = 128
    epochs: int = 24
    pairs_per_batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    smoothing: float = 0.05
    ranking: float = 1.0
    average: float = 0.998
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)


def train(pictures: Pictures, rows: Sequence[Row], settings: Settings) -> Detector:
    """Train on `rows` (the training split, nothing else) and return the averaged network in eval mode."""
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    architecture, spec = parse_architecture(settings.architecture).at_size(settings.size)
    module = architecture.build().to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(module).eval().requires_grad_(False)

    steps_an_epoch = len(pairs_of_epoch(rows, np.random.default_rng(0))) // settings.pairs_per_batch
    optimiser = torch.optim.AdamW(_parameter_groups(module, settings.weight_decay), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * steps_an_epoch + 1, pct_start=0.1
    )

    def all_batches() -> Iterator[Float32Array]:
        for _ in range(settings.epochs):
            yield from batches(
                pictures,
                rows,
                spec,
                pairs_per_batch=settings.pairs_per_batch,
                how=settings.augmentation,
                random=random,
            )

    started, losses = time.monotonic(), []
    module.train()
    for step, batch in enumerate(_ahead(all_batches()), start=1):
        loss = _loss(module, torch.from_numpy(batch), settings)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        _average(averaged, module, min(settings.average, (1 + step) / (10 + step)))
        losses.append(loss.item())
        if step % steps_an_epoch == 0:
            minutes = (time.monotonic() - started) / 60
            epoch = step // steps_an_epoch
            print(f"epoch {epoch}/{settings.epochs}  loss {np.mean(losses):.4f}  {minutes:.1f} min", flush=True)  # noqa: T201
            losses.clear()
    return averaged


def _loss(module: Detector, batch: Tensor, settings: Settings) -> Tensor:
    """Binary cross-entropy on smoothed labels, and the pair loss; even places are real, odd ones fake."""
    labels = torch.tensor([0.0, 1.0]).repeat(len(batch) // 2)
    # bfloat16 for the products only: twice the speed on CPUs that have it, the weights stay float32
    with torch.autocast("cpu", torch.bfloat16):
        logits = module(batch.contiguous(memory_format=torch.channels_last))
    logits = logits.float()
    smoothed = labels * (1 - settings.smoothing) + settings.smoothing / 2
    loss = F.binary_cross_entropy_with_logits(logits, smoothed)
    ranking = F.softplus(logits[::2] - logits[1::2]).mean()
    return loss + settings.ranking * ranking


def _parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Kernels and matrices decay; biases and BatchNorm's parameters do not."""
    parameters = list(module.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


@torch.no_grad()
def _average(averaged: nn.Module, module: nn.Module, decay: float) -> None:
    for mean, value in zip(averaged.state_dict().values(), module.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _ahead(items: Iterator[Float32Array], depth: int = 6) -> Iterator[Float32Array]:
    """The same items, made by a thread while earlier ones are used; an exception comes through."""
    waiting: queue.Queue[Float32Array | BaseException | None] = queue.Queue(depth)

    def produce() -> None:
        try:
            for item in items:
                waiting.put(item)
            waiting.put(None)
        except BaseException as error:
            waiting.put(error)

    threading.Thread(target=produce, daemon=True).start()
    while (item := waiting.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item
