"""Activation maximisation on a network whose best picture is known, and what it promises of every detector."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from mesoscope.errors import UsageError
from mesoscope_train.understanding.layers import convolutions
from mesoscope_train.understanding.neurons.maximise import Ascent, Goal, maximise

FAST = Ascent(steps=12, rate=0.2)


@pytest.fixture
def linear(subject):
    """The small bundle with a network whose filter 0 is red minus blue, and filter 1 brightness."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1, bias=False)
            self.conv.weight.data[:, :, 0, 0] = torch.tensor([[1.0, 0.0, -1.0], [1.0, 1.0, 1.0]])

        def forward(self, batch):
            return self.conv(batch).mean((1, 2, 3))

    return dataclasses.replace(subject, module=Linear().eval())


def test_the_best_picture_of_a_linear_filter(linear):
    red, white = maximise(linear, [Goal("conv", 0), Goal("conv", 1)], dataclasses.replace(FAST, penalty=0))
    np.testing.assert_allclose(red.picture[..., 0], 1)
    np.testing.assert_allclose(red.picture[..., 2], 0)
    np.testing.assert_allclose(white.picture, 1)
    assert red.activation == pytest.approx(1) and white.activation == pytest.approx(3)
    assert red.start == pytest.approx(0, abs=0.01) and white.start == pytest.approx(1.5, abs=0.01)
    assert red.logit == pytest.approx(0.5 * (1 + red.picture.sum(2).mean()))


def test_the_penalty_is_the_studys(linear):
    """lambda = 10 times the 6-norm: far more than a mean activation of at most 3 can pay for, so all goes dark."""
    (dark,) = maximise(linear, [Goal("conv", 1)], FAST)
    assert dark.picture.mean() < 0.1 and dark.penalty < 0.5 * Ascent().penalty * 0.5 * (3 * 32 * 32) ** (1 / 6)
    assert (Ascent().penalty, Ascent().p) == (10, 6)
    (kept,) = maximise(linear, [Goal("conv", 1)], dataclasses.replace(FAST, penalty=1e-3))
    side = linear.spec.size
    assert kept.penalty == pytest.approx(1e-3 * (3 * side * side) ** (1 / 6), rel=1e-3)


@pytest.mark.parametrize(("over", "factor"), [("sum", 32 * 32), ("mean", 1), ("centre", 1)])
def test_positions_make_one_number(linear, over, factor):
    (found,) = maximise(linear, [Goal("conv", 1)], dataclasses.replace(FAST, penalty=0, over=over))
    assert found.activation == pytest.approx(3 * factor, rel=1e-3)
    assert (found.picture == 1).all() == (over != "centre")


@pytest.mark.parametrize("how", [{}, {"jitter": 3}, {"fourier": True}, {"fourier": True, "jitter": 2}])
def test_every_way_climbs_and_is_the_same_again(subject, how):
    layer = convolutions(subject.module, subject.spec.size)[-1].name
    goals = [Goal(layer, 1), Goal(layer, 0)]
    ascent = dataclasses.replace(FAST, penalty=0, **how)
    first, again = maximise(subject, goals, ascent), maximise(subject, goals, ascent)
    other = maximise(subject, goals, dataclasses.replace(ascent, seed=1))
    for one, same, apart in zip(first, again, other, strict=True):
        assert one.activation > one.start
        assert one.picture.min() >= 0 and one.picture.max() <= 1
        np.testing.assert_array_equal(one.picture, same.picture)
        assert not np.array_equal(one.picture, apart.picture)
    assert [one.goal for one in first] == goals


@pytest.mark.parametrize("architecture", ["cnn-2:size=32", "cnn-small", "meso4"])
def test_hidden_neurons_of_other_detectors(subject, lively, architecture):
    from mesoscope_train.detectors import parse_architecture

    module = lively(architecture)
    spec = parse_architecture(architecture).preprocess
    before = [parameter.requires_grad for parameter in module.parameters()]
    bundle = subject.bundle
    contract = bundle.contract.model_copy(update={"preprocess": spec})
    other = dataclasses.replace(subject, module=module, bundle=dataclasses.replace(bundle, contract=contract))
    (found,) = maximise(other, [Goal(None, 2)], Ascent(steps=2, penalty=0))
    with torch.no_grad():
        inputs = torch.from_numpy(found.picture.transpose(2, 0, 1))[None]
        mean, std = (torch.tensor(values)[:, None, None] for values in (spec.mean, spec.std))
        features = module.features((inputs - mean) / std)
    assert found.activation == pytest.approx(float(features[0, 2]), rel=1e-3, abs=1e-4)
    logit = float(module.logit_of(features)[0])
    assert found.logit == pytest.approx(logit, rel=1e-3, abs=1e-4)
    assert [parameter.requires_grad for parameter in module.parameters()] == before


def test_hooks_are_gone_after_a_failure(linear):
    with pytest.raises(IndexError):
        maximise(linear, [Goal("conv", 7)], FAST)
    assert not linear.module.conv._forward_hooks
    assert linear.module.conv.weight.requires_grad


@pytest.mark.parametrize("wrong", [{"penalty": -1}, {"p": 0.5}, {"rate": 0}, {"steps": 0}, {"jitter": -1}])
def test_what_cannot_be(wrong):
    with pytest.raises(UsageError):
        Ascent(**wrong)
