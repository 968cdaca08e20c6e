"""The table of contents of a video stream, made by reading its packets without decoding them.

What a container's header says of length and frame count is missing in some formats and wrong in a file that was
cut off; the packets that are really there are the truth. Reading them costs about as much as copying the file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

_SEEKABLE = ("mov", "matroska")
"""Containers whose key-frame flags and seeking were found exact; in others, decoding starts at the beginning."""
_DURATION_IN_HEADER = ("mov", "matroska", "flv", "asf")
_MICROSECONDS = 1_000_000
_DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A place where decoding can begin.

    Attributes:
        rank: how many shown frames come before it.
        time: its presentation time stamp, in the stream's time base.
        decode_time: its decoding time stamp (the same where there is none).
    """

    rank: int
    time: int
    decode_time: int


@dataclass(slots=True)
class PacketTable:
    """What is really in a video stream.

    Attributes:
        times: presentation time stamps of the frames, ascending, in `time_base`; the rank in this table is the
            frame's index everywhere.
        end: when the last frame ceases to be shown, in `time_base`.
        time_base: seconds per unit.
        keys: key frames by presentation time; empty where seeking is not to be trusted.
        timed: False where the packets carry no usable time stamps; `times` then counts the frames.
        missing: estimate of the frames that should follow the last one that is there.
        cut: the last packet is incomplete, or reading ended with an error.
        origin: the time stamp that a player shows as 0:00.
    """

    times: array[int]
    end: int
    time_base: Fraction
    keys: list[KeyFrame] = field(default_factory=list)
    timed: bool = True
    missing: int = 0
    cut: bool = False
    origin: int = 0

    @property
    def duration(self) -> float:
        """Seconds from the first frame's appearance to the last one's end."""
        return float((self.end - self.times[0]) * self.time_base)

    def rank(self, time: int) -> int:
        """Index of the frame shown at this time stamp."""
        return bisect_left(self.times, time)

    def seconds(self, time: int) -> float:
        """Seconds since 0:00 of the player."""
        return max(0.0, float((time - self.origin) * self.time_base))

    def key_before(self, rank: int) -> KeyFrame | None:
        """The last key frame from which the frame `rank` can be reached by decoding forwards."""
        time = self.times[min(rank, len(self.times) - 1)]
        position = bisect_right(self.keys, time, key=lambda key: key.time)
        return self.keys[position - 1] if position else None

    def choose(self, per_unit: Fraction) -> list[int]:
        """Ranks of the frames shown at the centres of equal parts of the whole length.

        Args:
            per_unit: parts per unit of `time_base`.

        Returns:
            Ascending, each once: a frame that stands for several parts counts once, so there can be fewer ranks
            than parts. If all parts are longer than the video, the frame at its middle.
        """
        start, chosen, before = self.times[0], [], 0
        bounds = (*self.times[1:], self.end)
        for rank, bound in enumerate(bounds):
            # Centres (k + 1/2) / per_unit before `bound`, counted exactly: on a boundary a centre belongs to
            # the frame that begins there.
            doubled = 2 * (bound - start) * per_unit.numerator - per_unit.denominator
            count = max(0, -(-doubled // (2 * per_unit.denominator)))
            if count > before:
                chosen.append(rank)
            before = count
        return chosen or [bisect_right(self.times, (start + self.end) // 2) - 1]


@dataclass(slots=True)
class _Scan:
    """What is noted while packets pass by."""

    times: list[int] = field(default_factory=list)
    keys: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0
    untimed: int = 0
    end: int | None = None
    last_corrupt: bool = False
    read_until: float = 0.0

    def see(self, packet: Packet[VideoStream]) -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        self.count += 1
        self.last_corrupt = packet.is_corrupt
        if time is None:
            self.untimed += 1
            return
        if packet.is_keyframe:
            self.keys.append((time, time if packet.dts is None else packet.dts))
        if not packet.is_discard:
            self.times.append(time)
            end = time + (packet.duration or 0)
            self.end = end if self.end is None else max(self.end, end)


def packets(
    container: InputContainer, *streams: Stream, failures: list[str] | None = None
) -> Iterator[Packet[Stream]]:
    """All packets up to the end or to the first damage that stops the reading, without the empty ones at the end.

    Args:
        container: open.
        streams: only these; none: all.
        failures: takes the reason where reading stopped before the end.
    """
    from av.error import FFmpegError  # noqa: PLC0415 - keeps FFmpeg out of runs that see pictures only

    source = container.demux(*streams)
    while True:
        try:
            packet = next(source, None)
        except FFmpegError as error:
            if failures is not None:
                failures.append(str(error))
            return
        except IndexError:  # PyAV, at the end of a file in which a stream first appeared midway
            return
        if packet is None:
            return
        if packet.size or packet.pts is not None or packet.dts is not None:
            yield packet


def scan(container: InputContainer, stream: VideoStream) -> PacketTable | None:
    """Read all packets once.

    Returns:
        The table, or None where the stream has no packet.
    """
    noted, failures = _Scan(), list[str]()
    for packet in packets(container, failures=failures):
        if packet.stream_index == stream.index:
            noted.see(packet)  # type: ignore[arg-type] # the index says that it is of the video stream
        noted.read_until = max(noted.read_until, _packet_end(packet))
    if noted.count == 0:
        return None
    table = _timed(noted, container, stream) or _counted(noted, stream)
    table.cut = bool(failures) or noted.last_corrupt
    table.missing = _missing(noted, container, stream)
    return table


def _packet_end(packet: Packet[Stream]) -> float:
    time = packet.pts if packet.pts is not None else packet.dts
    if time is None or not packet.time_base:
        return 0.0
    return float((time + (packet.duration or 0)) * packet.time_base)


def _timed(noted: _Scan, container: InputContainer, stream: VideoStream) -> PacketTable | None:
    """The table by time stamps, or None where they cannot be relied on."""
    if noted.last_corrupt and len(noted.times) > 1:
        noted.times.pop()  # the last in the file; nothing should aim at it
    times = array("q", sorted(set(noted.times)))
    if not times or not stream.time_base or noted.untimed or len(times) < 0.9 * len(noted.times):
        return None
    base = Fraction(stream.time_base)
    end = noted.end
    if end is None or end <= times[-1]:
        step = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else float(1 / (_rate(stream) * base))
        end = times[-1] + max(1, round(step))
    origin = times[0]
    if container.start_time is not None:
        origin = min(origin, round(Fraction(container.start_time, _MICROSECONDS) / base))
    table = PacketTable(times, end, base, origin=origin)
    if any(name in container.format.name.split(",") for name in _SEEKABLE):
        table.keys = [KeyFrame(bisect_left(times, time), time, decode) for time, decode in sorted(noted.keys)]
    return table


def _counted(noted: _Scan, stream: VideoStream) -> PacketTable:
    return PacketTable(array("q", range(noted.count)), noted.count, 1 / _rate(stream), timed=False)


def _rate(stream: VideoStream) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate
    return Fraction(rate) if rate else _DEFAULT_RATE


def _missing(noted: _Scan, container: InputContainer, stream: VideoStream) -> int:
    """Frames that the header promises and the file does not hold."""
    names = container.format.name.split(",")
    promised = 0
    if "mov" in names and stream.frames:
        # Not `stream.frames` itself: that counts what an edit list has cut away. It is 0 where the index is in
        # fragments, of which those to come are not known.
        promised = len(stream.index_entries)
    elif "avi" in names:
        promised = stream.frames
    missing = max(0, promised - noted.count + noted.last_corrupt)
    if container.duration and any(name in names for name in _DURATION_IN_HEADER):
        length = container.duration / _MICROSECONDS
        gap = (container.start_time or 0) / _MICROSECONDS + length - noted.read_until
        if gap > 0.5 + 0.02 * length:
            missing = max(missing, round(gap * _rate(stream)))
    return missing
