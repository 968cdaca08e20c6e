"""Pictures: faces are found ahead, crops of several pictures are judged in one batch, answers keep the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mesoscope.engine import Judge
from mesoscope.media import Picture
from mesoscope.pipeline.answers import Asked, Source, answer_face, answer_file
from mesoscope.pipeline.framing import Candidate, Framing
from mesoscope.pipeline.scenes import judged_face, shrink
from mesoscope.preprocess import stack
from mesoscope.types import Detection, Evidence, FaceResult, Float32Array, Notice, Scene, UInt8Image

SQUEEZE = 1.5
"""Ratio of the sides from which on a whole picture squeezed into a square carries a warning."""


@dataclass(slots=True, eq=False)
class PreparedPicture:
    """A picture whose faces wait to be judged; the full-size pixels are gone.

    Attributes:
        source, notices: for the answer.
        candidates: its faces.
        shown: the picture, small, for a report; None where none was asked for.
        scale: shown pixels per original pixel.
        inputs: of those candidates that can be judged.
    """

    source: Source
    notices: list[Notice]
    candidates: list[Candidate]
    shown: UInt8Image | None = None
    scale: float = 1.0
    inputs: list[Float32Array] = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = [candidate.input for candidate in self.candidates if candidate.input is not None]


def prepare_picture(picture: Picture, source: Source, framing: Framing, *, keep_shown: bool) -> PreparedPicture:
    """Find and cut out the faces of a picture."""
    notices = list(picture.notices)
    height, width = picture.pixels.shape[:2]
    if framing.finder is None and max(width, height) >= SQUEEZE * min(width, height):
        notices.append(
            Notice("squeezed", f"the whole picture ({width} x {height}) was squeezed into a square to be judged")
        )
    candidates = [framing.cut(picture.pixels, face) for face in framing.find(picture.pixels)]
    prepared = PreparedPicture(source, notices, candidates)
    if keep_shown:
        prepared.shown, prepared.scale = shrink(picture.pixels)
    return prepared


def judge_pictures(pictures: Sequence[PreparedPicture], judge: Judge, asked: Asked) -> Iterator[Detection]:
    """Answer several pictures with one call of the network."""
    spec = asked.bundle.contract.preprocess
    logits, maps = judge(stack([item for picture in pictures for item in picture.inputs], spec))
    start = 0
    for picture in pictures:
        end = start + len(picture.inputs)
        yield _answer(picture, logits[start:end], maps[start:end], asked)
        start = end


def _answer(picture: PreparedPicture, logits: Float32Array, maps: Float32Array, asked: Asked) -> Detection:
    answers: list[FaceResult] = []
    seen: list[Float32Array | None] = []
    numbers = iter(zip(logits, maps, strict=True))
    for candidate in picture.candidates:
        logit, map_ = next(numbers) if candidate.input is not None else (None, None)
        answers.append(
            answer_face(candidate.face, None if logit is None else float(logit), candidate.reason, asked.verdict)
        )
        seen.append(map_)
    judges_pictures = asked.bundle.contract.judges == "image"
    result = answer_file(
        asked,
        picture.source,
        faces=() if judges_pictures else answers,
        whole=answers[0] if judges_pictures else None,
        notices=picture.notices,
        nothing_found="no face was found",
    )
    if picture.shown is None:
        return Detection(result)
    titles = ["picture"] if judges_pictures else [f"face {number}" for number in range(1, len(answers) + 1)]
    judged = [
        judged_face(title, candidate, map_, answer)
        for title, candidate, map_, answer in zip(titles, picture.candidates, seen, answers, strict=True)
    ]
    return Detection(result, Evidence([Scene(picture.shown, picture.scale, judged)]))
