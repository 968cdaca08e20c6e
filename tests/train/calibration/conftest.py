"""Made-up samples whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from mesoscope_train.calibration.sample import Sample


def _singles(n: int, *, slope: float = 1.0, intercept: float = 0.0, seed: int = 0) -> Sample:
    """`n` groups of one picture; P(fake) is exactly sigmoid(slope * logit + intercept)."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, n)
    fake = random.random(n) < expit(slope * logits + intercept)
    return Sample(logits, fake, np.arange(n))


def _videos(n: int, frames: int, *, apart: float = 2.0, seed: int = 0) -> Sample:
    """`n` real and `n` fake videos, whose frames share most of their score."""
    random = np.random.default_rng(seed)
    fake = np.repeat([False, True], n)
    centres = random.normal(0, 1, 2 * n) + apart * fake
    logits = (centres[:, None] + random.normal(0, 0.3, (2 * n, frames))).ravel()
    return Sample(logits, np.repeat(fake, frames), np.repeat(np.arange(2 * n), frames))


@pytest.fixture(scope="session")
def singles():
    return _singles


@pytest.fixture(scope="session")
def videos():
    return _videos
