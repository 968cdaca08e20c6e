"""Self-blended images: a fake made of one real face and nothing else.

Paper: Shiohara, Yamasaki: "Detecting Deepfakes with Self-Blended Images", CVPR 2022, arXiv:2204.08376; the random
deformation of masks follows Simard, Steinkraus, Platt: "Best Practices for Convolutional Neural Networks Applied to
Visual Document Analysis", ICDAR 2003. Written after the papers.

A copy of the face is changed in colour and in frequency, moved and resized by a little, and blended into the other
copy through a deformed, softened mask. Whoever tells the result from the picture must have learnt what all face swaps
share: a boundary, two statistics in one face, features that do not fit; and nothing of any one generator.

Ours, where the paper leaves it open or needs what is not there: the outline is `mesoscope_train.augment.outline`'s
where there are no 68 or 81 landmarks; the hull is turned, stretched and shifted as a whole in place of landmark by
landmark; masks are made at `MASK_SIDE` pixels and enlarged, which their softness allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from scipy.ndimage import gaussian_filter, map_coordinates

from mesoscope.types import Float32Array, UInt8Image
from mesoscope_train.augment.colour import Colour
from mesoscope_train.augment.operation import Bounds, Share, between, resized
from mesoscope_train.augment.outline import around

MASK_SIDE = 160
_GRID = 9
"""Points a side at which the deformation is drawn; between them it is smooth."""
_SURE = 1 - 1e-3
"""What a softened mask must reach to count as its inside: one, but for rounding."""
_REACH = 0.12
"""How far the picture's edge is repeated before it is moved, in shares; more than any change asks for."""
_Mask = npt.NDArray[np.float32]
Needs = Literal["landmarks", "box", "crop"]


def _ratios(ratios: tuple[float, ...]) -> tuple[float, ...]:
    if not ratios or not all(0 < ratio <= 1 for ratio in ratios):
        raise ValueError(f"blending ratios lie above 0 and are at most 1: {ratios}")
    return ratios


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The two pictures of one frame.

    Attributes:
        real: (H, W, 3) uint8, the picture, or its copy changed as a whole.
        fake: (H, W, 3) uint8, the same with the other copy blended in.
        mask: (H, W) float32 in [0, 1], how much of the other copy there is.
    """

    real: UInt8Image
    fake: UInt8Image
    mask: _Mask


class SelfBlend(BaseModel):
    """How a real face becomes a pair; part of a recipe.

    Attributes:
        needs: what must be known of every face: ``landmarks``, at least a ``box``, or nothing beyond the ``crop``.
            Whatever is known is used; where nothing is, an ellipse in the middle stands in.
        shift: largest change of each colour channel by itself, in grey levels.
        colour: changes of brightness, contrast, saturation and hue.
        shrink: share of the sides that the copy is shrunk to and enlarged from, where it is not sharpened instead.
        sharpen: bounds of the sharpening, in shares of the detail that is added.
        resize: bounds of the factors of width and height of what is blended in.
        move: how far it is moved at most, in shares of width and of height.
        hull: how far the outline is stretched or shrunk, turned (in degrees: times a hundred) and shifted.
        deform: largest displacement of the mask's deformation, in shares of the picture's side.
        soften: bounds of both softenings of the mask, kernels in shares of the picture's side.
        ratios: one is drawn: what the mask is multiplied by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    needs: Needs = "crop"
    shift: Annotated[float, Field(ge=0, le=255)] = 20.0
    colour: Colour = Colour(brightness=0.1, contrast=0.1, saturation=0.3, hue=0.05)
    shrink: Bounds = (0.25, 0.9)
    sharpen: Bounds = (0.2, 1.0)
    resize: Bounds = (0.95, 1.05)
    move: tuple[Share, Share] = (0.03, 0.015)
    hull: Share = 0.1
    deform: Share = 0.04
    soften: Bounds = (0.02, 0.15)
    ratios: Annotated[tuple[float, ...], AfterValidator(_ratios)] = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)

    def pair(self, pixels: UInt8Image, points: Float32Array, random: np.random.Generator) -> Pair:
        """Make the pair.

        Args:
            pixels: (H, W, 3) uint8 RGB of a real face; never changed in place.
            points: (N, 2) float32, landmarks or an outline, x, y in shares of width and height.
            random: source of all chance.
        """
        changed = self.changed(pixels, random)
        source, target = (changed, pixels) if random.random() < 0.5 else (pixels, changed)
        height, width = pixels.shape[:2]
        outline = around(points * np.array([width, height], np.float32))
        factors, way = random.uniform(*self.resize, 2), random.uniform(-1, 1, 2) * self.move
        # what is blended in and its mask go the same way; the deformation that follows is the mask's alone
        mask = _moved_mask(self._hull(outline, pixels.shape, random), factors, way)
        mask = self.softened(self.deformed(mask, random), random)
        mask *= self.ratios[int(random.integers(len(self.ratios)))]
        whole = _enlarged(mask, width, height)
        return Pair(target, _blended(_moved(source, factors, way), target, whole), whole)

    def changed(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """The copy with other colours and another frequency content, (H, W, 3) to (H, W, 3)."""
        shift = random.uniform(-self.shift, self.shift, 3).astype(np.float32)
        coloured: UInt8Image = np.rint(pixels + shift).clip(0, 255).astype(np.uint8)
        coloured = self.colour.apply(coloured, random)
        if random.random() < 0.5:
            share, (height, width) = between(self.shrink, random), pixels.shape[:2]
            small = resized(coloured, round(width * share), round(height * share), Image.Resampling.BILINEAR)
            return resized(small, width, height, Image.Resampling.BILINEAR)
        amount = round(100 * between(self.sharpen, random))
        return np.asarray(Image.fromarray(coloured).filter(ImageFilter.UnsharpMask(2, amount, 0)))

    def _hull(self, outline: Float32Array, shape: tuple[int, ...], random: np.random.Generator) -> _Mask:
        """The outline, as a whole turned, stretched and shifted, filled with one: (h, w), at most `MASK_SIDE`."""
        scale = min(1.0, MASK_SIDE / max(shape[:2]))
        size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
        middle = outline.mean(0)
        stretch = 1 + random.uniform(-self.hull, self.hull, 2)
        angle = np.radians(100 * random.uniform(-self.hull, self.hull))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shift = random.uniform(-self.hull, self.hull, 2) * np.ptp(outline, axis=0) / 4
        corners = ((outline - middle) * stretch @ turn + middle + shift) * scale
        canvas = Image.new("L", size)
        ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in corners], fill=1)
        return np.asarray(canvas, np.float32)

    def deformed(self, mask: _Mask, random: np.random.Generator) -> _Mask:
        """Elastically: each place of the mask (h, w) comes from another one, neighbours from neighbours."""
        height, width = mask.shape
        reach = self.deform * max(height, width)
        coarse = random.uniform(-1, 1, (2, _GRID, _GRID)).astype(np.float32) * reach
        fields = [_enlarged(field, width, height, Image.Resampling.BICUBIC) for field in coarse]
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        found: _Mask = map_coordinates(mask, [rows + fields[0], columns + fields[1]], order=1, mode="constant")
        return found

    def softened(self, mask: _Mask, random: np.random.Generator) -> _Mask:
        """Twice by Gaussians; between the two, what is not wholly inside is cut away.

        So the mask ends smaller than the hull where the first is the wider one, larger where the second is.
        """
        first, second = random.uniform(*self.soften, 2) * max(mask.shape)
        soft = _normalised(gaussian_filter(mask, _deviation(first)))
        soft = np.where(soft >= _SURE, np.float32(1), np.float32(0))
        return _normalised(gaussian_filter(soft, _deviation(second)))


