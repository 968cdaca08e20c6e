"""A copy of a video with boxes that follow the faces and the maps inside them. Sound is not copied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError
from mesoscope.explain import (
    OUTCOME_COLOURS,
    OUTCOME_WORDS,
    MapScale,
    Mark,
    blend_maps,
    draw_marks,
    measure,
)
from mesoscope.types import Box, FrameMap, FrameResult, TrackResult, UInt8Image

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

MAX_GAP = 1.5
"""Seconds between two sampled frames up to which a face's way is drawn; beyond, where it was is not known."""
HOLD = 0.25
"""Seconds for which a box stays before and after a sampled frame that has no neighbour near enough."""
_CLOCK = 60_000
"""Ticks a second: whole frames at 24, 25, 30, 50 and 60 a second and at their 1000/1001 relatives but one."""
_ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"crf": "20", "preset": "veryfast", "threads": "2"}),
    ("mpeg4", {"q:v": "3"}),
)


def annotate_video(
    frames: Iterable[tuple[int, float, UInt8Image]],
    rate: Fraction | float,
    tracks: Sequence[TrackResult],
    *,
    maps: Mapping[int, Sequence[FrameMap]],
    floor: float,
    out: Path,
) -> None:
    """Write an MP4 with every frame's faces marked; frames are taken, drawn and encoded one at a time.

    Between two sampled frames at most `MAX_GAP` seconds apart a box moves in a straight line; elsewhere it is
    shown only within `HOLD` seconds of a sampled frame. The score on the label and the map in the box are those
    of the nearest sampled frame: measured, not interpolated. The colour is the outcome of the whole track. One
    colour scale holds for the whole video, so that it does not flicker.

    Args:
        frames: index in the video, seconds, and (H, W, 3) uint8 upright RGB of every frame, in their order. A
            frame of another size than the first is scaled to it; odd sides are padded by one pixel.
        rate: frames a second; used where times do not grow.
        tracks: the result's.
        maps: of the sampled frames, by the track's id; a track or frame without a map gets only its box.
        floor: the bundle's ``explanation.floor``.
        out: the MP4 to write; it appears when it is whole.

    Raises:
        UsageError: no frames, a rate that is not above 0, the place cannot be written, the disk is full, or
            PyAV has no encoder.
    """
    if not rate > 0:
        raise UsageError(f"cannot annotate a video at {rate} frames a second: the rate must be above 0")
    scale = measure((one.map for several in maps.values() for one in several), floor)
    annotator = Annotator.of(tracks, maps, scale)
    with replacing(out) as partial, Mp4Writer(partial, out, rate) as encoder:
        for _, time, pixels in frames:
            encoder.add(annotator.draw(pixels, time), time)
        encoder.finish()


@dataclass(frozen=True, slots=True)
class _Sight:
    """One track at one moment."""

    mark: Mark
    map: tuple[Box, FrameMap] | None


@dataclass(frozen=True, slots=True)
class _Follower:
    """Where a track's face is at any time."""

    track: TrackResult
    times: list[float]
    maps: dict[int, FrameMap]

    @classmethod
    def of(cls, track: TrackResult, maps: Sequence[FrameMap]) -> _Follower:
        return cls(track, [frame.time for frame in track.frames], {one.frame: one for one in maps})

    def at(self, time: float) -> _Sight | None:
        place = bisect_right(self.times, time)
        before = self.track.frames[place - 1] if place else None
        after = self.track.frames[place] if place < len(self.times) else None
        box = _box_between(before, after, time)
        if box is None:
            return None
        nearest = min((frame for frame in (before, after) if frame), key=lambda frame: abs(frame.time - time))
        found = self.maps.get(nearest.frame)
        area = _moved(found.square, Box(*nearest.box), box) if found else None
        return _Sight(_mark(self.track, nearest, box), (area, found) if area and found else None)


def _box_between(before: FrameResult | None, after: FrameResult | None, time: float) -> Box | None:
    """The box at a time between two sampled frames (either may be missing), or None where it is not known."""
    if before and after and after.time - before.time <= MAX_GAP:
        share = (time - before.time) / (after.time - before.time)
        return Box(*(a + (b - a) * share for a, b in zip(before.box, after.box, strict=True)))
    near = [frame for frame in (before, after) if frame and abs(frame.time - time) <= HOLD]
    return Box(*min(near, key=lambda frame: abs(frame.time - time)).box) if near else None


