"""Two engines, one answer; and graphs that break the contract."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mesoscope.bundle import Bundle, load_bundle
from mesoscope.engine import BATCH, Judge, engines
from mesoscope.errors import EngineError, UsageError
from mesoscope.preprocess import to_batch


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle("mesoscope-face")


@pytest.fixture(scope="module")
def batch(bundle: Bundle) -> np.ndarray:
    random = np.random.default_rng(0)
    crops = [random.integers(0, 256, (90, 90, 3), dtype=np.uint8) for _ in range(BATCH + 3)]
    return to_batch(crops, bundle.contract.preprocess)


def test_both_engines_give_the_same(bundle: Bundle, batch: np.ndarray) -> None:
    first, second = (Judge.open(bundle, name)(batch) for name in ("openvino", "onnxruntime"))
    np.testing.assert_allclose(first[0], second[0], atol=1e-4)
    np.testing.assert_allclose(first[1], second[1], atol=1e-4)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_batch_equals_its_pieces(bundle: Bundle, batch: np.ndarray, engine: str) -> None:
    judge = Judge.open(bundle, engine, threads=1)
    together = judge(batch)
    assert together[0].shape == (BATCH + 3,)
    assert together[1].shape[0] == BATCH + 3
    one = judge(batch[-1:])
    np.testing.assert_allclose(together[0][-1:], one[0], atol=1e-4)


def test_nothing_in_nothing_out(bundle: Bundle, batch: np.ndarray) -> None:
    logits, maps = Judge.open(bundle)(batch[:0])
    assert len(logits) == len(maps) == 0


def test_unknown_engine_lists_the_known(bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="known: onnxruntime, openvino"):
        Judge.open(bundle, "abacus")


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_file_that_is_no_graph(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(EngineError, match="cannot open"):
        engines[engine](path, 0)


def graph(path: Path, nodes: list[onnx.NodeProto], outputs: dict[str, list[str | int]]) -> Path:
    value = helper.make_tensor_value_info
    inputs = [value("input", TensorProto.FLOAT, ["N", 3, 16, 16])]
    made = helper.make_graph(
        nodes, "g", inputs, [value(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_outputs_of_another_form_break_the_contract(bundle: Bundle, tmp_path: Path, engine: str) -> None:
    nodes = [helper.make_node("ReduceMean", ["input"], ["logit"], axes=[1, 2, 3], keepdims=1)]
    path = graph(tmp_path / "m.onnx", nodes, {"logit": ["N", 1, 1, 1]})
    with pytest.raises(EngineError, match=r"a logit \(N,\) and a map"):
        Judge(bundle, engines[engine](path, 0))(np.zeros((2, 3, 16, 16), np.float32))


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_value_that_is_not_finite_is_never_an_answer(bundle: Bundle, tmp_path: Path, engine: str) -> None:
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Log", ["mean"], ["logit"]),
        helper.make_node("ReduceMean", ["input"], ["map"], axes=[1], keepdims=0),
    ]
    path = graph(tmp_path / "m.onnx", nodes, {"logit": ["N"], "map": ["N", 16, 16]})
    with pytest.raises(EngineError, match="not finite"):
        Judge(bundle, engines[engine](path, 0))(np.full((1, 3, 16, 16), -1, np.float32))
