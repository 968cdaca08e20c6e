"""How far an exported graph is from the torch module it was made of, measured in the product's own engines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from mesoscope.bundle import Parity
from mesoscope.engine import BATCH, engines
from mesoscope.preprocess import Preprocess, to_batch
from mesoscope.types import Float32Array
from mesoscope_train.detectors.base import Detector, autograd_map
from mesoscope_train.errors import ExportError

STAND_INS = 8


def stand_in_inputs(preprocess: Preprocess, count: int = STAND_INS) -> Float32Array:
    """Inputs where no pictures are at hand: noise from coarse to fine, through the product's preprocessing.

    Returns:
        (count, 3, S, S) float32, the same at every call.
    """
    random = np.random.default_rng(0)
    sides = [4 * 2 ** (index % 6) for index in range(count)]
    return to_batch([random.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in sides], preprocess)


def measure_parity(detector: Detector, map_layer: str, graph: Path, inputs: Float32Array) -> Parity:
    """Largest absolute differences between a graph in both engines and torch.

    Args:
        detector: on the CPU, in eval mode.
        map_layer: its layer, for Grad-CAM by automatic differentiation.
        graph: the ONNX file.
        inputs: (N, 3, S, S) float32, N >= 1.

    Raises:
        ExportError: the module itself gives values that are not finite.
    """
    logits, maps = _reference(detector, map_layer, inputs)
    if not (np.isfinite(logits).all() and np.isfinite(maps).all()):
        raise ExportError("not written: the detector gives values that are not finite; its training diverged")
    difference: dict[str, float] = {}
    map_difference = 0.0
    for engine in ("openvino", "onnxruntime"):
        found_logits, found_maps = _run(engine, graph, inputs)
        difference[engine] = float(np.abs(found_logits - logits).max())
        map_difference = max(map_difference, float(np.abs(found_maps - maps).max()))
    return Parity(
        inputs=len(inputs),
        openvino_logit=difference["openvino"],
        onnxruntime_logit=difference["onnxruntime"],
        map=map_difference,
    )


def _reference(detector: Detector, map_layer: str, inputs: Float32Array) -> tuple[Float32Array, Float32Array]:
    logits, maps = [], []
    for start in range(0, len(inputs), BATCH):
        batch = torch.from_numpy(inputs[start : start + BATCH])
        with torch.no_grad():
            logits.append(detector(batch).numpy())
        maps.append(autograd_map(detector, map_layer, batch).numpy())
    return np.concatenate(logits), np.concatenate(maps)


def _run(engine: str, graph: Path, inputs: Float32Array) -> tuple[Float32Array, Float32Array]:
    session = engines[engine](graph, 0)
    pieces = [session(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
    return np.concatenate([piece[0] for piece in pieces]), np.concatenate([piece[1] for piece in pieces])