def _deviation(kernel: float) -> float:
    """Of a Gaussian whose kernel is this wide, as in `mesoscope_train.augment.blur`."""
    return max(0.5, 0.3 * ((kernel - 1) / 2 - 1) + 0.8)


def _normalised(mask: _Mask) -> _Mask:
    """So that its largest value is one; an empty mask stays empty."""
    largest = float(mask.max())
    scaled: _Mask = (mask / largest if largest > 0 else mask).astype(np.float32)
    return scaled


def _enlarged(values: _Mask, width: int, height: int, filter: Image.Resampling = Image.Resampling.BILINEAR) -> _Mask:
    return np.array(Image.fromarray(values).resize((width, height), filter), np.float32)


def _seen(size: tuple[int, int], factors: npt.NDArray[np.float64], way: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Which part of a picture fills it after it was resized around its middle and moved: left, top, right, bottom."""
    (width, height), (across, down) = size, factors
    middle = (0.5 - way[0] / across) * width, (0.5 - way[1] / down) * height
    half = width / across / 2, height / down / 2
    return middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]


def _moved(pixels: UInt8Image, factors: npt.NDArray[np.float64], way: npt.NDArray[np.float64]) -> UInt8Image:
    """Resized and moved, beyond the edge its pixels repeated: (H, W, 3) to (H, W, 3)."""
    height, width = pixels.shape[:2]
    edge = int(np.ceil(_REACH * max(height, width)))
    padded = Image.fromarray(np.pad(pixels, ((edge, edge), (edge, edge), (0, 0)), mode="edge"))
    part = _within([edge + place for place in _seen((width, height), factors, way)], padded.size)
    return np.asarray(padded.resize((width, height), Image.Resampling.BILINEAR, part))


def _moved_mask(mask: _Mask, factors: npt.NDArray[np.float64], way: npt.NDArray[np.float64]) -> _Mask:
    """The same of a mask (h, w), nothing beyond its edge."""
    height, width = mask.shape
    edge = int(np.ceil(_REACH * max(height, width)))
    padded = Image.fromarray(np.pad(mask, edge))
    part = _within([edge + place for place in _seen((width, height), factors, way)], padded.size)
    return np.array(padded.resize((width, height), Image.Resampling.BILINEAR, part), np.float32)


def _within(part: list[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """A part of a picture as far as there is one: settings of a recipe may ask for more than `_REACH`."""
    left, top, right, bottom = part
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)


def _blended(source: UInt8Image, target: UInt8Image, mask: _Mask) -> UInt8Image:
    """``source * mask + target * (1 - mask)``."""
    share = mask[..., None]
    mixed: UInt8Image = np.rint(source * share + target * (1 - share)).clip(0, 255).astype(np.uint8)
    return mixed
