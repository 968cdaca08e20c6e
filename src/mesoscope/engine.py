"""Running ONNX graphs. The only place that opens an inference session.

OpenVINO is the default on CPUs; ONNX Runtime is the portable second. Both are pinned to float32: on CPUs
with bfloat16 OpenVINO would use that silently and move logits by up to 0.44.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np

from mesoscope.bundle import Bundle
from mesoscope.errors import EngineError
from mesoscope.registry import Registry
from mesoscope.types import Float32Array

DEFAULT_ENGINE = "openvino"
TELEMETRY = "openvino_telemetry"
BATCH = 32
"""Inputs a session gets at once: beyond this nothing is gained on CPUs, and memory stays small."""


class Session(Protocol):
    """An opened graph."""

    def __call__(self, batch: Float32Array) -> Sequence[Float32Array]:
        """Run one input tensor; returns the graph's outputs in their order, as float32 arrays."""


SessionOpener = Callable[[Path, int], Session]
engines: Registry[SessionOpener] = Registry("engine")


@engines.register("openvino")
def open_openvino(graph: Path, threads: int) -> Session:
    """Open a graph with OpenVINO on the CPU at float32.

    Args:
        graph: an ONNX file.
        threads: 0 for all cores.
    """
    core = _openvino().Core()
    settings: dict[str, object] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    try:
        compiled = core.compile_model(str(graph), "CPU", settings)
    except RuntimeError as error:
        raise EngineError(f"OpenVINO cannot open {graph}: {str(error).strip().splitlines()[-1]}") from None
    request = compiled.create_infer_request()
    outputs = list(compiled.outputs)

    def run(batch: Float32Array) -> Sequence[Float32Array]:
        result = request.infer([batch])
        return [np.array(result[output], dtype=np.float32) for output in outputs]

    return run


def _openvino() -> ModuleType:
    """Import OpenVINO (0.2 s that ONNX Runtime's users need not pay) without its telemetry.

    Left alone, importing it reports to a web service from a process of its own; a tool for people who protect
    their sources must not. Where ``openvino_telemetry`` cannot be imported, OpenVINO takes a stub that does nothing.
    """
    if "openvino" not in sys.modules:
        hidden = sys.modules.get(TELEMETRY)
        # Python's way to say that something is not to be imported
        sys.modules[TELEMETRY] = None  # type: ignore[assignment]
        try:
            importlib.import_module("openvino")
        finally:
            del sys.modules[TELEMETRY]
            if hidden is not None:
                sys.modules[TELEMETRY] = hidden
    return sys.modules["openvino"]


@engines.register("onnxruntime")
def open_onnxruntime(graph: Path, threads: int) -> Session:
    """Open a graph with ONNX Runtime on the CPU; arguments as in `open_openvino`."""
    import onnxruntime as ort  # noqa: PLC0415 - only for those who choose it

    ort.set_default_logger_severity(3)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base class
        raise EngineError(f"ONNX Runtime cannot open {graph}: {error}") from None
    (only_input,) = session.get_inputs()

    def run(batch: Float32Array) -> Sequence[Float32Array]:
        return [np.asarray(output, np.float32) for output in session.run(None, {only_input.name: batch})]

    return run


@dataclass(frozen=True, slots=True)
class Judge:
    """A bundle's graph, opened.

    Attributes:
        bundle: whose.
        session: the opened graph.
    """

    bundle: Bundle
    session: Session

    @classmethod
    def open(cls, bundle: Bundle, engine: str = DEFAULT_ENGINE, threads: int = 0) -> Judge:
        """Open a bundle's graph with a registered engine (`engines`); threads 0 means all cores."""
        return cls(bundle, engines[engine](bundle.graph, threads))

    def __call__(self, batch: Float32Array) -> tuple[Float32Array, Float32Array]:
        """Judge inputs.

        Args:
            batch: (N, 3, S, S) float32 from `mesoscope.preprocess.to_batch`; any N, run in pieces of `BATCH`.

        Returns:
            logits (N,), higher = more likely fake, and maps (N, h, w), both float32.

        Raises:
            EngineError: the graph's outputs break the contract (shape, or a value that is not finite).
        """
        logits, maps = [], []
        for start in range(0, len(batch), BATCH):
            piece = batch[start : start + BATCH]
            outputs = self.session(piece)
            if len(outputs) != 2 or outputs[0].shape != (len(piece),) or outputs[1].ndim != 3:
                shapes = [output.shape for output in outputs]
                raise EngineError(
                    f"bundle {self.bundle.contract.identifier}: the graph gave {shapes} for {len(piece)} inputs; "
                    "a bundle's graph gives a logit (N,) and a map (N, h, w)"
                )
            logits.append(outputs[0])
            maps.append(outputs[1])
        if not logits:
            return np.zeros(0, np.float32), np.zeros((0, 1, 1), np.float32)
        logit, map_ = np.concatenate(logits), np.concatenate(maps)
        if not (np.isfinite(logit).all() and np.isfinite(map_).all()):
            raise EngineError(f"bundle {self.bundle.contract.identifier}: the graph gave a value that is not finite")
        return logit, map_
