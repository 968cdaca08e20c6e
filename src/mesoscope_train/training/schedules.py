"""Learning-rate schedules as pure functions: which factor of the first rate holds at a step."""

from __future__ import annotations

import math
from collections.abc import Callable

from mesoscope_train.recipes.settings import ComputedDecay, Constant, Cosine, Schedule, StepEpochs, StepIterations

Factor = Callable[[int], float]
"""From the number of optimiser steps already done to the factor of the first learning rate."""


def factor_of(schedule: Schedule, *, rate: float, steps_an_epoch: int, epochs: int) -> Factor | None:
    """The schedule as a function of steps; None for a plateau, which follows the validation loss instead.

    Args:
        schedule: see `mesoscope_train.recipes.settings`.
        rate: the first learning rate.
        steps_an_epoch: optimiser steps, not batches, at least 1.
        epochs: of the stage.
    """
    if isinstance(schedule, Constant):
        return lambda step: 1.0
    if isinstance(schedule, StepIterations):
        lowest = schedule.floor / rate
        return lambda step: max(lowest, schedule.factor ** (step // schedule.every))
    if isinstance(schedule, StepEpochs):
        return lambda step: schedule.factor ** (step // steps_an_epoch // schedule.every)
    if isinstance(schedule, ComputedDecay):
        length = decay_steps(schedule, rate=rate, steps_an_epoch=steps_an_epoch, epochs=epochs)
        lowest = schedule.floor / rate
        return lambda step: max(lowest, schedule.factor ** (step // length))
    if isinstance(schedule, Cosine):
        return _cosine(schedule, steps_an_epoch * epochs)
    return None


def decay_steps(schedule: ComputedDecay, *, rate: float, steps_an_epoch: int, epochs: int) -> int:
    """Steps between two decays, so that the lowest rate is reached when the planned epochs end; at least 1."""
    decays = math.log(schedule.floor / rate) / math.log(schedule.factor)
    if decays <= 0:  # already at the floor
        return max(1, steps_an_epoch * epochs)
    return max(1, math.floor(steps_an_epoch * (schedule.planned_epochs or epochs) / decays))


def _cosine(schedule: Cosine, steps: int) -> Factor:
    warm = round(schedule.warmup * steps)

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / (warm + 1)
        way = min(1.0, (step - warm) / max(1, steps - warm))
        return schedule.floor + (1 - schedule.floor) * (1 + math.cos(math.pi * way)) / 2

    return factor
