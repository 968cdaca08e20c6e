"""Detectors with made-up weights, bundles of them, and the published MesoNet weights."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import pytest

SMALL = 96
"""Pixels; enough for a map of 3 x 3 below five halvings."""


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
    """Function from an architecture to one with random weights and BatchNorm statistics, in eval mode."""
    import torch

    from mesoscope_train.detectors import parse_architecture

    made = {}

    def make(text: str):
        if text not in made:
            torch.manual_seed(0)
            made[text] = _enlivened(parse_architecture(text))
        return copy.deepcopy(made[text])

    return make


def _enlivened(architecture):
    import torch

    from mesoscope_train.detectors.backbone import BackboneDetector
    from mesoscope_train.parity import stand_in_inputs

    module = architecture.build()
    if isinstance(module, BackboneDetector):
        # in a deep network made-up statistics would let values vanish or explode: they are measured
        return _gathered(module, torch.from_numpy(stand_in_inputs(_small(architecture))))
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(part.running_var, 0.2, 2)
            torch.nn.init.uniform_(part.weight, -1, 2)  # negative scales too
            torch.nn.init.uniform_(part.bias, -0.5, 0.5)
        elif isinstance(part, torch.nn.Linear):
            part.weight.data *= 5  # so that maps are far larger than what is tolerated
    return module.eval()


def _small(architecture):
    """What it takes, at a size that costs little where it takes any."""
    entry, preprocess = architecture.entry, architecture.preprocess
    return architecture.at_size(SMALL)[1] if entry.any_size and preprocess.size > SMALL else preprocess


def _gathered(module, batch):
    """Random scales and shifts in every BatchNorm, and the statistics of `batch`."""
    import torch

    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.3, 0.9)
            torch.nn.init.uniform_(part.bias, -0.1, 0.1)
            part.momentum = None
    module.train()
    with torch.no_grad():
        module(batch)
    return module.eval()


@pytest.fixture(scope="session")
def export_arguments():
    """What `export_bundle` must be told beside module, architecture and place."""
    from mesoscope.bundle import Licences
    from mesoscope_train.detectors import parse_architecture

    def make(architecture: str, **changes):
        return {
            "name": f"test-{architecture.partition(':')[0]}",
            "version": "1",
            "judges": "face",
            "preprocess": _small(parse_architecture(architecture)),
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