def _moved(square: Box, then: Box, now: Box) -> Box:
    """The square that lies to box `now` as `square` lay to box `then`."""
    wide, high = now.width / then.width, now.height / then.height
    return Box(
        now.left + (square.left - then.left) * wide,
        now.top + (square.top - then.top) * high,
        now.left + (square.right - then.left) * wide,
        now.top + (square.bottom - then.top) * high,
    )


def _mark(track: TrackResult, nearest: FrameResult, box: Box) -> Mark:
    whole = OUTCOME_WORDS[track.outcome] + ("" if track.probability is None else f" {track.probability:.2f}")
    now = f"now {nearest.probability:.2f}"
    texts = (f"track {track.id} · {whole} · {now}", f"{track.id} · {whole} · {now}", f"{track.id} · {now}")
    return Mark(box, OUTCOME_COLOURS[track.outcome], texts)


@dataclass(frozen=True, slots=True)
class Annotator:
    """Draws the faces of a video, and their maps, on its frames.

    Attributes:
        scale: of the colours, one for the whole video; None where there are no maps.
    """

    scale: MapScale | None
    _paths: list[_Follower]

    @classmethod
    def of(
        cls, tracks: Sequence[TrackResult], maps: Mapping[int, Sequence[FrameMap]], scale: MapScale | None
    ) -> Annotator:
        """For the tracks of a result and their maps, by the track's id."""
        return cls(scale, [_Follower.of(track, maps.get(track.id, ())) for track in tracks if track.frames])

    def draw(self, pixels: UInt8Image, time: float) -> UInt8Image:
        """A frame (H, W, 3) at a time in seconds, as a copy with all that is known there."""
        sights = [sight for path in self._paths if (sight := path.at(time))]
        maps = [(area, one.map) for sight in sights if sight.map for area, one in [sight.map]]
        drawn = blend_maps(pixels, maps, self.scale) if self.scale and maps else pixels
        return draw_marks(drawn, [sight.mark for sight in sights])


class Mp4Writer:
    """An MP4 with one picture stream, opened with the first frame."""

    def __init__(self, partial: Path, out: Path, rate: Fraction | float) -> None:
        self._partial, self._out = partial, out
        self._rate = Fraction(rate).limit_denominator(1001)
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._start, self._last = 0.0, -1

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._container is not None:
            with explained(self._out):
                self._container.close()

    def add(self, pixels: UInt8Image, time: float) -> None:
        """Encode one frame."""
        import av  # noqa: PLC0415 - 0.1 s that only videos need

        if self._stream is None:
            self._open(pixels.shape[1], pixels.shape[0], time)
        assert self._stream is not None  # noqa: S101 - for the type checker
        frame = av.VideoFrame.from_ndarray(_even(pixels), format="rgb24")
        if (frame.width, frame.height) != self._size:
            frame = frame.reformat(*self._size)
        step = max(1, round(_CLOCK / self._rate))
        ticks = round((time - self._start) * _CLOCK)
        self._last = ticks if ticks > self._last else self._last + step
        frame.pts, frame.time_base, frame.duration = self._last, Fraction(1, _CLOCK), step
        self._write(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds.

        Raises:
            UsageError: there was no frame.
        """
        if self._stream is None:
            raise UsageError(f"cannot write {self._out}: the video gave no frame to draw on")
        self._write(self._stream.encode(None))

    def _open(self, width: int, height: int, time: float) -> None:
        import av  # noqa: PLC0415

        self._size = (width + width % 2, height + height % 2)
        self._start = time
        name, options = next(
            ((name, options) for name, options in _ENCODERS if name in av.codecs_available), (None, None)
        )
        if name is None:
            raise UsageError(
                "cannot write videos: this PyAV has neither libx264 nor mpeg4; reinstall it: pip install av"
            )
        with explained(self._out):
            self._container = av.open(str(self._partial), "w", format="mp4")
        stream = self._container.add_stream(name, rate=self._rate, options=options)
        assert isinstance(stream, av.VideoStream)  # noqa: S101 - for the type checker
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _CLOCK)
        self._stream = stream

    def _write(self, packets: list[Packet[VideoStream]]) -> None:
        assert self._container is not None  # noqa: S101 - for the type checker
        with explained(self._out):
            self._container.mux(packets)


def _even(pixels: UInt8Image) -> UInt8Image:
    """Odd sides padded with one more row or column: yuv420p halves them."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(pixels)
