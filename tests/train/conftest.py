"""Detectors with made-up weights, bundles of them, and the published MesoNet weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _each_graph_is_exported_once():
    """Exporting takes seconds and is a function of the weights (which a test proves), so the bundles share it."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    from mesoscope_train import export

    known = {}

    def export_once(detector, size):
        key = (type(detector), size, save(detector.state_dict()))
        if key not in known:
            known[key] = export_graph(detector, size)
        return known[key]

    export_graph, save = export.export_graph, export.save
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "export_graph", export_once)
        yield


@pytest.fixture(scope="session")
def lively():
    """Function from an architecture's name to one with random weights and BatchNorm statistics, in eval mode."""
    import torch

    from mesoscope_train.detectors import detectors

    def make(architecture: str):
        torch.manual_seed(0)
        module = detectors[architecture].build()
        for part in module.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(part.running_mean, -0.2, 0.2)
                torch.nn.init.uniform_(part.running_var, 0.2, 2)
                torch.nn.init.uniform_(part.weight, -1, 2)  # negative scales too
                torch.nn.init.uniform_(part.bias, -0.5, 0.5)
            elif isinstance(part, torch.nn.Linear):
                part.weight.data *= 5  # so that maps are far larger than what is tolerated
        return module.eval()

    return make


@pytest.fixture(scope="session")
def export_arguments():
    """What `export_bundle` must be told beside module, architecture and place."""
    from mesoscope.bundle import Licences
    from mesoscope_train.detectors import detectors

    def make(architecture: str, **changes):
        return {
            "name": f"test-{architecture}",
            "version": "1",
            "judges": "face",
            "preprocess": detectors[architecture].preprocess,
            "training_data": [],
            "licences": Licences(code="Apache-2.0", data="none", weights="Apache-2.0"),
            "limits": ["Made-up weights: it knows nothing."],
            "card": "# A test\n",
            **changes,
        }

    return make


@pytest.fixture(scope="session")
def bundle_of(tmp_path_factory: pytest.TempPathFactory, lively, export_arguments):
    """Function from an architecture's name to a bundle of `lively` weights, exported once."""
    from mesoscope_train.export import export_bundle

    made = {}

    def get(architecture: str):
        if architecture not in made:
            place = tmp_path_factory.mktemp("bundles")
            made[architecture] = export_bundle(
                lively(architecture), architecture, place, **export_arguments(architecture)
            )
        return made[architecture]

    return get


@pytest.fixture(scope="session")
def weights_dir(data_dir: Path) -> Path:
    """The four published MesoNet .h5 files."""
    path = data_dir / "mesonet-weights" / "weights"
    if not path.is_dir():
        pytest.skip(f"{path} is absent")
    return path
