"""How far a graph may be from its module: 1e-4, a thousandth of a low map, or what rounding explains."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope.bundle import Parity  # noqa: E402
from mesoscope_train.errors import ExportError  # noqa: E402
from mesoscope_train.parity import check_parity, reference_of  # noqa: E402

ARCHITECTURE = "cnn-small"


def parity(logit: float = 0.0, map_: float = 0.0) -> Parity:
    return Parity(against="torch", inputs=2, openvino_logit=logit, onnxruntime_logit=0.0, map=map_)


@pytest.fixture
def check(lively):
    """Function that checks a parity for logits of some size."""
    inputs = np.random.default_rng(0).random((2, 3, 64, 64), dtype=np.float32)

    def run(measured: Parity, scale: float = 1.0) -> float:
        module = lively(ARCHITECTURE)
        module.output_layer().weight.data *= scale
        module.output_layer().bias.data.zero_()
        reference = reference_of(module, "relu", inputs)
        check_parity(measured, reference, module, "relu", inputs, name="x-1")
        return float(np.abs(reference.maps).max())

    return run


def test_what_is_allowed(check):
    peak = check(parity(logit=9e-5))
    assert 1e-4 < peak < 0.1
    check(parity(map_=0.9e-3 * peak))


def test_too_far_in_logits(check):
    with pytest.raises(ExportError, match=r"x-1 was not written: .* by 0\.0011 \(openvino_logit; at most 0\.0001"):
        check(parity(logit=1.1e-3))


def test_too_far_for_so_low_a_map(check):
    """Twice the values of such a map would differ by less than 1e-4 nearly everywhere."""
    peak = check(parity())
    with pytest.raises(ExportError, match=r"\(map; at most"):
        check(parity(map_=3e-3 * peak))


def test_rounding_is_no_difference(check):
    """Logits near 10,000 have no fourth digit behind the point in float32."""
    check(parity(logit=5e-4), scale=1e5)
    with pytest.raises(ExportError, match="openvino_logit"):
        check(parity(logit=10.0), scale=1e5)
