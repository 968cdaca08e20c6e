"""First weights of a detector: timm's download, a file of anybody's, or none; and a record that says which.

A file fits where it holds the backbone of the detector: every tensor, in its shape. The head is taken over too where
the whole of it fits, and is left fresh where not (another head, another number of units): the record says so.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mesoscope.errors import UsageError
from mesoscope_train.detectors import Detector
from mesoscope_train.detectors.backbone import BackboneDetector, backbone_config, create_backbone
from mesoscope_train.errors import WeightsError
from mesoscope_train.weight_files import WeightFile, difference, named_as, read_weights

IMAGENET = "imagenet"
NONE = "none"


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """What a detector began with; for the log and the bundle's card.

    Attributes:
        source: in words: ``none``, ``timm resnet50.tv_in1k``, ``file x.ckpt``, ``run NAME``, ``bundle NAME-1``.
        sha256: of the file; of the tensors, where timm downloaded them; None for none.
        licence: of downloaded weights, as timm states it.
        loaded: tensors taken over.
        head: whether the head was among them, or is random.
        fresh: names of the head's tensors that are random; empty for none, where all are.
    """

    source: str
    sha256: str | None
    licence: str | None
    loaded: int
    head: Literal["loaded", "fresh"]
    fresh: tuple[str, ...]

    @property
    def is_pretrained(self) -> bool:
        """Whether the backbone knows anything."""
        return self.loaded > 0

    def __str__(self) -> str:
        if not self.is_pretrained:
            return "none: all weights are random"
        digest = f", sha256 {self.sha256[:12]}…" if self.sha256 else ""
        head = "the head too" if self.head == "loaded" else f"the head is fresh ({', '.join(self.fresh)})"
        return f"{self.source}{digest}: {self.loaded} tensors, {head}"


def load_weights(detector: Detector, source: str) -> WeightsRecord:
    """Give a detector its first weights.

    Args:
        detector: fresh; changed in place, and not at all where an error is raised.
        source: ``imagenet`` (timm's published weights of the backbone), ``none``, or see
            `mesoscope_train.weight_files.read_weights`; published files of timm's backbones fit too.

    Raises:
        UsageError: ImageNet weights of a network that has none, or that cannot be downloaded.
        WeightsError: nothing is there, or the weights are of another architecture.
    """
    if source == NONE:
        return WeightsRecord(NONE, None, None, 0, "fresh", ())
    if source == IMAGENET:
        return _downloaded(detector)
    found = read_weights(source)
    state = named_as(detector, found.state)
    if state:
        return _taken_over(detector, state, found)
    if isinstance(detector, BackboneDetector):
        return _from_timms_file(detector, found)
    raise WeightsError(f"{found.origin} is of another architecture: {difference(detector, found.state)}")


def require_pretrained(record: WeightsRecord) -> None:
    """Refuse to freeze a backbone that knows nothing.

    Raises:
        UsageError: the weights are random.
    """
    if not record.is_pretrained:
        raise UsageError(
            "a frozen backbone needs weights that were trained before, and weights are none: the head would learn on "
            "random numbers. Give --weights imagenet, or a file, run or bundle"
        )


def _taken_over(detector: Detector, state: Mapping[str, Tensor], found: WeightFile) -> WeightsRecord:
    ours = detector.state_dict()
    head = {f"{name}.{key}" for name, layer in detector.head_modules().items() for key in layer.state_dict()}
    # a counter of batches that older files lack, and that nothing here reads
    needed = {key for key in ours if not key.endswith("num_batches_tracked")}
    fitting = {key for key in ours if key in state and state[key].shape == ours[key].shape}
    if needed - head - fitting:
        raise WeightsError(f"{found.origin} is of another architecture: {difference(detector, state, needed - head)}")
    # a head that has more layers than ours is another one, even where ours would find its own in it
    tops = {key.partition(".")[0] for key in head}
    more = {key for key in state if key not in ours and key.partition(".")[0] in tops}
    whole = not more and not (needed & head) - fitting
    taken = fitting if whole else fitting - head
    detector.load_state_dict({key: state[key] for key in taken}, strict=False)
    fresh = tuple(key for key in ours if key in needed and key not in taken)
    return WeightsRecord(found.origin, found.sha256, None, len(taken), "loaded" if whole else "fresh", fresh)


def _downloaded(detector: Detector) -> WeightsRecord:
    if not isinstance(detector, BackboneDetector):
        raise UsageError(
            f"{type(detector).__name__} has no published ImageNet weights; "
            "give --weights none, or a file, run or bundle"
        )
    name = detector.backbone_name
    config = backbone_config(name)
    if not config.has_weights:
        raise UsageError(f"timm has no published weights of {name}; give --weights none, or a file, run or bundle")
    tag = f"timm {config.architecture}.{config.tag}" if config.tag else f"timm {config.architecture}"
    try:
        state, random = _through_timm(detector, {})
    except OSError as error:
        raise UsageError(
            f"the weights {tag} cannot be downloaded ({error}); where there is no network, give --weights with the "
            "file, downloaded elsewhere"
        ) from None
    if random:
        raise WeightsError(f"the weights {tag} are not whole: {random[0]} is not among them")
    return _backbone_taken_over(detector, state, WeightFile(state, tag, digest_of(state)), config.license)


def _from_timms_file(detector: BackboneDetector, found: WeightFile) -> WeightsRecord:
    try:
        state, random = _through_timm(detector, {"state_dict": dict(found.state)})
    except (RuntimeError, KeyError, IndexError, TypeError, ValueError, AttributeError):
        # whatever timm's converters stumble over in a file that is not theirs
        state, random = {}, ["all"]
    if random:
        raise WeightsError(
            f"{found.origin} is of another architecture than {detector.backbone_name}: "
            f"{difference(detector.backbone, found.state)}"
        )
    return _backbone_taken_over(detector, state, found, None)


def _backbone_taken_over(
    detector: BackboneDetector, state: Mapping[str, Tensor], found: WeightFile, licence: str | None
) -> WeightsRecord:
    detector.backbone.load_state_dict(state)
    fresh = tuple(key for key in detector.state_dict() if not key.startswith("backbone."))
    return WeightsRecord(found.origin, found.sha256, licence, len(state), "fresh", fresh)


def _through_timm(detector: BackboneDetector, overlay: dict[str, object]) -> tuple[dict[str, Tensor], list[str]]:
    """The backbone's state as timm loads and converts it, and the kernels that stayed random.

    Timm is content with half a file; a kernel that was not loaded has the values that the same seed gives again.
    """
    name, size = detector.backbone_name, detector.backbone_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fresh = dict(create_backbone(name, size).named_parameters())
        torch.manual_seed(0)
        with _without_remarks():
            loaded = create_backbone(name, size, pretrained=True, pretrained_cfg_overlay=overlay)
    random = [
        key
        for key, value in loaded.named_parameters()
        if value.ndim > 1 and value.requires_grad and torch.equal(value, fresh[key])
    ]
    return loaded.state_dict(), random


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Timm lists every tensor that it has no use for; what is missing is said here."""
    logger = logging.getLogger("timm")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def digest_of(state: Mapping[str, Tensor]) -> str:
    """sha256 of tensors: names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for key in sorted(state):
        value = state[key].contiguous()
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()
