"""Reading the weights of a file, a bundle or a run, whatever wrote them; nothing is ever unpickled."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mesoscope.bundle import CONTRACT_FILE, WEIGHTS_FILE, find_bundle, read_bundle, sha256_of
from mesoscope.errors import BundleNotFound
from mesoscope_train.errors import WeightsError

_SHOWN = 3
"""Tensors named in a message."""
RUN_FILE = "model.safetensors"
"""Where a training run keeps its best weights."""
_INSIDE = ("state_dict", "model", "state_dict_ema", "model_ema")
"""Where checkpoints keep the state beside other things: Lightning, then timm's and others' scripts."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """What was found.

    Attributes:
        state: tensors by name, on the CPU.
        origin: in words, without any path of this machine.
        sha256: of the file.
    """

    state: dict[str, Tensor]
    origin: str
    sha256: str


def read_weights(place: str) -> WeightFile:
    """Read weights.

    Args:
        place: a file (``.safetensors``; anything else as a torch checkpoint: ``.ckpt``, ``.pth``, ``.pt``, ``.bin``),
            the directory of a run, or a bundle, by directory or installed name.

    Raises:
        WeightsError: nothing is there, it is no such file, or it holds no tensors.
        BundleError: the bundle is damaged.
    """
    path = Path(place)
    if path.is_dir() and (path / RUN_FILE).is_file() and not (path / CONTRACT_FILE).is_file():
        return _read(path / RUN_FILE, f"run {path.resolve().name}")
    if path.is_file():
        return _read(path, f"file {path.name}")
    try:
        bundle = read_bundle(find_bundle(place))
    except BundleNotFound as error:
        raise WeightsError(
            f"no weights at {place}: give imagenet, none, a file, a run's directory or a bundle ({error})"
        ) from None
    return _read(bundle.path / WEIGHTS_FILE, f"bundle {bundle.contract.identifier}")


def named_as(module: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that have names of the module, freed of what a checkpoint puts before them (``detector.``)."""
    ours = set(module.state_dict())
    prefixes = Counter(
        key[:start]
        for key in state
        for start in (0, *(place + 1 for place, sign in enumerate(key) if sign == "."))
        if key[start:] in ours
    )
    if not prefixes:
        return {}
    prefix = prefixes.most_common(1)[0][0]
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def difference(module: nn.Module, state: Mapping[str, Tensor], among: Collection[str] | None = None) -> str:
    """The first tensors that do not fit, in words.

    Args:
        module: what the weights are wanted for.
        state: what there is.
        among: names of the tensors that are needed; by default all of the module's.
    """
    ours = {key: value for key, value in module.state_dict().items() if among is None or key in among}
    found = named_as(module, state)
    shapes = [
        f"{key} is {tuple(found[key].shape)}, not {tuple(value.shape)}"
        for key, value in ours.items()
        if key in found and found[key].shape != value.shape
    ]
    if shapes:
        return "; ".join(shapes[:_SHOWN]) + _more(shapes)
    missing = [f"{key} {tuple(value.shape)}" for key, value in ours.items() if key not in found]
    holds = [f"{key} {tuple(value.shape)}" for key, value in state.items()]
    return (
        f"it lacks {', '.join(missing[:_SHOWN])}{_more(missing)}; it holds {', '.join(holds[:_SHOWN])}{_more(holds)}"
    )


def _more(items: list[str]) -> str:
    return f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""


def _read(path: Path, origin: str) -> WeightFile:
    try:
        state = _safetensors(path) if path.suffix == ".safetensors" else _checkpoint(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror or error})") from None
    if not state:
        raise WeightsError(f"{path} holds no weights: no tensors by name")
    return WeightFile(state, origin, sha256_of(path))


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file ({error})") from None


def _checkpoint(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path} holds more than tensors and plain values, and such files can run code; "
            "convert it to safetensors where you trust it"
        ) from None
    except (RuntimeError, EOFError, KeyError, ValueError) as error:
        # what torch says of a file that is no checkpoint differs by how it is broken
        first = str(error).partition("\n")[0]
        raise WeightsError(f"{path} is no checkpoint of torch ({first or type(error).__name__})") from None
    return _tensors(content)


def _tensors(content: object) -> dict[str, Tensor]:
    """The tensors of a state dict, which may stand inside a checkpoint's dictionary."""
    if not isinstance(content, Mapping):
        return {}
    for name in _INSIDE:
        if isinstance(content.get(name), Mapping):
            return _tensors(content[name])
    return {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
