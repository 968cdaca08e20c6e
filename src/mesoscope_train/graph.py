"""From a detector to an ONNX graph that both engines read and that says nothing of the machine it was made on."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mesoscope_train.detectors.base import Detector

if TYPE_CHECKING:
    import onnx

OPSET = 18
INPUT_NAME = "input"
OUTPUT_NAMES = ("logit", "map")
BATCH_AXIS = "N"


class _WithMap(nn.Module):
    """What is exported: `Detector.forward_with_map` as a plain forward."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        return self.detector.forward_with_map(batch)


def export_graph(detector: Detector, size: int) -> bytes:
    """An ONNX file's bytes; the same weights give the same bytes (with the same torch).

    Args:
        detector: left as it is; a copy on the CPU in eval mode is exported.
        size: S of the input (N, 3, S, S).

    Returns:
        A graph with the input ``input`` (N, 3, S, S) and the outputs ``logit`` (N,) and ``map`` (N, h, w),
        float32, N free, weights inside.
    """
    module = _WithMap(copy.deepcopy(detector)).cpu().float().eval()
    # two inputs: with one, the exporter would take the batch's size for a constant
    example = torch.zeros(2, 3, size, size)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's remarks on its own deprecations
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=list(OUTPUT_NAMES),
            dynamic_shapes={"batch": {0: torch.export.Dim.DYNAMIC}},
            verbose=False,
        )
    assert program is not None  # noqa: S101 - None is for the old exporter
    model: onnx.ModelProto = program.model_proto
    _strip(model)
    return bytes(model.SerializeToString(deterministic=True))


def _strip(model: onnx.ModelProto) -> None:
    """Remove stack traces (paths of this machine), names that count calls, and whatever the engines do not read."""
    graph = model.graph
    model.producer_name, model.producer_version, model.doc_string = "mesoscope", "", ""
    graph.name, graph.doc_string = "detector", ""
    del graph.value_info[:]
    described: Iterable[onnx.ModelProto] = [
        model,
        graph,
        *graph.node,
        *graph.initializer,
        *graph.input,
        *graph.output,
    ]
    for part in described:
        del part.metadata_props[:]
        part.doc_string = ""
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH_AXIS
