"""What a frozen backbone makes of pictures, computed once and kept on disk, so that heads train in seconds.

Kept are the planes' averages after the backbone's own normalisation of them: all that our heads look at. A picture
has a fixed number of views: the first is the picture as it is, the others are its augmentation, drawn by the
picture's sha256 and the view's number alone. So they are the same in every run that shares weights, preprocessing
and augmentation, and a run of another manifest with some of the same pictures computes the others only.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import MediaError, UsageError
from mesoscope.media import sha256
from mesoscope.types import Float32Array
from mesoscope_train.detectors import Detector
from mesoscope_train.detectors.backbone import BackboneDetector, norm_after_pooling
from mesoscope_train.detectors.base import Stage
from mesoscope_train.detectors.explicit import GlobalAverage, Pull, chain
from mesoscope_train.training.order import Draw
from mesoscope_train.training.pictures import Pictures, Readable
from mesoscope_train.training.pixels import cache_directory as pixels_directory
from mesoscope_train.weights import digest_of

_BATCH = 32
_SHARD = 512
"""Pictures whose features are written at once; what a kill loses."""


class HeadOnly(Detector):
    """A detector's head as a network of its own, on kept features (B, K, 1, 1); the layers are the detector's.

    Args:
        detector: whose backbone is frozen.

    Raises:
        UsageError: it is none on a backbone of timm.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.top = _on_a_backbone(detector).top

    def activations(self, batch: Tensor) -> Tensor:
        """They are what is kept."""
        return batch

    def features_vjp(self, activations: Tensor) -> tuple[Tensor, Pull]:
        """The head's; its average over the one position changes nothing."""
        return self.top.features_vjp(activations)

    def output_layer(self) -> nn.Linear:
        """The head's."""
        return self.top.output

    def backbone_stages(self) -> Sequence[Stage]:
        """None: all of it is head."""
        return ()


def pooled(detector: Detector, batch: Tensor) -> Tensor:
    """What the head's second layer sees, (B, 3, S, S) to (B, K)."""
    backbone = _on_a_backbone(detector).backbone
    norm = norm_after_pooling(backbone)
    layers = [GlobalAverage(), *([backbone.get_submodule(norm)] if norm else [])]
    return chain(layers, detector.activations(batch))[0]


@dataclass(frozen=True)
class Features(Readable):
    """Kept features as what a head learns from.

    Attributes:
        values: (N, views, K) float32.
        fake: (N,) bool.
    """

    values: Float32Array
    fake: np.ndarray[Any, np.dtype[np.bool_]]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, draw: Draw | int) -> tuple[Tensor, float, int]:
        """(K, 1, 1): of a `Draw` the view that its chance picks, else the picture as it is."""
        row = draw if isinstance(draw, int) else draw.row
        views = self.values.shape[1]
        view = 0 if isinstance(draw, int) else int(np.random.default_rng(draw.chance).integers(views))
        return torch.from_numpy(self.values[row, view])[:, None, None], float(self.fake[row]), row


def kept_features(
    detector: Detector,
    pictures: Pictures,
    *,
    views: int,
    device: torch.device,
    directory: Path,
    step: Callable[[int], None] = lambda _count: None,
) -> Features:
    """Look features up, and compute and keep what is missing.

    Args:
        detector: with its weights, its backbone frozen; left as it is.
        pictures: rows, with their preprocessing and augmentation.
        views: of each picture, at least one.
        device: on which the backbone runs.
        directory: of the kept features; made where it is missing.
        step: called with the number of pictures of one view that are done.

    Raises:
        MediaError: a picture cannot be read.
        UsageError: the detector is none on a backbone of timm, or the directory cannot be written.
    """
    names = [_name(file) for file in pictures.files]
    backbone = _backbone_key(detector)
    was_training, where = detector.training, next(detector.parameters()).device
    detector.eval().to(device)

    def run(batch: Tensor) -> Float32Array:
        with torch.inference_mode():
            values: Float32Array = pooled(detector, batch.to(device)).float().cpu().numpy()
        return values

    try:
        columns = [
            _of_view(pictures, names, view, run, _Kept(directory / _key(backbone, pictures, view)), step)
            for view in range(views)
        ]
    finally:
        detector.to(where).train(was_training)
    return Features(np.stack(columns, 1), pictures.fake)


def _of_view(  # noqa: PLR0917 - one caller
    pictures: Pictures,
    names: Sequence[str],
    view: int,
    run: Callable[[Tensor], Float32Array],
    kept: _Kept,
    step: Callable[[int], None],
) -> Float32Array:
    """(N, K) of one view of all pictures; what is missing is computed, and kept a shard at a time."""
    # two rows may be one picture
    waiting = list({names[row]: row for row in range(len(names)) if names[row] not in kept}.values())
    step(len(names) - len(waiting))
    for start in range(0, len(waiting), _SHARD):
        shard, pieces = waiting[start : start + _SHARD], []
        for place in range(0, len(shard), _BATCH):
            rows = shard[place : place + _BATCH]
            pieces.append(run(torch.stack([pictures.view(row, _chance(names[row], view)) for row in rows])))
            step(len(rows))
        kept.add([names[row] for row in shard], np.concatenate(pieces))
    return np.stack([kept[name] for name in names])


def features_directory() -> Path:
    """Where they are kept: beside the decoded pictures."""
    return pixels_directory().parent / "features"


class _Kept:
    """Features of one view, in files that are written once and never changed; (sha256 of a picture) to (K,)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, Float32Array] = {}
        for file in sorted(directory.glob("*.npz")):
            try:
                with np.load(file, allow_pickle=False) as content:
                    self._known.update(zip(content["names"].tolist(), content["values"], strict=True))
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                continue  # a damaged file is computed anew

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def __getitem__(self, name: str) -> Float32Array:
        return self._known[name]

    def add(self, names: Sequence[str], values: Float32Array) -> None:
        """Keep values (N, K)."""
        make_directory(self._directory)
        file = self._directory / f"{hashlib.sha256(''.join(names).encode()).hexdigest()[:32]}.npz"
        with replacing(file) as partial, explained(file), partial.open("wb") as out:
            np.savez(out, names=np.array(names), values=values)
        self._known.update(zip(names, values, strict=True))


def _chance(name: str, view: int) -> np.random.Generator | None:
    """Of a picture's view; none for the first, which is the picture as it is."""
    return np.random.default_rng([int(name[:16], 16), view]) if view else None


def _name(file: Path) -> str:
    try:
        return sha256(file)
    except MediaError as error:
        raise MediaError(f"{file}: {error}") from error


def _key(backbone: str, pictures: Pictures, view: int) -> str:
    """Of everything but the picture that features depend on."""
    facts: dict[str, object] = {"backbone": backbone, "preprocess": pictures.spec.model_dump(mode="json")}
    if view:
        facts |= {"augment": [each.model_dump(mode="json") for each in pictures.augment], "view": view}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _backbone_key(detector: Detector) -> str:
    """Of the backbone's kind, with what stands before it, and of all its weights."""
    known = _on_a_backbone(detector)
    kind = f"{type(detector).__name__} {known.backbone_name} {known.backbone_size}"
    return f"{kind} {digest_of(known.backbone.state_dict())}"


def _on_a_backbone(detector: Detector) -> BackboneDetector:
    if not isinstance(detector, BackboneDetector):
        raise UsageError(
            f"{type(detector).__name__} keeps no features: stages with 'views' need a backbone of timm "
            "(timm:backbone=…, resnet50, xception, densenet121); leave stages.N.views out"
        )
    return detector
