"""Reading Keras 2 weights (HDF5) as plain arrays, without Keras and without executing anything in the file.

Layout: the root (or, in a whole saved model, its group ``model_weights``) has the attribute ``layer_names``;
each layer's group has ``weight_names``, the paths of its arrays, which end in ``kernel:0``, ``bias:0``,
``gamma:0``, ``beta:0``, ``moving_mean:0`` or ``moving_variance:0``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from mesoscope.types import Float32Array
from mesoscope_train.errors import WeightsError

LARGEST_ARRAY = 2**28
"""Values in one array; a file that declares more is refused before memory is asked for."""


@dataclass(frozen=True, slots=True)
class KerasLayer:
    """One layer with weights.

    Attributes:
        name: as in the file, ``conv2d_5``.
        arrays: by role: ``kernel``, ``bias``, ``gamma``, ``beta``, ``moving_mean``, ``moving_variance``.
    """

    name: str
    arrays: dict[str, Float32Array]

    @property
    def number(self) -> int:
        """Keras counts a kind's layers in the order of their creation: 5 for ``conv2d_5``, 0 for ``conv2d``."""
        match = re.search(r"_(\d+)$", self.name)
        return int(match[1]) if match else 0


def read_keras_layers(path: Path) -> list[KerasLayer]:
    """All layers with weights, in the order of their creation within their kind.

    Raises:
        WeightsError: not readable, not HDF5, not Keras 2 weights, or values that are not finite.
    """
    try:
        with h5py.File(path, "r") as file:
            return sorted(_layers(file, path), key=lambda layer: layer.number)
    except OSError as error:
        if not path.is_file():
            raise WeightsError(f"{path} cannot be read: there is no such file") from None
        if h5py.is_hdf5(path):
            raise WeightsError(f"{path} is a damaged HDF5 file ({error}); fetch it again") from None
        raise WeightsError(f"{path} is not an HDF5 file; the published weights are .h5 files") from None


def _layers(file: h5py.File, path: Path) -> list[KerasLayer]:
    root = file.get("model_weights", file)
    if "layer_names" not in root.attrs:
        raise WeightsError(f"{path} is HDF5, but not Keras 2 weights: it has no list of layers (layer_names)")
    layers = []
    for name in map(_text, root.attrs["layer_names"]):
        group = root.get(name)
        if not isinstance(group, h5py.Group) or "weight_names" not in group.attrs:
            raise WeightsError(f"{path} is damaged: layer {name} is listed and missing")
        weights = {_role(_text(weight)): _array(group, _text(weight), path) for weight in group.attrs["weight_names"]}
        if weights:
            layers.append(KerasLayer(name, weights))
    return layers


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _role(weight: str) -> str:
    return weight.rsplit("/", 1)[-1].split(":", 1)[0]


def _array(group: h5py.Group, weight: str, path: Path) -> Float32Array:
    stored = group.get(weight)
    if not isinstance(stored, h5py.Dataset):
        raise WeightsError(f"{path} is damaged: {weight} is listed and missing")
    if stored.size is None or stored.size > LARGEST_ARRAY or stored.dtype.kind != "f":
        raise WeightsError(f"{path}: {weight} is no array of weights (shape {stored.shape}, {stored.dtype})")
    values = np.asarray(stored, np.float32)
    if not np.isfinite(values).all():
        raise WeightsError(f"{path}: {weight} holds values that are not finite; the file is damaged")
    return values
