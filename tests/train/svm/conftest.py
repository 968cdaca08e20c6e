"""Features that an SVM can learn from, of groups that share a place."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def rows():
    """(features, fake, groups): a ring of fakes around reals in 4 dimensions, 240 rows of 40 groups, both in each."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 6)
    fake = np.tile([False, True], 120)
    direction = random.normal(size=(240, 4))
    radius = np.where(fake, 3.0, 1.0) + random.normal(size=240) * 0.7
    features = direction / np.linalg.norm(direction, axis=1, keepdims=True) * radius[:, None]
    return (features * [1, 10, 0.1, 1] + [0, 5, 1, -3]).astype(np.float32), fake, groups
