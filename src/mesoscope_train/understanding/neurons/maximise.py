"""Activation maximisation: the picture that excites a filter or a neuron most.

D. Erhan, Y. Bengio, A. Courville, P. Vincent, "Visualizing Higher-Layer Features of a Deep Network", 2009, with the
penalty of the study ``mesoinception-svm``: maximise ``f_ij(x) - lambda ||x||_p`` with lambda = 10, p = 6, where x is
the network's own input (normalised as the bundle says). A filter's f is its output before the activation, averaged
over positions unless said otherwise; a hidden neuron's is its value as the last dense layer receives it. Pixels
stay within 0 and 1, and the ascent is Adam's. As options: jitter, and the Fourier parametrisation with frequencies
weighed by 1/f (C. Olah, A. Mordvintsev, L. Schubert, "Feature Visualization", Distill 2017). The same seed gives
the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mesoscope.errors import UsageError
from mesoscope_train.understanding.subject import Subject, from_pixels

Over = Literal["sum", "mean", "centre"]
AT_ONCE = 8
"""Goals that are climbed together: bounds the memory."""


@dataclass(frozen=True, slots=True)
class Ascent:
    """How pictures are found.

    Attributes:
        penalty: lambda.
        p: of the norm.
        steps: of Adam.
        rate: of Adam, in pixel values (of 0 to 1), or in the units of the Fourier coefficients.
        jitter: pixels by which the picture is shifted at each step, at most, either way; 0 for none.
        fourier: the Fourier parametrisation instead of pixels.
        over: how a filter's positions make one number.
        seed: of the start and of the jitter.
    """

    penalty: float = 10.0
    p: float = 6.0
    steps: int = 128
    rate: float = 0.05
    jitter: int = 0
    fourier: bool = False
    over: Over = "mean"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: a number out of range.
        """
        if not (self.penalty >= 0 and self.p >= 1 and self.rate > 0):
            raise UsageError("the penalty must be 0 or more, its p 1 or more, and the rate above 0")
        if self.steps < 1 or self.jitter < 0:
            raise UsageError("--steps must be 1 or more, --jitter 0 or more")


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be excited.

    Attributes:
        layer: a convolution's name; None for the input of the last dense layer.
        unit: channel, or neuron.
    """

    layer: str | None
    unit: int


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """A picture that was found.

    Attributes:
        goal: what it excites.
        picture: (S, S, 3) float32 RGB of 0 to 1.
        start: the activation on the picture it began with (grey with a little noise).
        activation: on the picture.
        penalty: lambda times the norm of it.
        logit: of the whole network for it.
    """

    goal: Goal
    picture: npt.NDArray[np.float32]
    start: float
    activation: float
    penalty: float
    logit: float


def maximise(
    subject: Subject, goals: Sequence[Goal], ascent: Ascent, progress: Callable[[int], None] = lambda _count: None
) -> list[Reached]:
    """Find a picture for every goal, in their order.

    Args:
        subject: the network, which is left as it is.
        goals: each a channel or neuron that there is.
        ascent: how.
        progress: called with the number of steps done.
    """
    found: dict[Goal, Reached] = {}
    for layer in dict.fromkeys(goal.layer for goal in goals):
        same = [goal for goal in goals if goal.layer == layer]
        for start in range(0, len(same), AT_ONCE):
            some = same[start : start + AT_ONCE]
            found.update(zip(some, _climb(subject, some, ascent, progress), strict=True))
    return [found[goal] for goal in goals]


def _climb(subject: Subject, goals: Sequence[Goal], ascent: Ascent, progress: Callable[[int], None]) -> list[Reached]:
    chance = torch.Generator().manual_seed(ascent.seed)
    picture = (_Fourier if ascent.fourier else _Pixels)(len(goals), subject.spec.size, chance)
    optimiser = torch.optim.Adam([picture.values], lr=ascent.rate)
    with _frozen(subject), _Probe(subject, goals, ascent.over) as probe:
        start = probe(from_pixels(picture(), subject.spec))[0].detach()
        for _ in range(ascent.steps):
            shift = [int(torch.randint(-ascent.jitter, ascent.jitter + 1, (), generator=chance)) for _ in range(2)]
            inputs = from_pixels(picture(), subject.spec)
            activation, _ = probe(inputs.roll(shift, (2, 3)) if ascent.jitter else inputs)
            loss = (_penalty(inputs, ascent) - activation).sum()
            (picture.values.grad,) = torch.autograd.grad(loss, [picture.values])
            optimiser.step()
            picture.settle()
            progress(1)
        with torch.no_grad():
            pixels = picture().clamp(0, 1)
            inputs = from_pixels(pixels, subject.spec)
            activation, logit = probe(inputs)
            penalty = _penalty(inputs, ascent)
    pictures = pixels.detach().permute(0, 2, 3, 1).numpy()
    numbers = zip(start.tolist(), activation.tolist(), penalty.tolist(), logit.tolist(), strict=True)
    return [Reached(goal, picture, *four) for goal, picture, four in zip(goals, pictures, numbers, strict=True)]


def _penalty(inputs: Tensor, ascent: Ascent) -> Tensor:
    """Lambda times the p-norm of each input, (B,)."""
    return ascent.penalty * torch.linalg.vector_norm(inputs.flatten(1), ascent.p, dim=1)


class _Pixels:
    """Pixels themselves, kept within 0 and 1."""

    def __init__(self, count: int, size: int, chance: torch.Generator) -> None:
        # every goal begins with the same picture, so that what differs in the end is the goal's
        start = 0.5 + 0.02 * torch.randn(1, 3, size, size, generator=chance)
        self.values = start.repeat(count, 1, 1, 1).requires_grad_()

    def __call__(self) -> Tensor:
        """(B, 3, S, S) of 0 to 1."""
        return self.values

    def settle(self) -> None:
        """Back into the range after a step."""
        self.values.data.clamp_(0, 1)


class _Fourier:
    """Coefficients of frequencies, each weighed by 1/f, through a sigmoid: smooth pictures come first."""

    def __init__(self, count: int, size: int, chance: torch.Generator) -> None:
        self._size = size
        start = 0.01 * torch.randn(1, 3, size, size // 2 + 1, 2, generator=chance)
        self.values = start.repeat(count, 1, 1, 1, 1).requires_grad_()
        rows, columns = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
        self._scale = size / torch.hypot(rows, columns).clamp_min(1 / size) / size**0.5

    def __call__(self) -> Tensor:
        """(B, 3, S, S) of 0 to 1."""
        spectrum = torch.view_as_complex(self.values) * self._scale
        return torch.sigmoid(torch.fft.irfft2(spectrum, (self._size, self._size)))

    def settle(self) -> None:
        """The sigmoid keeps the range."""


class _frozen:  # noqa: N801 - a context, named as it is read
    """No gradients for the network's own parameters inside; as before afterwards."""

    def __init__(self, subject: Subject) -> None:
        self._parameters = [(part, part.requires_grad) for part in subject.module.parameters()]

    def __enter__(self) -> None:
        for parameter, _ in self._parameters:
            parameter.requires_grad_(False)

    def __exit__(self, *_: object) -> None:
        for parameter, before in self._parameters:
            parameter.requires_grad_(before)


class _Probe:
    """Runs the network and takes what each goal wants; its hook is gone afterwards, also after a failure."""

    def __init__(self, subject: Subject, goals: Sequence[Goal], over: Over) -> None:
        self._module = subject.module
        self._layer = goals[0].layer
        self._units = torch.tensor([goal.unit for goal in goals])
        self._over = over
        self._seen: list[Tensor] = []
        self._handle: Any = None

    def __enter__(self) -> _Probe:
        if self._layer is not None:
            part = self._module.get_submodule(self._layer)
            self._handle = part.register_forward_hook(lambda _part, _input, output: self._seen.append(output.clone()))
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.remove()

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S), one for each goal, to activations (B,) and logits (B,)."""
        each = torch.arange(len(inputs))
        if self._layer is None:
            features = self._module.features(inputs)
            return features[each, self._units], self._module.logit_of(features)
        self._seen.clear()
        logits = self._module(inputs)
        planes = self._seen[0][each, self._units]
        if self._over == "centre":
            return planes[:, planes.shape[1] // 2, planes.shape[2] // 2], logits
        return planes.sum((1, 2)) if self._over == "sum" else planes.mean((1, 2)), logits
