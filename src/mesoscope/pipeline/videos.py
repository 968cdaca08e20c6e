"""Videos: sampled frames, faces followed into tracks, one answer per person. Memory stays bounded.

Only numbers are kept of every sampled frame; pixels only of the few frames that may turn out to have
decided, and maps (some kilobytes each) only where an annotated copy was asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mesoscope.engine import BATCH, Judge
from mesoscope.faces.tracks import Tracker
from mesoscope.media import Frame, Video
from mesoscope.pipeline.answers import DECIDING_FRAMES, Asked, Source, answer_file, answer_track
from mesoscope.pipeline.framing import Candidate, Framing
from mesoscope.pipeline.scenes import SHOWN_FRAME_SIDE, judged_frame, shrink
from mesoscope.preprocess import stack
from mesoscope.types import (
    Detection,
    Evidence,
    Float32Array,
    FrameMap,
    FrameResult,
    Outcome,
    Scene,
    TrackResult,
    UInt8Image,
)

WHOLE_FRAME_TRACK = 1


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are judged, evenly over the whole length.

    Attributes:
        frames: how many, unless `fps` is given.
        fps: how many a second instead.
    """

    frames: int = 32
    fps: float | None = None

    def of(self, video: Video) -> Iterator[Frame]:
        """The frames, in time order."""
        return video.sample(fps=self.fps) if self.fps is not None else video.sample(frames=self.frames)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A face on a frame that waits for its batch."""

    frame: int
    time: float
    track: int
    candidate: Candidate
    shown: UInt8Image | None
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A judged frame that may turn out to have decided, with its pixels."""

    result: FrameResult
    waiting: _Waiting
    map: Float32Array


@dataclass(slots=True, eq=False)
class _Track:
    """What is known of one person so far."""

    number: int
    start: float
    end: float
    frames: list[FrameResult] = field(default_factory=list)
    maps: list[FrameMap] = field(default_factory=list)
    reason: str | None = None
    highest: list[tuple[float, int, _Shown]] = field(default_factory=list)
    lowest: list[tuple[float, int, _Shown]] = field(default_factory=list)

    def keep(self, shown: _Shown) -> None:
        """Remember the pixels of the frames with the highest and the lowest logits only."""
        logit, frame = shown.result.logit, shown.result.frame
        for heap, key in ((self.highest, logit), (self.lowest, -logit)):
            heapq.heappush(heap, (key, -frame, shown))
            if len(heap) > DECIDING_FRAMES:
                heapq.heappop(heap)


def judge_video(
    video: Video,
    source: Source,
    sampling: Sampling,
    framing: Framing,
    *,
    judge: Judge,
    asked: Asked,
    keep_shown: bool,
) -> Detection:
    """Answer a video: one track per person, or one of whole frames where no faces are looked for.

    Raises:
        MediaError: not a single frame could be decoded.
    """
    watch = _Watch(framing, judge, asked, keep_shown=keep_shown)
    sampled = 0
    for frame in sampling.of(video):
        sampled += 1
        watch.see(frame)
    watch.flush()
    tracks = watch.tracks()
    answers = [
        answer_track(number, track.frames, (track.start, track.end), track.reason, asked.verdict)
        for number, track in enumerate(tracks, start=1)
    ]
    result = answer_file(
        asked,
        source,
        tracks=answers,
        notices=video.notices,
        nothing_found=f"no face was found in {sampled} sampled frame{'s' if sampled != 1 else ''}",
    )
    if not keep_shown:
        return Detection(result)
    return Detection(result, _evidence(tracks, answers))


class _Watch:
    """Follows faces through the frames and judges them in batches."""

    def __init__(self, framing: Framing, judge: Judge, asked: Asked, *, keep_shown: bool) -> None:
        self.framing, self.judge, self.asked, self.keep_shown = framing, judge, asked, keep_shown
        self.tracker = Tracker()
        self.known: dict[int, _Track] = {}
        self.waiting: list[_Waiting] = []

    def see(self, frame: Frame) -> None:
        """Find and follow the faces of one frame; judge when a batch is full."""
        faces = self.framing.find(frame.pixels)
        if self.framing.finder is None:
            numbers = [WHOLE_FRAME_TRACK] * len(faces)
        else:
            numbers = self.tracker.update(frame.index, frame.time_s, faces, frame.pixels)
        shown, scale = shrink(frame.pixels, SHOWN_FRAME_SIDE) if self.keep_shown and faces else (None, 1.0)
        for number, face in zip(numbers, faces, strict=True):
            track = self.known.setdefault(number, _Track(number, frame.time_s, frame.time_s))
            track.end = frame.time_s
            candidate = self.framing.cut(frame.pixels, face)
            if candidate.input is None:
                track.reason = candidate.reason
            else:
                self.waiting.append(_Waiting(frame.index, frame.time_s, number, candidate, shown, scale))
        if len(self.waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Judge what waits."""
        inputs = [waiting.candidate.input for waiting in self.waiting if waiting.candidate.input is not None]
        logits, maps = self.judge(stack(inputs, self.framing.spec))
        for waiting, logit, map_ in zip(self.waiting, logits, maps, strict=True):
            self._enter(waiting, float(logit), map_)
        self.waiting.clear()

    def _enter(self, waiting: _Waiting, logit: float, map_: Float32Array) -> None:
        face = waiting.candidate.face
        result = FrameResult(
            frame=waiting.frame,
            time=waiting.time,
            box=face.box.as_tuple(),
            probability=self.asked.verdict.probability(logit),
            logit=logit,
            finder_score=face.score,
        )
        track = self.known[waiting.track]
        track.frames.append(result)
        if self.keep_shown:
            track.maps.append(FrameMap(waiting.frame, waiting.candidate.area, map_))
            track.keep(_Shown(result, waiting, map_))

    def tracks(self) -> list[_Track]:
        """The tracks that count, in the order of appearance; passing false finds are left out."""
        if self.framing.finder is None:
            return list(self.known.values())
        return [self.known[number] for number in self.tracker.kept() if number in self.known]


def _evidence(tracks: Sequence[_Track], answers: Sequence[TrackResult]) -> Evidence:
    evidence = Evidence()
    for track, answer in zip(tracks, answers, strict=True):
        heap = track.lowest if answer.outcome is Outcome.REAL else track.highest
        shown = sorted((item[2] for item in heap), key=lambda item: item.result.time)
        evidence.tracks[answer.id] = [_scene(item, answer) for item in shown]
        evidence.maps[answer.id] = track.maps
    return evidence


def _scene(shown: _Shown, answer: TrackResult) -> Scene:
    waiting = shown.waiting
    if waiting.shown is None:
        raise AssertionError("frames are only kept with their pixels")
    face = judged_frame(f"track {answer.id}", waiting.candidate, shown.map, shown.result, answer.outcome)
    return Scene(waiting.shown, waiting.scale, [face], frame=waiting.frame, time=waiting.time)
