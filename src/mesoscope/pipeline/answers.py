"""From numbers to answers: the rules of docs/results-json.md as pure functions.

A file with several faces keeps every face's own score; a track's logit is the mean over its frames; a
file's outcome is that of its highest-scoring face or track, and says which. Nothing here invents a number
for what could not be judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import mesoscope
from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.types import FaceResult, FileResult, FoundFace, FrameResult, Kind, Notice, Outcome, TrackResult

DECIDING_FRAMES = 3
"""How many frames of a track are named as those that decided."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is the same for every answer of a run.

    Attributes:
        bundle: that judges.
        verdict: its rule, at the false-positive budget that was asked for.
    """

    bundle: Bundle
    verdict: Verdict

    def notices(self) -> list[Notice]:
        """Warnings that hold for every answer of this bundle."""
        if self.verdict.calibrated:
            return []
        return [
            Notice(
                "uncalibrated",
                f"bundle {self.bundle.contract.identifier} was never calibrated: the number is the network's plain "
                "output, not a probability, and the threshold of 0.5 was chosen on no data",
            )
        ]


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of an input before it is judged.

    Attributes:
        path: as given by the user.
        sha256: of its bytes, or None where they could not be read.
        kind: picture, video or None where that could not be told.
        width, height: upright, in pixels.
    """

    path: str
    sha256: str | None = None
    kind: Kind | None = None
    width: int | None = None
    height: int | None = None


def answer_face(face: FoundFace, logit: float | None, reason: str | None, verdict: Verdict) -> FaceResult:
    """One face's result: with a logit an answer, without one `reason` says why there is none."""
    if logit is None:
        return FaceResult(
            box=face.box.as_tuple(),
            finder_score=face.score,
            outcome=Outcome.NOT_APPLICABLE,
            probability=None,
            logit=None,
            reason=reason,
        )
    probability = verdict.probability(logit)
    return FaceResult(
        box=face.box.as_tuple(),
        finder_score=face.score,
        outcome=verdict.outcome(probability),
        probability=probability,
        logit=logit,
    )


def answer_track(
    number: int, frames: Sequence[FrameResult], span: tuple[float, float], reason: str | None, verdict: Verdict
) -> TrackResult:
    """One track's result: the mean logit of its judged frames; with none, `reason` says why.

    Args:
        number: the track's id, from 1.
        frames: those that were judged, in time order.
        span: seconds of its first and last sampled frame, judged or not.
        reason: why no frame was judged, where none was.
        verdict: the rule.
    """
    start, end = span
    if not frames:
        return TrackResult(
            id=number,
            start=start,
            end=end,
            frames=[],
            decided_by=[],
            outcome=Outcome.NOT_APPLICABLE,
            probability=None,
            logit=None,
            reason=reason,
        )
    logit = sum(frame.logit for frame in frames) / len(frames)
    probability = verdict.probability(logit)
    outcome = verdict.outcome(probability)
    return TrackResult(
        id=number,
        start=start,
        end=end,
        frames=list(frames),
        decided_by=[frame.frame for frame in most_telling(frames, outcome)],
        outcome=outcome,
        probability=probability,
        logit=logit,
    )


def most_telling(frames: Sequence[FrameResult], outcome: Outcome) -> list[FrameResult]:
    """The frames that pulled the mean furthest towards the outcome, strongest first.

    For real those with the lowest logits, otherwise those with the highest.
    """
    towards = -1 if outcome is Outcome.REAL else 1
    return sorted(frames, key=lambda frame: (-towards * frame.logit, frame.frame))[:DECIDING_FRAMES]


def answer_file(
    asked: Asked,
    source: Source,
    *,
    faces: Sequence[FaceResult] = (),
    tracks: Sequence[TrackResult] = (),
    whole: FaceResult | None = None,
    notices: Iterable[Notice] = (),
    nothing_found: str = "no face was found",
) -> FileResult:
    """A file's result from those of its faces, its tracks, or (bundles that judge pictures) the whole picture.

    Args:
        asked: bundle and rule.
        source: what is known of the file.
        faces: its faces, where it is a picture.
        tracks: its tracks, where it is a video.
        whole: the picture itself, where the bundle judges pictures.
        notices: warnings of this file.
        nothing_found: the reason where there was nothing to judge.
    """
    judged: list[tuple[str, FaceResult | TrackResult]] = [("picture", whole)] if whole else []
    judged += [(f"face {number}", face) for number, face in enumerate(faces, start=1)]
    judged += [(f"track {track.id}", track) for track in tracks]
    answered = [(name, part) for name, part in judged if part.logit is not None]
    if not answered:
        reasons = list(dict.fromkeys(part.reason for _, part in judged if part.reason))
        return _result(
            asked,
            source,
            Outcome.NOT_APPLICABLE,
            faces=faces,
            tracks=tracks,
            notices=notices,
            error="; ".join(reasons) or nothing_found,
        )
    name, best = max(answered, key=lambda item: item[1].logit if item[1].logit is not None else float("-inf"))
    return _result(
        asked,
        source,
        best.outcome,
        probability=best.probability,
        logit=best.logit,
        decided_by=name,
        faces=faces,
        tracks=tracks,
        notices=notices,
    )


def answer_error(asked: Asked, source: Source, reason: str) -> FileResult:
    """The result of a file that could not be read or judged."""
    return _result(asked, source, Outcome.ERROR, error=reason)


def _result(
    asked: Asked,
    source: Source,
    outcome: Outcome,
    *,
    probability: float | None = None,
    logit: float | None = None,
    decided_by: str | None = None,
    faces: Sequence[FaceResult] = (),
    tracks: Sequence[TrackResult] = (),
    notices: Iterable[Notice] = (),
    error: str | None = None,
) -> FileResult:
    messages = {notice.code: notice.message for notice in (*asked.notices(), *notices)}
    return FileResult(
        path=source.path,
        sha256=source.sha256,
        kind=source.kind,
        width=source.width,
        height=source.height,
        outcome=outcome,
        probability=probability,
        logit=logit,
        threshold=None if probability is None else asked.verdict.threshold,
        decided_by=decided_by,
        faces=list(faces),
        tracks=list(tracks),
        bundle=asked.bundle.contract.identifier,
        bundle_sha256=asked.bundle.sha256,
        warnings=list(messages),
        messages=messages,
        error=error,
        mesoscope=mesoscope.__version__,
    )
