"""Decoding a video forwards, with jumps to key frames that are trusted only when they prove exact."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from mesoscope.errors import MediaError
from mesoscope.media.container import open_container, unknown_codec, video_stream
from mesoscope.media.limits import MediaLimits
from mesoscope.media.packets import KeyFrame, PacketTable, packets
from mesoscope.media.source import Source

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

_INTRA = 1  # FFmpeg's picture type of a frame that needs no other
_WORTH_A_JUMP = 8
"""Frames that must be saved by seeking; fewer are decoded quicker than sought."""


class Reader:
    """Decodes a video's frames in order of presentation, and can jump forwards.

    Decoding runs on several threads. Where it ends too early it is done again on one: at the end of a damaged file,
    PyAV drops the good frames that the other threads still hold.

    Attributes:
        rank: index of the frame that came last, -1 before the first.
        lost: frames that could not be decoded, or only with damage.
    """

    def __init__(self, source: Source, table: PacketTable, limits: MediaLimits) -> None:
        self._source, self._table, self._limits = source, table, limits
        self._can_jump = bool(table.keys)
        self._threaded = True
        self._container: InputContainer | None = None
        self.restart()

    def restart(self) -> None:
        """Go back to the beginning."""
        self.close()
        self._container = open_container(self._source)
        self._stream = video_stream(self._container)
        self._stream.thread_type = "AUTO" if self._threaded else "NONE"
        # A second line of defence: a stream may announce small frames and hold large ones.
        self._stream.codec_context.options = {"max_pixels": str(2 * self._limits.max_pixels)}
        self.rank = self._from = -1
        self.lost = 0
        self._frames = self._decode(packets(self._container, self._stream))

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def advance(self, rank: int) -> VideoFrame | None:
        """The frame of this index, or the next one that can be decoded.

        None at the end, and where an earlier call was answered with that very frame.
        """
        if self.rank >= rank:
            return None
        frame = self._forward(rank)
        if frame is None and self._threaded and rank < len(self._table.times):
            self._threaded = False
            self.restart()
            frame = self._forward(rank)
        return frame

    def _forward(self, rank: int) -> VideoFrame | None:
        key = self._table.key_before(rank) if self._can_jump else None
        if key is not None and key.rank > self.rank + _WORTH_A_JUMP and not self._jump(key):
            self._can_jump = False
            self.restart()
        return next((frame for frame in self._frames if self.rank >= rank), None)

    def _jump(self, key: KeyFrame) -> bool:
        """Go to a key frame, or to one before it. False where that is not certain to give the right frames."""
        from av.error import FFmpegError  # noqa: PLC0415

        assert self._container is not None  # noqa: S101
        for time in (key.time, key.decode_time):
            try:
                self._container.seek(time, stream=self._stream)
            except FFmpegError:
                return False
            coming = packets(self._container, self._stream)
            first = next(coming, None)
            if first is not None and first.is_keyframe and first.pts is not None and first.pts <= key.time:
                self._from = self._table.rank(first.pts)
                return self._begins_clean(self._decode(chain([first], coming)))
        return False

    def _begins_clean(self, frames: Iterator[VideoFrame]) -> bool:
        """Whether the key frame comes out, and needs no other: not so with gradual refresh."""
        self.rank = self._from - 1
        first = next((frame for frame in frames if self.rank >= self._from), None)
        if first is None or first.pict_type != _INTRA or self.rank != self._from:
            return False
        self._frames = chain([first], frames)
        return True

    def _decode(self, source: Iterator[Packet[Stream]]) -> Iterator[VideoFrame]:
        for packet in source:
            yield from self._good(packet)
        yield from self._good(None)

    def _good(self, packet: Packet[Stream] | None) -> Iterator[VideoFrame]:
        """Undamaged frames that come out when a packet goes in (None: the end)."""
        from av.error import DecoderNotFoundError, FFmpegError  # noqa: PLC0415

        try:
            frames = self._stream.decode(packet)
        except DecoderNotFoundError as error:
            raise MediaError(unknown_codec(self._stream)) from error
        except FFmpegError:
            # Behind a jump, frames that lean on what was jumped over are no loss.
            self.lost += packet is None or packet.pts is None or self._table.rank(packet.pts) >= self._from
            return
        for frame in frames:
            self.rank = self._rank(frame)
            if not frame.is_corrupt:
                yield frame
            elif self.rank >= self._from:
                self.lost += 1

    def _rank(self, frame: VideoFrame) -> int:
        time = frame.pts if frame.pts is not None else frame.dts
        return self.rank + 1 if time is None or not self._table.timed else self._table.rank(time)
