"""Degrees of degradation: what happens to a picture on its way to the one who asks. Nothing here is left to chance.

The same picture gives the same bytes every time (with the same Pillow): encoders have fixed settings, and the noise
of a picture is drawn from its name. What is judged is degraded: a face crop as it is, a whole picture before faces
are looked for in it. A picture that is smaller than a tier's longest side is not enlarged.

A new tier is one entry in `TIERS`; a new sweep one entry in `SWEEPS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from mesoscope.errors import UsageError
from mesoscope.types import UInt8Image
from mesoscope_train.augment import Noise, recompressed
from mesoscope_train.augment.operation import resized
from mesoscope_train.evaluation.metrics_schema import TierFacts

CLEAN = "clean"
SHRINK = Image.Resampling.BICUBIC
"""Averages over the area when it shrinks; the filter most programs use."""
MESSENGER_SIDE = 640

Change = Callable[[UInt8Image, str], UInt8Image]
"""From (H, W, 3) uint8 and the picture's name to (h, w, 3) uint8."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One degree.

    Attributes:
        facts: its name, and of a sweep operation and level.
        change: what happens to a picture.
        about: in words, for help and page.
    """

    facts: TierFacts
    change: Change
    about: str

    @property
    def name(self) -> str:
        """Such as ``clean``, ``web``, ``jpeg-60``."""
        return self.facts.name


def at_most(pixels: UInt8Image, longest: int) -> UInt8Image:
    """The picture with its longest side at most `longest` pixels."""
    height, width = pixels.shape[:2]
    factor = longest / max(height, width)
    return pixels if factor >= 1 else resized(pixels, round(width * factor), round(height * factor), SHRINK)


def _web(pixels: UInt8Image, _name: str) -> UInt8Image:
    return recompressed(at_most(pixels, 768), "JPEG", 60)


def _hard(pixels: UInt8Image, _name: str) -> UInt8Image:
    return recompressed(at_most(pixels, 512), "JPEG", 40)


def _messenger(pixels: UInt8Image, _name: str) -> UInt8Image:
    pixels = recompressed(at_most(pixels, MESSENGER_SIDE), "JPEG", 55)
    return recompressed(recompressed(pixels, "WEBP", 75), "JPEG", 80)


def _jpeg(level: float) -> Change:
    return lambda pixels, _name: recompressed(pixels, "JPEG", round(level))


def _blur(level: float) -> Change:
    def change(pixels: UInt8Image, _name: str) -> UInt8Image:
        blurred = pixels.astype(np.float32)
        for axis in (0, 1):
            blurred = gaussian_filter1d(blurred, level, axis=axis, mode="mirror")
        changed: UInt8Image = np.rint(blurred).clip(0, 255).astype(np.uint8)
        return changed

    return change


def _scale(level: float) -> Change:
    def change(pixels: UInt8Image, _name: str) -> UInt8Image:
        height, width = pixels.shape[:2]
        return resized(pixels, round(width * level), round(height * level), SHRINK)

    return change


def _noise(level: float) -> Change:
    step = Noise(deviation=(level, level))

    def change(pixels: UInt8Image, name: str) -> UInt8Image:
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        return step.apply(pixels, np.random.default_rng(seed))

    return change


def _plain(name: str, change: Change, about: str) -> Tier:
    return Tier(TierFacts(name=name), change, about)


AS_IT_IS = _plain(CLEAN, lambda pixels, _name: pixels, "as it lies on disk")
TIERS: Mapping[str, Tier] = {
    "web": _plain("web", _web, "longest side at most 768, JPEG 60"),
    "hard": _plain("hard", _hard, "longest side at most 512, JPEG 40"),
    "messenger": _plain("messenger", _messenger, f"longest side at most {MESSENGER_SIDE}, JPEG 55, WebP 75, JPEG 80"),
}


@dataclass(frozen=True, slots=True)
class Sweep:
    """One operation at several levels, mild to strong.

    Attributes:
        make: from a level to what happens.
        levels: in the unit that `about` names.
        about: in words.
    """

    make: Callable[[float], Change]
    levels: tuple[float, ...]
    about: str


SWEEPS: Mapping[str, Sweep] = {
    "jpeg": Sweep(_jpeg, (95, 90, 80, 70, 60, 50, 40, 30), "JPEG quality, Pillow's scale"),
    "blur": Sweep(_blur, (0.5, 1, 2, 3, 4), "standard deviation of a Gaussian in pixels"),
    "scale": Sweep(_scale, (0.75, 0.5, 0.35, 0.25), "share of width and height that is left; it stays small"),
    "noise": Sweep(_noise, (2, 4, 8, 16), "standard deviation of Gaussian noise in grey levels of 255"),
}


def chosen_tiers(tiers: Sequence[str] = (), sweeps: Sequence[str] = ()) -> tuple[Tier, ...]:
    """``clean``, then the tiers and the levels of the sweeps that were asked for, in the order of this file.

    Raises:
        UsageError: there is no such tier or sweep.
    """
    _known("--tiers", tiers, [CLEAN, *TIERS])
    _known("--sweeps", sweeps, list(SWEEPS))
    chosen = [AS_IT_IS, *(tier for name, tier in TIERS.items() if name in tiers)]
    for operation, sweep in SWEEPS.items():
        if operation in sweeps:
            chosen += [_level(operation, sweep, level) for level in sweep.levels]
    return tuple(chosen)


def _level(operation: str, sweep: Sweep, level: float) -> Tier:
    facts = TierFacts(name=f"{operation}-{level:g}", operation=operation, level=level)
    return Tier(facts, sweep.make(level), f"{operation} {level:g}: {sweep.about}")


def _known(flag: str, asked: Sequence[str], names: Sequence[str]) -> None:
    for name in asked:
        if name not in names:
            raise UsageError(f"{flag} {name}: there is none of that name; there are {', '.join(names)}")
