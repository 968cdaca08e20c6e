"""Int8 graphs: smaller, alike in both engines, near the float32 graph, and made without a word to anybody."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("nncf", reason="int8 needs the 'train' extra")

import onnx

from mesoscope.engine import engines
from mesoscope.errors import UsageError
from mesoscope_train.parity import stand_in_inputs
from mesoscope_train.quantising.graph import int8_graph, method_in_words

OFFLINE = """
import socket, sys
def refuse(*_): raise SystemExit("somebody wants to talk")
socket.socket.connect = socket.create_connection = refuse
from pathlib import Path
import numpy as np
from mesoscope_train.quantising.graph import int8_graph
made = int8_graph(Path(sys.argv[1]), np.load(sys.argv[2]))
assert "openvino_telemetry" not in sys.modules, "telemetry was imported"
from nncf.telemetry.wrapper import NNCFTelemetry, telemetry
assert not isinstance(telemetry, NNCFTelemetry), "NNCF would report"
Path(sys.argv[3]).write_bytes(made)
"""


@pytest.fixture(scope="module")
def bundle(bundle_of):
    """Residual branches, for which engines have been seen to differ."""
    return bundle_of("slim-resnet")


@pytest.fixture(scope="module")
def inputs(bundle):
    return stand_in_inputs(bundle.contract.preprocess, 12)


@pytest.fixture(scope="module")
def made(bundle, inputs, tmp_path_factory):
    """Made in a process of its own, which may not talk to anybody."""
    place = tmp_path_factory.mktemp("int8")
    np.save(place / "inputs.npy", inputs)
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(bundle.graph), str(place / "inputs.npy"), str(place / "int8.onnx")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout, "its progress bars are not for our stdout"
    return place / "int8.onnx"


def test_all_convolutions_are_int8_and_nothing_else_is(bundle, made):
    before, after = (onnx.load(str(path)).graph for path in (bundle.graph, made))
    kinds = Counter(node.op_type for node in before.node)
    producers = {output: node.op_type for node in after.node for output in node.output}
    convolutions = [node for node in after.node if node.op_type == "Conv"]
    assert len(convolutions) == kinds["Conv"]
    for node in convolutions:
        assert [producers[name] for name in node.input[:2]] == ["DequantizeLinear"] * 2
    for node in after.node:
        if node.op_type in ("Add", "Gemm", "ReduceSum", "Mul"):
            assert "DequantizeLinear" not in [producers.get(name) for name in node.input]
    assert made.stat().st_size < 0.45 * bundle.graph.stat().st_size


def test_it_says_nothing_of_how_it_was_made(made):
    model = onnx.load(str(made))
    assert (model.producer_name, model.producer_version, list(model.metadata_props)) == ("mesoscope", "", [])


def test_both_engines_give_what_float32_gives_nearly_and_each_other_more_nearly(bundle, made, inputs):
    before, before_map = engines["onnxruntime"](bundle.graph, 0)(inputs)
    found = {name: engines[name](made, 0)(inputs) for name in ("openvino", "onnxruntime")}
    for logits, maps in found.values():
        assert np.abs(logits - before).mean() < 0.02 * np.abs(before).mean()
        assert np.corrcoef(maps.ravel(), before_map.ravel())[0, 1] > 0.95
    between, cost = (np.abs(found["onnxruntime"][0] - other) for other in (found["openvino"][0], before))
    assert between.max() < 0.25 * cost.max()


def test_what_is_int8_already_is_refused(made, inputs):
    with pytest.raises(UsageError, match="is an int8 graph already"):
        int8_graph(made, inputs)


def test_a_graph_without_convolutions_is_refused(tmp_path, inputs):
    node = onnx.helper.make_node("Relu", ["input"], ["logit"])
    value = onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["N", 3, 8, 8])
    result = onnx.helper.make_tensor_value_info("logit", onnx.TensorProto.FLOAT, ["N", 3, 8, 8])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", [value], [result])), tmp_path / "g.onnx")
    with pytest.raises(UsageError, match="no convolutional network"):
        int8_graph(tmp_path / "g.onnx", inputs)


def test_the_method_names_its_version():
    assert "NNCF 3" in method_in_words()
