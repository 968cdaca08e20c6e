"""From a float32 graph to an int8 graph that both engines run alike, by NNCF's post-training quantisation.

Only convolutions become int8: they are nearly all of the work. Everything else stays float32, for measured reasons
(docs/log.md): with int8 additions of residual branches OpenVINO and ONNX Runtime give different logits for the same
graph; an int8 output layer costs most of the exactness and saves nothing; and the map is made of what follows the
last convolution.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mesoscope.engine import TELEMETRY
from mesoscope.errors import UsageError
from mesoscope.types import Float32Array
from mesoscope_train.graph import INPUT_NAME

if TYPE_CHECKING:
    import onnx

KIND = "Conv"
FEWEST = 2
"""Convolutions below which a graph's work is elsewhere (a transformer has one, which cuts out its patches)."""


def int8_graph(graph: Path, inputs: Float32Array) -> bytes:
    """An ONNX file's bytes: the graph with int8 convolutions, as pairs of QuantizeLinear and DequantizeLinear.

    Weights get a scale a channel, activations one scale each, found on the inputs.

    Args:
        graph: a bundle's float32 graph.
        inputs: (N, 3, S, S) float32, of pictures of the kind the bundle is for; N >= 1.

    Raises:
        UsageError: the graph has no convolutions to speak of, or is int8 already.
    """
    import onnx  # noqa: PLC0415 - half a second that only this needs

    model = onnx.load(str(graph))
    kinds = {node.op_type for node in model.graph.node}
    if "QuantizeLinear" in kinds:
        raise UsageError(f"{graph} is an int8 graph already; quantise the float32 bundle it was made from")
    if sum(node.op_type == KIND for node in model.graph.node) < FEWEST:
        raise UsageError(
            f"{graph} is no convolutional network: only convolutions are made int8 here, and it has hardly any"
        )
    with _quietly() as nncf:
        made: onnx.ModelProto = nncf.quantize(
            model,
            nncf.Dataset(list(range(len(inputs))), lambda row: {INPUT_NAME: inputs[row : row + 1]}),
            # unsigned activations where they are negative too: as exact as can be had with one scale
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(inputs),
            ignored_scope=nncf.IgnoredScope(types=sorted(kinds - {KIND})),
        )
    return stripped(made)


def method_in_words() -> str:
    """What stands in the contract."""
    from importlib.metadata import version  # noqa: PLC0415

    return f"NNCF {version('nncf')}, post-training, convolutions int8 (weights by channel), all else float32"


def stripped(model: onnx.ModelProto) -> bytes:
    """Bytes that are the same for the same graph, and say nothing of how it was made."""
    model.producer_name, model.producer_version, model.doc_string = "mesoscope", "", ""
    del model.metadata_props[:]
    return bytes(model.SerializeToString(deterministic=True))


@contextlib.contextmanager
def _quietly() -> Iterator[ModuleType]:
    """NNCF without its progress bars, its logging, and its reports to a web service.

    Where ``openvino_telemetry`` cannot be imported, NNCF (as OpenVINO, see `mesoscope.engine`) takes a stub that does
    nothing. It stays hidden while NNCF works, because parts of it are imported only then.
    """
    hidden = sys.modules.get(TELEMETRY)
    loud = logging.getLogger("torch.utils.cpp_extension")
    level = loud.level
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]
    loud.setLevel(logging.ERROR)  # it looks for CUDA's compiler, which nobody asked for
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            import nncf  # noqa: PLC0415 - seconds that only this needs

            nncf.set_log_level(logging.ERROR)
            yield nncf
    finally:
        loud.setLevel(level)
        del sys.modules[TELEMETRY]
        if hidden is not None:
            sys.modules[TELEMETRY] = hidden
