"""A bundle opened for looking into it: its network in torch, its rule, and whether its maps can localise anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mesoscope.bundle import Bundle, load_bundle
from mesoscope.calibrate import Verdict, verdict_for
from mesoscope.errors import UsageError
from mesoscope.preprocess import Preprocess
from mesoscope_train.detectors import Detector
from mesoscope_train.export import load_module


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked into.

    Attributes:
        bundle: read and verified.
        module: its network, in eval mode on the CPU.
        verdict: its rule for outcomes.
    """

    bundle: Bundle
    module: Detector
    verdict: Verdict

    @property
    def spec(self) -> Preprocess:
        """How pictures become inputs."""
        return self.bundle.contract.preprocess

    @property
    def name(self) -> str:
        """``name-version``."""
        return self.bundle.contract.identifier

    @property
    def map_layer(self) -> str:
        """The layer that the map is made of."""
        return self.bundle.contract.explanation.layer


def open_subject(name: str) -> Subject:
    """Find a bundle by name or path, and build its network.

    Raises:
        BundleNotFound, BundleError: see `mesoscope.bundle.load_bundle`.
        UsageError: its architecture is not registered here.
    """
    bundle = load_bundle(name)
    return Subject(bundle, load_module(bundle), verdict_for(bundle.contract))


def map_shape(subject: Subject) -> tuple[int, int]:
    """(h, w) of the map.

    Raises:
        UsageError: the map has fewer than 3 x 3 cells, so that no place in a face can be told from another.
    """
    side = subject.spec.size
    with torch.no_grad():
        _, maps = subject.module.forward_with_map(torch.zeros(1, 3, side, side))
    height, width = maps.shape[1:]
    if min(height, width) < 3:
        raise UsageError(
            f"bundle {subject.name} has no spatial map: the one it gives is {height} x {width} cells "
            f"(layer {subject.map_layer}), which cannot tell places apart; choose a bundle with a finer map"
        )
    return int(height), int(width)


def to_pixels(inputs: torch.Tensor, spec: Preprocess) -> torch.Tensor:
    """Inputs (B, 3, S, S) back to RGB values (B, 3, S, S) of 0 to 1; the inverse of `to_input`'s normalisation."""
    mean = torch.from_numpy(np.array(spec.mean, np.float32))[:, None, None]
    std = torch.from_numpy(np.array(spec.std, np.float32))[:, None, None]
    pixels = inputs * std + mean
    return pixels.flip(1) if spec.channel_order == "bgr" else pixels


def from_pixels(pixels: torch.Tensor, spec: Preprocess) -> torch.Tensor:
    """RGB values (B, 3, S, S) of 0 to 1 to inputs (B, 3, S, S); differentiable."""
    mean = torch.from_numpy(np.array(spec.mean, np.float32))[:, None, None]
    std = torch.from_numpy(np.array(spec.std, np.float32))[:, None, None]
    return ((pixels.flip(1) if spec.channel_order == "bgr" else pixels) - mean) / std
