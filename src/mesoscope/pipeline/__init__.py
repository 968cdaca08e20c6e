"""The one place where the arrows join: media, faces, preprocessing, engine, calibration, outcome."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mesoscope.engine import BATCH, Judge
from mesoscope.errors import MediaError, MesoscopeError
from mesoscope.media import Input, MediaLimits, Video, open_media, sha256
from mesoscope.pipeline.ahead import map_ahead
from mesoscope.pipeline.answers import Asked, Source, answer_error
from mesoscope.pipeline.framing import Framing
from mesoscope.pipeline.pictures import PreparedPicture, judge_pictures, prepare_picture
from mesoscope.pipeline.videos import Sampling, judge_video
from mesoscope.types import Detection, Kind

__all__ = ["Pipeline", "Sampling"]

log = logging.getLogger(__name__)

WORKERS = 2
AHEAD = 8
"""Inputs read and searched for faces before their turn; pictures wait as small crops, not as pixels."""
PATIENCE = 64
"""Pictures that may wait for a batch to fill before it is judged anyway."""


@dataclass(frozen=True, slots=True)
class OpenedVideo:
    """A video that is read when its turn comes: frames are streamed, never kept."""

    video: Video
    source: Source


@dataclass(frozen=True, slots=True)
class Failed:
    """An input that cannot be judged."""

    source: Source
    reason: str


Prepared = PreparedPicture | OpenedVideo | Failed


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Judges inputs, one answer each, in their order, in bounded memory.

    Attributes:
        judge: the bundle's opened graph.
        asked: bundle and rule.
        framing: how faces are found.
        sampling: which frames of videos are judged.
        limits: on bytes and pixels of inputs.
        keep_evidence: keep small pictures and maps with each answer, for reports and overlays.
    """

    judge: Judge
    asked: Asked
    framing: Framing
    sampling: Sampling = field(default_factory=Sampling)
    limits: MediaLimits = field(default_factory=MediaLimits)
    keep_evidence: bool = False

    def run(self, inputs: Iterable[Input]) -> Iterator[Detection]:
        """Answer every input; whatever is wrong with one of them becomes its answer, and the others go on."""
        waiting: list[PreparedPicture | Failed] = []
        for prepared in map_ahead(self.prepare, inputs, workers=WORKERS, ahead=AHEAD):
            if isinstance(prepared, OpenedVideo):
                yield from self._judge_waiting(waiting)
                yield self.judge_video(prepared)
                continue
            waiting.append(prepared)
            faces = sum(len(item.inputs) for item in waiting if isinstance(item, PreparedPicture))
            if faces >= BATCH or len(waiting) >= PATIENCE:
                yield from self._judge_waiting(waiting)
        yield from self._judge_waiting(waiting)

    def prepare(self, item: Input) -> Prepared:
        """Open an input; of a picture the faces are found and cut out, a video is read when its turn comes."""
        source = Source(item.path)
        if item.source is None:
            return Failed(source, item.error or "There is nothing to read.")
        try:
            source = Source(item.path, sha256=sha256(item.source))
            media = open_media(item.source, self.limits)
            kind: Kind = "video" if isinstance(media, Video) else "picture"
            source = Source(item.path, source.sha256, kind, media.width, media.height)
            if isinstance(media, Video):
                return OpenedVideo(media, source)
            return prepare_picture(media, source, self.framing, keep_shown=self.keep_evidence)
        except MediaError as error:
            return Failed(source, str(error))
        except Exception as error:  # one file among millions must not end the run; it ends as an error
            log.exception("unexpected failure on %s", item.path)
            return Failed(source, _reason(error))

    def _judge_waiting(self, waiting: list[PreparedPicture | Failed]) -> Iterator[Detection]:
        pictures = [item for item in waiting if isinstance(item, PreparedPicture)]
        answers = iter(self.judge_pictures(pictures))
        for item in waiting:
            yield next(answers) if isinstance(item, PreparedPicture) else self.failure(item.source, item.reason)
        waiting.clear()

    def judge_pictures(self, pictures: Sequence[PreparedPicture]) -> list[Detection]:
        """Answer several pictures together."""
        try:
            return list(judge_pictures(pictures, self.judge, self.asked))
        except Exception as error:  # see prepare
            if len(pictures) > 1:  # one of them is to blame; the others must not pay for it
                return [answer for picture in pictures for answer in self.judge_pictures([picture])]
            log.exception("unexpected failure on %s", pictures[0].source.path)
            return [self.failure(pictures[0].source, _reason(error))]

    def judge_video(self, opened: OpenedVideo) -> Detection:
        """Answer a video."""
        try:
            return judge_video(
                opened.video,
                opened.source,
                self.sampling,
                self.framing,
                judge=self.judge,
                asked=self.asked,
                keep_shown=self.keep_evidence,
            )
        except MediaError as error:
            return self.failure(opened.source, str(error))
        except Exception as error:  # see prepare
            log.exception("unexpected failure on %s", opened.source.path)
            return self.failure(opened.source, _reason(error))

    def failure(self, source: Source, reason: str) -> Detection:
        """The answer to what cannot be judged."""
        return Detection(answer_error(self.asked, source, reason))


def _reason(error: Exception) -> str:
    if isinstance(error, MesoscopeError):
        return str(error)
    return f"mesoscope failed on this file, which is a defect worth reporting ({type(error).__name__}: {error})"
