"""Videos: frames taken evenly over the whole length, upright 8-bit RGB, in bounded memory.

Decisions:

* Length and frame count come from the packets that are there (`mesoscope.media.packets`), not from the header.
* A frame's *index* is its rank by presentation time, from 0; its *time* is in seconds from where a player shows 0:00.
  Both are the same whether all frames are read or a few are sought.
* `Video.sample` divides the length into equal parts and takes the frame that is shown at the centre of each. In
  MP4, MOV, Matroska and WebM the decoder jumps to the last key frame before the wanted frame; the frames are those
  a full decode gives (open groups of pictures and gradual refresh included). Other containers are decoded from
  the start.
* The display matrix (rotation by quarter turns, mirroring) is applied. Pixels are as stored otherwise: a pixel
  aspect ratio other than 1:1 is not, and colours without a tag are read as BT.601, as FFmpeg does.
* Frames the decoder marks as damaged are left out. A broken tail ends the frames and leaves the notice
  ``video_truncated``; losses before it leave ``video_damaged``.
* If the frame size changes midway, later frames are resized to the first.
* Only containers on an allow-list, and only the file itself, are opened: no playlists, no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from mesoscope.errors import MediaError, UsageError
from mesoscope.media.container import open_container, video_stream
from mesoscope.media.limits import DEFAULT_LIMITS, MediaLimits
from mesoscope.media.packets import PacketTable, scan
from mesoscope.media.reader import Reader
from mesoscope.media.source import Source, size_of
from mesoscope.types import Notice, UInt8Image, WarningCode

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideData
    from av.video.frame import VideoFrame

VIDEO_TRUNCATED: Final = "video_truncated"
VIDEO_DAMAGED: Final = "video_damaged"

_NO_FRAME = "No frame of the video can be decoded; the file is damaged."


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        index: rank by presentation time, from 0.
        time_s: presentation time in seconds.
        pixels: (H, W, 3) uint8 RGB, upright.
    """

    index: int
    time_s: float
    pixels: UInt8Image


class Video:
    """A video that can be read, as often as wished and by several threads. It holds no open file.

    Attributes:
        width, height: of the upright frames, in pixels.
        duration_s: seconds that can be read (shorter than announced where the file breaks off); None where the
            stream has no time stamps.
        n_frames: frames that can be read, counted from packets: exact but for formats with hidden frames.
        frame_rate: mean frames per second over what can be read.
        codec: FFmpeg's name.
        notices: what the user should know; reading frames may add to it.
    """

    def __init__(
        self, source: Source, table: PacketTable, first: VideoFrame, codec: str, limits: MediaLimits
    ) -> None:
        self._turn = _turn_of(first)
        self.width, self.height = first.width, first.height
        if self._turn.swap:
            self.width, self.height = self.height, self.width
        self.n_frames = len(table.times)
        self.duration_s = table.duration if table.timed else None
        self.frame_rate = self.n_frames / table.duration
        self.codec = codec
        self.notices: list[Notice] = []
        self._source, self._table, self._limits = source, table, limits
        if table.cut or table.missing:
            self._note(VIDEO_TRUNCATED, _break_off(self.n_frames, table.missing))

    def sample(self, *, frames: int | None = None, fps: float | None = None) -> Iterator[Frame]:
        """Frames evenly over the whole length, in order, each once.

        Args:
            frames: the frames at the centres of this many equal parts; all frames, if there are not more.
            fps: the frames at the centres of parts of 1 / `fps` seconds; one frame at least, and no frame twice.

        Returns:
            An iterator that decodes as it goes and holds one frame at a time. Fewer frames come where one frame
            stands for several parts (variable frame rate) or where frames cannot be decoded.

        Raises:
            UsageError: not exactly one of `frames` and `fps`, or not positive.
            MediaError: (while iterating) not a single frame can be decoded.
        """
        if (frames is None) == (fps is None):
            raise UsageError("Say either how many frames of a video to take, or how many for each second.")
        if frames is not None:
            if frames < 1:
                raise UsageError(f"At least 1 frame must be taken of a video, not {frames}.")
            return self._pick(self._by_count(frames))
        if fps is None or not 0 < fps < float("inf"):
            raise UsageError(f"The frames for each second must be more than 0, not {fps}.")
        rate = Fraction(fps).limit_denominator(1_000_000) or Fraction(1, 1_000_000)
        return self._pick(self._table.choose(rate * self._table.time_base))

    def frames(self) -> Iterator[Frame]:
        """All frames that can be decoded, in order, one at a time.

        Raises:
            MediaError: not a single one can be.
        """
        with closing(Reader(self._source, self._table, self._limits)) as reader:
            found = False
            while (taken := reader.advance(reader.rank + 1)) is not None:
                if (frame := self._frame(reader, taken)) is not None:
                    found = True
                    yield frame
            if not found:
                raise MediaError(_NO_FRAME)
            self._note_losses(reader)

    def _by_count(self, frames: int) -> Sequence[int]:
        table = self._table
        if frames >= self.n_frames:
            return range(self.n_frames)
        return table.choose(Fraction(frames, table.end - table.times[0]))

    def _pick(self, ranks: Sequence[int]) -> Iterator[Frame]:
        with closing(Reader(self._source, self._table, self._limits)) as reader:
            found = False
            for rank in ranks:
                taken = reader.advance(rank)
                if taken is not None and (frame := self._frame(reader, taken)) is not None:
                    found = True
                    yield frame
            self._note_losses(reader)
        if not found:  # all that was asked for lies in a damaged part
            yield from islice(self.frames(), 1)

    def _frame(self, reader: Reader, taken: VideoFrame) -> Frame | None:
        from av.error import FFmpegError  # noqa: PLC0415

        table, rank = self._table, reader.rank
        try:
            pixels = self._turn.apply(taken, (self.width, self.height))
        except (FFmpegError, ValueError):  # damage can announce colours that do not exist
            reader.lost += 1
            return None
        time = taken.pts if table.timed and taken.pts is not None else table.times[min(rank, self.n_frames - 1)]
        return Frame(rank, table.seconds(time), pixels)

    def _note_losses(self, reader: Reader) -> None:
        lost = reader.lost - self._table.cut  # the torn last packet is told of already
        if lost > 0:
            many = f"{lost} frames" if lost > 1 else "1 frame"
            self._note(VIDEO_DAMAGED, f"{many} of the video could not be decoded and were left out.")

    def _note(self, code: WarningCode, message: str) -> None:
        self.notices[:] = [notice for notice in self.notices if notice.code != code] + [Notice(code, message)]


