"""Two videos of the same footage, annotated, side by side in one MP4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mesoscope.atomic import replacing
from mesoscope.errors import UsageError
from mesoscope.explain import OUTCOME_WORDS, measure
from mesoscope.explain.findings import Explanation
from mesoscope.explain.marks import font
from mesoscope.media import DEFAULT_LIMITS, Frame, MediaLimits, Video, open_video
from mesoscope.report.annotate import Annotator, Mp4Writer
from mesoscope.report.words import visible
from mesoscope.types import FrameMap, UInt8Image

_HEAD = 36
_LONGEST = 110
"""Letters of a heading."""


def write_beside(
    left: Explanation, right: Explanation, floor: float, out: Path, *, limits: MediaLimits = DEFAULT_LIMITS
) -> None:
    """Write both videos beside each other, the first one's time leading, on one scale of colours.

    Both are read again, a frame of each in memory. The second is scaled to the height of the first.

    Args:
        left: an explained video; its path is opened again.
        right: likewise.
        floor: of the maps.
        out: the MP4; it appears when it is whole.
        limits: of the media.

    Raises:
        UsageError: one of them is no video with a judged face, or the place cannot be written.
        MediaError: one of them cannot be read again.
    """
    check_pair(left, right)
    sides = (left, right)
    scale = measure((shot.map for side in sides for track in side.tracks for shot in track.shots), floor)
    annotators = [Annotator.of(side.result.tracks, maps_of(side), scale) for side in sides]
    first, second = (open_video(Path(side.result.path), limits) for side in sides)
    heads = [_heading(side) for side in sides]
    with replacing(out) as partial, Mp4Writer(partial, out, first.frame_rate) as encoder:
        for one, other in _together(first, second):
            drawn = [
                annotator.draw(frame.pixels, frame.time_s)
                for annotator, frame in zip(annotators, (one, other), strict=True)
            ]
            height = drawn[0].shape[0]
            framed = [_framed(pixels, height, head) for pixels, head in zip(drawn, heads, strict=True)]
            encoder.add(np.hstack(framed), one.time_s)
        encoder.finish()


def check_pair(left: Explanation, right: Explanation) -> None:
    """Refuse what cannot be shown side by side.

    Raises:
        UsageError: one of the two is no video with a judged face.
    """
    for side in (left, right):
        if not any(track.shots for track in side.tracks):
            raise UsageError(
                f"cannot show {visible(side.result.path)} beside the other: it is no video with a judged face"
            )


def maps_of(explanation: Explanation) -> dict[int, list[FrameMap]]:
    """The maps of every sampled frame, by the track's id, as annotated videos take them."""
    return {
        track.result.id: [FrameMap(shot.frame, shot.square, shot.map) for shot in track.shots]
        for track in explanation.tracks
    }


def _together(first: Video, second: Video) -> Iterator[tuple[Frame, Frame]]:
    """Each frame of the first with the second's last frame up to that time (half a frame's grace)."""
    grace = 0.5 / float(second.frame_rate)
    others = second.frames()
    shown = next(others)
    ahead = next(others, None)
    for one in first.frames():
        while ahead is not None and ahead.time_s <= one.time_s + grace:
            shown, ahead = ahead, next(others, None)
        yield one, shown


def _heading(explanation: Explanation) -> str:
    result = explanation.result
    score = "" if result.probability is None else f" {result.probability:.2f}"
    truth = f" · labelled {explanation.truth}" if explanation.truth else ""
    return f"{visible(Path(result.path).name)} · {OUTCOME_WORDS[result.outcome]}{score}{truth}"[:_LONGEST]


def _framed(pixels: UInt8Image, height: int, head: str) -> UInt8Image:
    """A frame at a height, its heading above it."""
    image = Image.fromarray(pixels)
    if image.height != height:
        image = image.resize((max(1, round(image.width * height / image.height)), height), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (image.width, height + _HEAD), "#101418")
    canvas.paste(image, (0, _HEAD))
    size = max(11, min(22, image.width // 34))
    ImageDraw.Draw(canvas).text((10, _HEAD / 2), head, fill="#ffffff", font=font(size), anchor="lm")
    return np.asarray(canvas)
