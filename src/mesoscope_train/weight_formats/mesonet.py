"""The published MesoNet weights (Keras 2, ``.h5``) of Meso-4 and MesoInception-4.

Paper: Afchar et al.: "MesoNet: a Compact Facial Video Forgery Detection Network", IEEE WIFS 2018, arXiv:1809.00888.
Source: https://github.com/DariusAf/MesoNet, folder ``weights``. Licence of code and weights: Apache-2.0.

Their sigmoid is the probability of *real*; the last layer is negated here, so that higher means fake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mesoscope.bundle import Bundle, Licences, TrainingData, sha256_of
from mesoscope.types import Float32Array
from mesoscope_train.detectors import build_detector, parse_architecture
from mesoscope_train.detectors.meso4 import CELLS, CHANNELS, MesoNet
from mesoscope_train.errors import WeightsError
from mesoscope_train.export import export_bundle
from mesoscope_train.keras_h5 import KerasLayer, read_keras_layers
from mesoscope_train.weight_formats import weight_formats

VERSION = "1"
TITLES = {"meso4": "Meso-4", "mesoinception4": "MesoInception-4"}
_KINDS: dict[type[nn.Module], tuple[str, tuple[str, ...]]] = {
    nn.Conv2d: ("convolution", ("kernel", "bias")),
    nn.BatchNorm2d: ("batch normalisation", ("gamma", "beta", "moving_mean", "moving_variance")),
    nn.Linear: ("dense layer", ("kernel", "bias")),
}
_STATE = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


@dataclass(frozen=True, slots=True)
class Forgery:
    """What one set of the published weights was trained on.

    Attributes:
        key: as in the published files' names, in lower case.
        saw: in words, for card and limits.
        training: for the contract.
    """

    key: str
    saw: str
    training: list[TrainingData]


_DF = Forgery(
    "df",
    "face swaps of the first generation (Deepfakes, autoencoders), from compressed videos found online in 2018",
    [
        TrainingData(
            name="MesoNet deepfake set (Afchar et al. 2018), training part",
            terms="research only; handed out by the authors",
            n_real=7250,
            n_fake=5111,
            manifest_sha256=None,
        )
    ],
)
_F2F = Forgery(
    "f2f",
    "Face2Face reenactments (somebody else's expression on a face) from the videos of FaceForensics, 2018",
    [
        TrainingData(
            name="FaceForensics (Roessler et al. 2018), Face2Face, frames chosen by Afchar et al.",
            terms="research only; handed out by the authors of FaceForensics",
            n_real=None,
            n_fake=None,
            manifest_sha256=None,
        )
    ],
)
_UNKNOWN = Forgery("", "forgeries that the file does not tell (it is none of the four published files)", [])
PUBLISHED = {
    "036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5": ("Meso4_DF", _DF),
    "bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7": ("Meso4_F2F", _F2F),
    "234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa": ("MesoInception_DF", _DF),
    "d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f": ("MesoInception_F2F", _F2F),
}
"""The four files of the authors' repository, by sha256: name without ``.h5``, and what they were trained on."""


@weight_formats.register("mesonet")
def import_mesonet(
    file: Path,
    out_dir: Path,
    *,
    name: str | None = None,
    overwrite: bool = False,
    parity_inputs: Float32Array | None = None,
) -> Bundle:
    """Turn Keras weights of Meso-4 or MesoInception-4 into a bundle, polarity turned round.

    Nothing is invented: no calibration, thresholds or band, because no data came with the weights.

    Args:
        file: HDF5; which of the two networks it holds is told by its layers.
        out_dir: will hold the directory ``name-1``.
        name: of the bundle; by default ``mesonet-meso4-df`` and the like, for the four published files.
        overwrite: replace a bundle that is already there.
        parity_inputs: (N, 3, 256, 256) float32 to measure parity on; by default noise.

    Raises:
        WeightsError: the file holds something else, or is none of the published ones and has no name.
        UsageError, ExportError: as in `mesoscope_train.export.export_bundle`.
    """
    layers = read_keras_layers(file)
    architecture = _architecture_of(layers, file)
    module = load_keras_layers(architecture, layers, file)
    sha256 = sha256_of(file)
    forgery = _forgery_of(sha256, file)
    parsed = parse_architecture(architecture)
    return export_bundle(
        module,
        architecture,
        out_dir,
        name=name or _name(architecture, forgery, file),
        version=VERSION,
        judges="face",
        preprocess=parsed.preprocess,
        training_data=forgery.training,
        licences=Licences(
            code=parsed.entry.provenance.code_licence,
            data="research only" if forgery.training else "unknown",
            weights=parsed.entry.provenance.weights_licence
            if sha256 in PUBLISHED
            else "unknown; ask who gave you the file",
        ),
        limits=_limits(forgery),
        card=_card(architecture, forgery, file, sha256),
        parity_inputs=parity_inputs,
        overwrite=overwrite,
    )


