"""Writing bundles: whole or not at all, the same bytes again, nothing of the machine inside."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

import onnx  # noqa: E402

from mesoscope.bundle import CONTRACT_FILE, WEIGHTS_FILE, Band, Bundle, Calibration, read_bundle  # noqa: E402
from mesoscope.engine import Judge  # noqa: E402
from mesoscope.errors import BundleError, UsageError  # noqa: E402
from mesoscope.preprocess import to_batch  # noqa: E402
from mesoscope_train import export  # noqa: E402
from mesoscope_train.detectors.meso4 import Meso4  # noqa: E402
from mesoscope_train.errors import ExportError  # noqa: E402
from mesoscope_train.export import export_bundle, load_module  # noqa: E402
from mesoscope_train.graph import export_graph  # noqa: E402
from mesoscope_train.parity import stand_in_inputs  # noqa: E402


@pytest.fixture
def ready_graph(monkeypatch, bundle_of):
    """Exporting takes seconds; where the graph is beside the point, take one that is there."""
    graph = bundle_of("meso4").graph.read_bytes()
    monkeypatch.setattr(export, "export_graph", lambda _module, _size: graph)


def test_the_graph_keeps_its_promises(bundle_of):
    model = onnx.load(bundle_of("meso4").graph)
    onnx.checker.check_model(model, full_check=True)
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"input": ["N", 3, 256, 256], "logit": ["N"], "map": ["N", 32, 32]}
    assert list(shapes) == ["input", "logit", "map"]
    floats = {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)}
    assert floats == {onnx.TensorProto.FLOAT}
    assert not any(initializer.external_data for initializer in model.graph.initializer)
    assert {opset.domain for opset in model.opset_import} == {""}


def test_the_graph_says_nothing_of_the_machine(bundle_of):
    raw = bundle_of("meso4").graph.read_bytes()
    for word in (str(Path.cwd()), str(Path(torch.__file__).parent.parent), ".py", "stack_trace", torch.__version__):
        assert word.encode() not in raw, word


def test_the_same_weights_give_the_same_bytes(bundle_of, lively, export_arguments, tmp_path):
    first = bundle_of("meso4")
    assert export_graph(lively("meso4"), 256) == first.graph.read_bytes()
    second = export_bundle(lively("meso4"), "meso4", tmp_path, **export_arguments("meso4"))
    assert second.contract.files == first.contract.files


def test_the_module_given_is_left_as_it_is(ready_graph, lively, export_arguments, tmp_path):
    module = lively("meso4").train()
    export_bundle(module, "meso4", tmp_path, **export_arguments("meso4"))
    assert module.training


def test_floor(ready_graph, bundle_of, lively, export_arguments, tmp_path):
    bundle = bundle_of("meso4")
    spec = bundle.contract.preprocess
    _, maps = Judge.open(bundle)(to_batch([np.full((256, 256, 3), 127, np.uint8)], spec))
    assert bundle.contract.explanation.floor == pytest.approx(np.abs(maps).max(), rel=1e-3)
    own = export_bundle(lively("meso4"), "meso4", tmp_path, **export_arguments("meso4", floor=0.25))
    assert own.contract.explanation.floor == 0.25


def test_a_network_whose_units_are_dead_has_a_floor_too(bundle_of):
    module = Meso4().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert export.peak_on_nothing(module, bundle_of("meso4").contract.preprocess) == export.LEAST_FLOOR > 0


def test_parity_is_measured_on_the_inputs_given(ready_graph, lively, export_arguments, tmp_path):
    arguments = export_arguments("meso4", parity_inputs=np.zeros((3, 3, 256, 256), np.float32))
    assert export_bundle(lively("meso4"), "meso4", tmp_path, **arguments).contract.parity.inputs == 3


def test_stand_in_inputs_are_always_the_same(export_arguments):
    spec = export_arguments("meso4")["preprocess"]
    first = stand_in_inputs(spec, 3)
    assert first.shape == (3, 3, 256, 256)
    assert first.dtype == np.float32
    assert np.array_equal(first, stand_in_inputs(spec, 3))


class WrongMap(Meso4):
    def head_with_alpha(self, activations):
        logit, alpha = super().head_with_alpha(activations)
        return logit, 2 * alpha


def test_a_graph_with_another_logit_is_not_written(ready_graph, lively, export_arguments, tmp_path):
    module = lively("meso4")
    with torch.no_grad():
        module.fc2.bias.add_(0.01)
    with pytest.raises(ExportError, match=r"differs from the module by 0\.01 \(openvino_logit"):
        export_bundle(module, "meso4", tmp_path, **export_arguments("meso4"))
    assert not list(tmp_path.iterdir())


def test_a_map_that_is_not_grad_cam_is_not_written(lively, export_arguments, tmp_path):
    module = WrongMap().eval()
    module.load_state_dict(lively("meso4").state_dict())
    with pytest.raises(ExportError, match=r"\(map;"):
        export_bundle(module, "meso4", tmp_path, **export_arguments("meso4"))
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_not_written(ready_graph, lively, export_arguments, tmp_path):
    module = lively("meso4")
    with torch.no_grad():
        module.fc2.bias.fill_(float("nan"))
    with pytest.raises(ExportError, match="not finite"):
        export_bundle(module, "meso4", tmp_path, **export_arguments("meso4"))
    assert not list(tmp_path.iterdir())


def test_parts_that_make_no_contract_leave_nothing(ready_graph, lively, export_arguments, tmp_path):
    arguments = export_arguments("meso4", band=Band(lower=0.4, upper=0.6, max_missed=0.1))
    with pytest.raises(ValidationError, match="thresholds and band"):
        export_bundle(lively("meso4"), "meso4", tmp_path / "new", **arguments)
    assert not list((tmp_path / "new").iterdir())


def test_unknown_architecture(lively, export_arguments, tmp_path):
    with pytest.raises(UsageError, match="unknown detector 'meso5'"):
        export_bundle(lively("meso4"), "meso5", tmp_path, **export_arguments("meso4"))
    assert not list(tmp_path.iterdir())


def test_a_bundle_is_replaced_only_when_asked(ready_graph, lively, export_arguments, tmp_path):
    calibration = Calibration(method="temperature", slope=0.5, intercept=0.0)
    first = export_bundle(lively("meso4"), "meso4", tmp_path, **export_arguments("meso4"))
    with pytest.raises(UsageError, match="already there"):
        export_bundle(lively("meso4"), "meso4", tmp_path, **export_arguments("meso4", calibration=calibration))
    assert read_bundle(first.path).sha256 == first.sha256
    changed = export_arguments("meso4", calibration=calibration, overwrite=True)
    second = export_bundle(lively("meso4"), "meso4", tmp_path, **changed)
    assert second.contract.calibration == calibration
    assert [entry.name for entry in tmp_path.iterdir()] == ["test-meso4-1"]


def test_something_that_is_no_bundle_is_never_replaced(lively, export_arguments, tmp_path):
    (tmp_path / "test-meso4-1").mkdir()
    (tmp_path / "test-meso4-1" / "diary.txt").write_text("mine")
    with pytest.raises(UsageError, match="is no bundle"):
        export_bundle(lively("meso4"), "meso4", tmp_path, **export_arguments("meso4", overwrite=True))
    assert (tmp_path / "test-meso4-1" / "diary.txt").read_text() == "mine"


def test_a_bundle_can_be_read_by_others(ready_graph, lively, export_arguments, tmp_path):
    """The workshop is private to its owner, the bundle is as any file the user makes."""
    path = export_bundle(lively("meso4"), "meso4", tmp_path, **export_arguments("meso4")).path
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o777 & ~umask
    assert {entry.stat().st_mode & 0o777 for entry in path.iterdir()} == {0o666 & ~umask}


def _with(bundle: Bundle, path: Path, **changes) -> Bundle:
    """A copy of a bundle in memory whose contract says something else."""
    return Bundle(path, bundle.contract.model_copy(update=changes), bundle.sha256)


def test_loading_an_architecture_that_is_not_here(bundle_of):
    bundle = bundle_of("meso4")
    with pytest.raises(UsageError, match="unknown detector 'later'"):
        load_module(_with(bundle, bundle.path, architecture="later"))


def test_loading_weights_of_another_architecture(bundle_of):
    bundle = bundle_of("meso4")
    with pytest.raises(BundleError, match="does not fit the architecture 'mesoinception4'"):
        load_module(_with(bundle, bundle.path, architecture="mesoinception4"))


def test_loading_weights_that_are_no_safetensors(bundle_of, tmp_path):
    shutil.copytree(bundle_of("meso4").path, tmp_path / "b")
    (tmp_path / "b" / WEIGHTS_FILE).write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(BundleError, match="is not a safetensors file"):
        load_module(_with(bundle_of("meso4"), tmp_path / "b"))


def test_the_contract_is_written_for_people_too(bundle_of):
    text = (bundle_of("meso4").path / CONTRACT_FILE).read_text()
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 40
