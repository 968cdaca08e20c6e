from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mesoscope.bundle import Bundle, load_bundle
from mesoscope.explain.methods import Subject

SIZE = 16
CELLS = 4


@pytest.fixture(scope="session")
def small_bundle() -> Bundle:
    """The packaged bundle's contract, for a network of 16 pixels."""
    bundle = load_bundle()
    contract = bundle.contract
    spec = contract.preprocess.model_copy(update={"size": SIZE})
    return Bundle(bundle.path, contract.model_copy(update={"preprocess": spec}), bundle.sha256)


@pytest.fixture(scope="session")
def linear_subject(small_bundle: Bundle) -> Callable[[np.ndarray], Subject]:
    """A network by hand: the logit is the sum of each cell's mean times its weight, and the map says so."""

    def make(weights: np.ndarray) -> Subject:
        def judge(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            side = SIZE // CELLS
            cells = batch.mean(1).reshape(len(batch), CELLS, side, CELLS, side).mean((2, 4))
            maps = (cells * weights).astype(np.float32)
            return maps.sum((1, 2)), maps

        return Subject(small_bundle, judge)

    return make
