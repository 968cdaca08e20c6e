"""Optimisers with the groups of parameters that a stage asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from mesoscope_train.detectors import Detector
from mesoscope_train.detectors.stages import trainable_parameters
from mesoscope_train.recipes.settings import Optimiser, Stage

_Builder = Callable[[list[dict[str, Any]], Optimiser], torch.optim.Optimizer]
_BUILDERS: dict[str, _Builder] = {
    "adam": lambda groups, how: torch.optim.Adam(groups, how.learning_rate, how.betas),
    "adamw": lambda groups, how: torch.optim.AdamW(groups, how.learning_rate, how.betas),
    "nadam": lambda groups, how: torch.optim.NAdam(groups, how.learning_rate, how.betas),
    "sgd": lambda groups, how: torch.optim.SGD(groups, how.learning_rate, how.momentum),
}


def optimiser_of(detector: Detector, stage: Stage) -> torch.optim.Optimizer:
    """The stage's optimiser over all parameters that ask for gradients.

    Four groups at most: backbone and head, each with and without weight decay.
    """
    how = stage.optimiser
    backbone, head = trainable_parameters(detector)
    groups = [
        *_by_decay(backbone, how.learning_rate * stage.backbone_rate, how.weight_decay),
        *_by_decay(head, how.learning_rate, how.weight_decay),
    ]
    return _BUILDERS[how.name](groups, how)


def _by_decay(parameters: Iterable[nn.Parameter], rate: float, decay: float) -> list[dict[str, Any]]:
    """Kernels and matrices decay; biases and BatchNorm's parameters do not. Empty groups are left out."""
    parameters = list(parameters)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.ndim > 1], "lr": rate, "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "lr": rate, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
