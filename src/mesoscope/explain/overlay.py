"""Maps laid over the pictures they explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mesoscope.explain.colours import MapScale, caption, colourise, measure
from mesoscope.explain.marks import OUTCOME_COLOURS, OUTCOME_WORDS, Mark, draw_marks, font, label_size
from mesoscope.types import Box, Float32Array, JudgedFace, Outcome, UInt8Image

_CONTOUR = 0.5
"""Share of the saturated value at which an outline is drawn: the second carrier beside colour."""
_URGENCY = (Outcome.FAKE, Outcome.INCONCLUSIVE, Outcome.REAL, Outcome.NOT_APPLICABLE, Outcome.ERROR)


def overlay(
    pixels: UInt8Image,
    faces: Sequence[JudgedFace],
    scale: float,
    floor: float,
    *,
    shared: MapScale | None = None,
    labels: bool = True,
) -> UInt8Image:
    """The picture with each face's map over the square that was judged, boxes and labels.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        faces: boxes and squares in pixels of the original.
        scale: displayed pixels per original pixel.
        floor: the bundle's; a peak below it stays faint (see `MapScale`).
        shared: the scale of colours; by default one scale for all faces given, so that one colour means one
            strength throughout the picture.
        labels: False draws the maps alone.

    Returns:
        (H, W, 3) uint8 RGB, a copy.
    """
    shared = shared or measure((face.map for face in faces), floor)
    maps = [(face.square.scaled(scale), face.map) for face in faces if face.map is not None]
    coloured = blend_maps(pixels, maps, shared) if shared else pixels
    return outline(coloured, faces, scale) if labels else coloured.copy()


def outline(pixels: UInt8Image, faces: Sequence[JudgedFace], scale: float) -> UInt8Image:
    """The picture with boxes and labels alone; arguments as in `overlay`."""
    urgent_first = sorted(faces, key=lambda face: (_URGENCY.index(face.outcome), -(face.probability or 0)))
    return draw_marks(pixels, [_mark(face, scale) for face in urgent_first])


def _mark(face: JudgedFace, scale: float) -> Mark:
    word = OUTCOME_WORDS[face.outcome]
    number = "" if face.probability is None else f" {face.probability:.2f}"
    short_title = face.title.removeprefix("face ").removeprefix("track ")
    texts = (f"{face.title} · {word}{number}", f"{short_title} · {word}{number}", f"{short_title} ·{number or ' –'}")
    return Mark(face.box.scaled(scale), OUTCOME_COLOURS[face.outcome], texts)


def blend_maps(pixels: UInt8Image, maps: Sequence[tuple[Box, Float32Array]], scale: MapScale) -> UInt8Image:
    """Lay maps over a picture, smoothly upsampled; where two overlap the stronger evidence is shown.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        maps: the area of each in pixels of the picture (may reach over its edge), and (h, w) float32.
        scale: of the colours.

    Returns:
        (H, W, 3) uint8 RGB, a copy.
    """
    out = pixels.copy()
    seen: list[tuple[Box, Float32Array, tuple[int, int, int, int]]] = [
        (area, values, window)
        for area, values in maps
        if (window := _window(area, pixels.shape[1], pixels.shape[0])) is not None
    ]
    if not seen:
        return out
    left, top = min(window[0] for _, _, window in seen), min(window[1] for _, _, window in seen)
    right, bottom = max(window[2] for _, _, window in seen), max(window[3] for _, _, window in seen)
    field = np.zeros((bottom - top, right - left), np.float32)
    for area, values, window in seen:
        part = field[window[1] - top : window[3] - top, window[0] - left : window[2] - left]
        upsampled = upsample(values, area, window)
        np.copyto(part, upsampled, where=np.abs(upsampled) > np.abs(part))
    region = out[top:bottom, left:right]
    colours = colourise(field, scale.limit, scale.opacity)
    alpha = colours[..., 3:].astype(np.float32) / 255
    region[:] = np.rint(region + (colours[..., :3].astype(np.float32) - region) * alpha).astype(np.uint8)
    if scale.localised:
        _draw_contours(region, field, _CONTOUR * scale.limit)
    return out


def _window(area: Box, width: int, height: int) -> tuple[int, int, int, int] | None:
    """The whole pixels of a picture that an area covers, or None."""
    left, top = max(0, round(area.left)), max(0, round(area.top))
    right, bottom = min(width, round(area.right)), min(height, round(area.bottom))
    return (left, top, right, bottom) if right > left and bottom > top else None


def upsample(values: Float32Array, area: Box, window: tuple[int, int, int, int]) -> Float32Array:
    """A map's values at the pixels of a window of its area (bicubic, never beyond the map's own range).

    Args:
        values: (h, w) float32 over `area`.
        area: in pixels.
        window: left, top, right, bottom in whole pixels, within `area` up to rounding.

    Returns:
        (bottom - top, right - left) float32.
    """
    high, wide = values.shape
    source = (
        (window[0] - area.left) / area.width * wide,
        (window[1] - area.top) / area.height * high,
        (window[2] - area.left) / area.width * wide,
        (window[3] - area.top) / area.height * high,
    )
    inside = (max(0.0, source[0]), max(0.0, source[1]), min(float(wide), source[2]), min(float(high), source[3]))
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    size = (window[2] - window[0], window[3] - window[1])
    resized = np.asarray(image.resize(size, Image.Resampling.BICUBIC, box=inside), np.float32)
    return resized.clip(values.min(), values.max())


def _draw_contours(region: UInt8Image, field: Float32Array, level: float) -> None:
    """Outline strong evidence in place: a solid line for fake, a dotted one for real."""
    dots = np.add.outer(np.arange(field.shape[0]), np.arange(field.shape[1])) // 4 % 2 == 0
    for_fake, for_real = _edge(field >= level), _edge(field <= -level) & dots
    region[for_fake | for_real] = 255


def _edge(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels of a mask with a neighbour outside it; the array's own border counts as outside."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: npt.NDArray[np.bool_] = mask & ~inner
    return edge


def with_legend(pixels: UInt8Image, scale: MapScale | None, line: str) -> UInt8Image:
    """The picture with a strip below it: the colour bar with its real range, and a line of text.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        scale: of the colours in the picture; None where there is no map.
        line: what else must stay with the picture (bundle, hash); cut with an ellipsis where it is too long.

    Returns:
        (H + strip, max(W, 320), 3) uint8 RGB; a narrower picture is set on white.
    """
    width = max(320, pixels.shape[1])
    size = max(11, min(label_size(width, pixels.shape[0]), width // 40))
    row = round(1.5 * size)
    texts = [*_wrapped(caption(scale), width - size, size), _cut(line, width - size, size)]
    strip = Image.new("RGB", (width, row * (len(texts) + (2 if scale else 0)) + size), "#ffffff")
    draw = ImageDraw.Draw(strip)
    y = size // 2
    if scale:
        _draw_bar(strip, scale, y, size)
        y += 2 * row
    for text in texts:
        draw.text((size // 2, y), text, fill="#20242a", font=font(size))
        y += row
    canvas = np.full((pixels.shape[0] + strip.height, width, 3), 255, np.uint8)
    left = (width - pixels.shape[1]) // 2
    canvas[: pixels.shape[0], left : left + pixels.shape[1]] = pixels
    canvas[pixels.shape[0] :] = np.asarray(strip)
    return canvas


def _draw_bar(strip: Image.Image, scale: MapScale, y: int, size: int) -> None:
    draw = ImageDraw.Draw(strip)
    left, right = size // 2, strip.width - size // 2
    values = np.linspace(-scale.limit, scale.limit, right - left, dtype=np.float32)[None].repeat(size, axis=0)
    bar = Image.fromarray(colourise(values, scale.limit, scale.opacity), "RGBA")
    strip.paste(bar, (left, y), bar)
    draw.rectangle((left, y, right - 1, y + size - 1), outline="#20242a")
    words = (
        (left, "ls", f"{-scale.limit:.2g} speaks for real"),
        ((left + right) / 2, "ms", "0"),
        (right, "rs", f"speaks for fake {scale.limit:+.2g}"),
    )
    for x, anchor, text in words:
        draw.text((x, y + 2.3 * size), text, fill="#20242a", font=font(size), anchor=anchor)


def _wrapped(text: str, width: int, size: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font(size).getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(text: str, width: int, size: int) -> str:
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
