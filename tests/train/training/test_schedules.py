"""Schedules against torch's own, and against what Study 3 states."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the reference is torch.optim.lr_scheduler")

from mesoscope_train.recipes.settings import (  # noqa: E402
    ComputedDecay,
    Constant,
    Cosine,
    Plateau,
    StepEpochs,
    StepIterations,
)
from mesoscope_train.training.schedules import decay_steps, factor_of  # noqa: E402


def rates(schedule, *, rate=1e-3, steps_an_epoch=100, epochs=10):
    factor = factor_of(schedule, rate=rate, steps_an_epoch=steps_an_epoch, epochs=epochs)
    return [rate * factor(step) for step in range(steps_an_epoch * epochs)]


def torchs(build, steps, rate=1e-3):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler, seen = build(optimiser), []
    for _ in range(steps):
        seen.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return seen


def test_constant_and_plateau():
    assert set(rates(Constant())) == {1e-3}
    assert factor_of(Plateau(), rate=1.0, steps_an_epoch=1, epochs=1) is None


def test_every_thousand_iterations_down_to_the_floor():
    ours = rates(StepIterations(every=1000, factor=0.1, floor=1e-6), steps_an_epoch=1000, epochs=6)
    theirs = torchs(lambda o: torch.optim.lr_scheduler.StepLR(o, 1000, 0.1), 6000)
    assert ours[:3999] == pytest.approx(theirs[:3999])
    assert ours[5999] == pytest.approx(1e-6)


def test_every_five_epochs():
    ours = rates(StepEpochs(every=5, factor=0.1), steps_an_epoch=7, epochs=18)
    assert ours == pytest.approx(torchs(lambda o: torch.optim.lr_scheduler.StepLR(o, 35, 0.1), 7 * 18))


def test_computed_decay_reaches_its_floor_as_the_planned_epochs_end():
    schedule = ComputedDecay(floor=1e-6, factor=0.1, planned_epochs=30)
    assert decay_steps(schedule, rate=1e-3, steps_an_epoch=438, epochs=10) == 438 * 30 // 3
    ours = rates(schedule.model_copy(update={"planned_epochs": None}), steps_an_epoch=50, epochs=30)
    assert ours[0] == 1e-3
    assert ours[-1] == pytest.approx(1e-5), "the last third runs at the rate above the floor"
    beyond = factor_of(schedule, rate=1e-3, steps_an_epoch=50, epochs=30)
    assert 1e-3 * beyond(1500) == pytest.approx(1e-6)
    assert 1e-3 * beyond(9999) == pytest.approx(1e-6)


def test_computed_decay_that_begins_at_its_floor_stays():
    assert set(rates(ComputedDecay(floor=1e-3), rate=1e-3)) == {1e-3}


def test_cosine_with_warm_up():
    ours = rates(Cosine(warmup=0.1, floor=0.01))
    assert ours[0] == pytest.approx(1e-3 / 101)
    assert max(ours) == ours[100] == pytest.approx(1e-3)
    assert ours[-1] == pytest.approx(1e-5, rel=0.01)
    plain = rates(Cosine(warmup=0.0))
    assert plain == pytest.approx(torchs(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 1000), 1000))