def load_keras_layers(architecture: str, layers: Sequence[KerasLayer], file: Path) -> MesoNet:
    """Build Meso-4 or MesoInception-4 with Keras' weights, the output negated, in eval mode.

    Args:
        architecture: its name in the registry.
        layers: in the order of their creation within their kind.
        file: for messages.

    Raises:
        WeightsError: a layer is missing, left over, or has another shape.
    """
    module = build_detector(architecture)
    assert isinstance(module, MesoNet)  # noqa: S101 - both names are of this family
    title = TITLES[architecture]
    for kind, (word, roles) in _KINDS.items():
        wanted = [layer for layer in module.modules() if type(layer) is kind]
        found = [layer for layer in layers if _kind_of(layer) is kind]
        if len(wanted) != len(found):
            raise WeightsError(f"{file} holds {len(found)} of the kind {word}, {title} has {len(wanted)}")
        for torch_layer, keras_layer in zip(wanted, found, strict=True):
            _fill(torch_layer, keras_layer, roles, f"{file}, {title}")
    with torch.no_grad():
        # Keras flattens (height, width, channels), torch (channels, height, width)
        cells = module.fc1.weight.view(-1, CELLS, CELLS, CHANNELS)
        module.fc1.weight.copy_(cells.permute(0, 3, 1, 2).flatten(1).clone())
        module.fc2.weight.neg_()
        module.fc2.bias.neg_()
    return module.eval()


def _kind_of(layer: KerasLayer) -> type[nn.Module] | None:
    if "gamma" in layer.arrays:
        return nn.BatchNorm2d
    kernel = layer.arrays.get("kernel")
    if kernel is None:
        return None
    return {4: nn.Conv2d, 2: nn.Linear}.get(kernel.ndim)


def _architecture_of(layers: Sequence[KerasLayer], file: Path) -> str:
    count = sum(_kind_of(layer) is nn.Conv2d for layer in layers)
    for architecture in TITLES:
        if count == sum(isinstance(layer, nn.Conv2d) for layer in build_detector(architecture).modules()):
            return architecture
    raise WeightsError(
        f"{file} holds {count} convolutions: neither Meso-4 (4) nor MesoInception-4 (16); "
        "is it one of the files published with MesoNet, whole?"
    )


def _fill(torch_layer: nn.Module, keras_layer: KerasLayer, roles: Sequence[str], where: str) -> None:
    state: dict[str, Tensor] = torch_layer.state_dict()
    for role in roles:
        if role not in keras_layer.arrays:
            raise WeightsError(f"{where}: layer {keras_layer.name} has no {role}")
        values = _as_torch(keras_layer.arrays[role], role)
        place = state[_STATE[role]]
        if values.shape != place.shape:
            raise WeightsError(
                f"{where}: {role} of layer {keras_layer.name} has the shape {tuple(values.shape)}, "
                f"not {tuple(place.shape)} (in torch's order of axes)"
            )
        place.copy_(values)


def _as_torch(values: Float32Array, role: str) -> Tensor:
    if role == "kernel":
        # (height, width, in, out) to (out, in, height, width), and (in, out) to (out, in)
        values = values.transpose(3, 2, 0, 1) if values.ndim == 4 else values.T
    return torch.from_numpy(np.ascontiguousarray(values))


def _forgery_of(sha256: str, file: Path) -> Forgery:
    if sha256 in PUBLISHED:
        return PUBLISHED[sha256][1]
    by_name = {stem.lower(): forgery for stem, forgery in PUBLISHED.values()}
    return by_name.get(file.stem.lower(), _UNKNOWN)


def _name(architecture: str, forgery: Forgery, file: Path) -> str:
    if forgery is _UNKNOWN:
        raise WeightsError(f"{file} is none of the four files published with MesoNet: name the bundle with --name")
    return f"mesonet-{architecture}-{forgery.key}"


def _limits(forgery: Forgery) -> list[str]:
    return [
        f"Trained on {forgery.saw}. It knows nothing of other ways to make or change a face.",
        "Not calibrated: its number is not a probability that holds on your pictures, and it knows no "
        "inconclusive answer and no false-positive budgets.",
        "On faces unlike those they were trained on (DFDC) the published weights do little better than chance: "
        "see the card.",
        "It judges single faces, cut out as its authors cut them; faces narrower than 60 pixels were never tested.",
    ]


def _card(architecture: str, forgery: Forgery, file: Path, sha256: str) -> str:
    published = PUBLISHED.get(sha256)
    origin = (
        f"the published file `{published[0]}.h5`, recognised by its content"
        if published
        else f"a file called `{file.name}`, whose content is none of the four published files"
    )
    saw = forgery.saw[0].upper() + forgery.saw[1:]
    template = (resources.files("mesoscope_train.weight_formats") / "mesonet_card.md").read_text(encoding="utf-8")
    return template.format(title=TITLES[architecture], saw=saw, origin=origin, sha256=sha256)
