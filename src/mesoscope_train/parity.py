"""How far an exported graph is from the torch module it was made of, measured in the product's own engines."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mesoscope.bundle import Parity
from mesoscope.engine import BATCH, engines
from mesoscope.preprocess import Preprocess, to_batch
from mesoscope.types import Float32Array
from mesoscope_train.detectors.base import Detector, autograd_map
from mesoscope_train.errors import ExportError

STAND_INS = 8
LARGEST_DIFFERENCE = 1e-4
"""Of logits and map values, between the exported graph in either engine and torch."""
LARGEST_SHARE_OF_PEAK = 1e-3
"""The same for a map that peaks so low that `LARGEST_DIFFERENCE` would let anything pass."""
ROUNDINGS = 8
"""How much more than torch in float32 differs from torch in float64 an engine may differ from torch."""
Floats = NDArray[np.floating]


def stand_in_inputs(preprocess: Preprocess, count: int = STAND_INS) -> Float32Array:
    """Inputs where no pictures are at hand: noise from coarse to fine, through the product's preprocessing.

    Returns:
        (count, 3, S, S) float32, the same at every call.
    """
    random = np.random.default_rng(0)
    sides = [4 * 2 ** (index % 6) for index in range(count)]
    return to_batch([random.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in sides], preprocess)


@dataclass(frozen=True, slots=True)
class Reference:
    """What torch gives on some inputs: logits (N,) and maps (N, h, w) by automatic differentiation."""

    logits: Floats
    maps: Floats


def reference_of(detector: Detector, map_layer: str, inputs: Floats) -> Reference:
    """Torch's values.

    Args:
        detector: on the CPU, in eval mode, in the precision of the inputs.
        map_layer: its layer, for Grad-CAM by automatic differentiation.
        inputs: (N, 3, S, S), N >= 1.

    Raises:
        ExportError: the module gives values that are not finite.
    """
    logits, maps = [], []
    for start in range(0, len(inputs), BATCH):
        batch = torch.from_numpy(inputs[start : start + BATCH])
        with torch.no_grad():
            logits.append(detector(batch).numpy())
        maps.append(autograd_map(detector, map_layer, batch).numpy())
    found = Reference(np.concatenate(logits), np.concatenate(maps))
    if not (np.isfinite(found.logits).all() and np.isfinite(found.maps).all()):
        raise ExportError("not written: the detector gives values that are not finite; its training diverged")
    return found


def measure_parity(reference: Reference, graph: Path, inputs: Float32Array) -> Parity:
    """Largest absolute differences between a graph in both engines and torch.

    Args:
        reference: torch's values on the inputs.
        graph: the ONNX file.
        inputs: (N, 3, S, S) float32, N >= 1.
    """
    difference: dict[str, float] = {}
    map_difference = 0.0
    for engine in ("openvino", "onnxruntime"):
        found_logits, found_maps = _run(engine, graph, inputs)
        difference[engine] = float(np.abs(found_logits - reference.logits).max())
        map_difference = max(map_difference, float(np.abs(found_maps - reference.maps).max()))
    return Parity(
        against="torch",
        inputs=len(inputs),
        openvino_logit=difference["openvino"],
        onnxruntime_logit=difference["onnxruntime"],
        map=map_difference,
    )


def check_parity(
    parity: Parity, reference: Reference, detector: Detector, map_layer: str, inputs: Float32Array, *, name: str
) -> None:
    """Refuse a graph that differs from the module by more than `LARGEST_DIFFERENCE`, or than rounding explains.

    A map whose peak is small must agree with it to a thousandth. In float32 a deep network is itself not exact to
    1e-4 where its logits are large; how exact it is, the same module in float64 tells.

    Args:
        parity: what was measured.
        reference: against what.
        detector: the module, float32, on the CPU, in eval mode.
        map_layer: its layer.
        inputs: on which.
        name: of the bundle, for the message.

    Raises:
        ExportError: it differs.
    """
    in_maps = min(LARGEST_DIFFERENCE, LARGEST_SHARE_OF_PEAK * float(np.abs(reference.maps).max()))
    limits = {"openvino_logit": LARGEST_DIFFERENCE, "onnxruntime_logit": LARGEST_DIFFERENCE, "map": in_maps}
    over = {
        what: value
        for what, value in parity.model_dump(exclude={"inputs", "against"}).items()
        if value > limits[what]
    }
    if not over:
        return
    exact = reference_of(copy.deepcopy(detector).double(), map_layer, inputs.astype(np.float64))
    rounding = {"map": float(np.abs(exact.maps - reference.maps).max())}
    in_logits = float(np.abs(exact.logits - reference.logits).max())
    for what, value in over.items():
        limit = max(limits[what], ROUNDINGS * rounding.get(what, in_logits))
        if value > limit:
            raise ExportError(
                f"{name} was not written: the exported graph differs from the module by {value:.2g} "
                f"({what}; at most {limit:.2g} is allowed)"
            )


def check_expected(expected: Floats, graph: Path, inputs: Float32Array, *, name: str) -> None:
    """Refuse a graph whose logits differ from another implementation's by more than `LARGEST_DIFFERENCE`.

    Args:
        expected: its logits, (N,): of an SVM, scikit-learn's ``decision_function``.
        graph: the ONNX file.
        inputs: (N, 3, S, S) float32.
        name: of the bundle, for the message.

    Raises:
        ExportError: it differs in one of the engines.
    """
    for engine in ("openvino", "onnxruntime"):
        worst = float(np.abs(_run(engine, graph, inputs)[0] - expected).max())
        if not worst <= LARGEST_DIFFERENCE:
            raise ExportError(
                f"{name} was not written: in {engine} its logits differ by {worst:.2g} from those of what it was "
                f"made of (at most {LARGEST_DIFFERENCE:g} is allowed); an SVM is less exact the larger its C is"
            )


def _run(engine: str, graph: Path, inputs: Float32Array) -> tuple[Float32Array, Float32Array]:
    session = engines[engine](graph, 0)
    pieces = [session(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
    return np.concatenate([piece[0] for piece in pieces]), np.concatenate([piece[1] for piece in pieces])