def open_video(source: Source, limits: MediaLimits = DEFAULT_LIMITS) -> Video:
    """Read a video's packets and decode its first frame, so that what comes back can be read.

    Raises:
        MediaTooLarge: too many bytes, or frames of too many pixels.
        MediaError: missing, empty, unreadable, not a video, without a video stream, of an unknown codec, of length
            zero, or without a frame that can be decoded.
    """
    limits.check_bytes(size_of(source))
    with closing(open_container(source)) as container:
        stream = video_stream(container)
        codec = stream.codec_context.name
        limits.check_pixels(stream.codec_context.width, stream.codec_context.height, "video's frame")
        table = scan(container, stream)
    if table is None:
        raise MediaError("The video has length zero: its video stream holds no frame.")
    with closing(Reader(source, table, limits)) as reader:
        first = reader.advance(0)
        if first is None:
            raise MediaError(_NO_FRAME)
        limits.check_pixels(first.width, first.height, "video's frame")
        return Video(source, table, first, codec, limits)


@dataclass(frozen=True, slots=True)
class _Turn:
    """From stored to upright: swap the axes, then mirror left-right, then flip top-bottom."""

    swap: bool = False
    mirror: bool = False
    flip: bool = False

    def apply(self, frame: VideoFrame, size: tuple[int, int]) -> UInt8Image:
        """(H, W, 3) uint8 RGB, upright; resized to `size` (upright width, height) where it differs."""
        width, height = size[::-1] if self.swap else size
        pixels = np.asarray(frame.to_ndarray(format="rgb24", width=width, height=height), dtype=np.uint8)
        if self.swap:
            pixels = pixels.transpose(1, 0, 2)
        if self.mirror:
            pixels = pixels[:, ::-1]
        if self.flip:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def _turn_of(frame: VideoFrame) -> _Turn:
    """What the display matrix says, to the nearest quarter turn.

    The matrix (a b u; c d v; x y w), 9 int32, maps a stored pixel to x' = a x + c y, y' = b x + d y
    (FFmpeg's libavutil/display.h, ISO/IEC 14496-12). It is asked of one frame a video, as it belongs to the
    stream; besides, a PyAV frame that was asked for side data lives on until the next garbage collection.
    """
    data = cast("SideData | None", frame.side_data.get("DISPLAYMATRIX"))
    if data is None:
        return _Turn()
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return _Turn(False, a < 0, d < 0)
    return _Turn(True, c < 0, b < 0)


def _break_off(there: int, missing: int) -> str:
    if missing:
        return (
            f"The video breaks off: about {missing} of {there + missing} frames are missing; "
            f"the answer rests on the {there} that are there."
        )
    return f"The video breaks off; the answer rests on the {there} frames that are there."
