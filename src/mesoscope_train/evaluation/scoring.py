"""From rows of a manifest to scores: each picture is decoded once, degraded in memory, and judged by every bundle.

Decoding, face finding, cropping, preprocessing, judging and the rule from logit to outcome are those of
`mesoscope.pipeline`, so that an evaluation measures what ``mesoscope detect`` answers. Threads read ahead; what
waits are squared inputs of a bounded number of pictures, never pixels. A row that cannot be read or judged ends as
``error`` with the reason, and the others go on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from PIL import Image

from mesoscope.engine import Judge
from mesoscope.errors import MediaError, MesoscopeError
from mesoscope.faces import FaceFinder
from mesoscope.manifest import Manifest
from mesoscope.media import MediaLimits, Picture, Video, open_media
from mesoscope.pipeline.ahead import map_ahead
from mesoscope.pipeline.answers import Asked, Source, answer_error
from mesoscope.pipeline.framing import Framing
from mesoscope.pipeline.pictures import PreparedPicture, judge_pictures, prepare_picture
from mesoscope.pipeline.videos import Sampling, judge_video
from mesoscope.preprocess import Preprocess
from mesoscope.types import FileResult, UInt8Image
from mesoscope_train.evaluation.scores import SCORES, score_rows
from mesoscope_train.evaluation.tiers import CLEAN, Tier

log = logging.getLogger(__name__)

WORKERS = max(2, min(8, os.cpu_count() or 2))
INPUTS_AHEAD = 96
"""Squared inputs that may wait for their turn while threads read on (each 0.8 MB at 256 x 256)."""
INPUTS_AT_ONCE = 64
"""Squared inputs that are judged together."""
PATIENCE = 64
"""Rows that may wait for that many inputs (unreadable ones have none)."""
NOT_DEGRADED = "videos are judged as they are: this tier is measured on pictures only"


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle, ready to judge.

    Attributes:
        name: name-version, unique in this evaluation.
        judge: its graph.
        asked: its rule at the evaluation's budget.
    """

    name: str
    judge: Judge
    asked: Asked

    @property
    def whole(self) -> bool:
        """Whether it judges whole pictures."""
        return self.asked.bundle.contract.judges == "image"

    @property
    def spec(self) -> Preprocess:
        """Its preprocessing."""
        return self.asked.bundle.contract.preprocess


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a manifest that are judged.

    Attributes:
        name: of the manifest, unique in this evaluation.
        manifest: those rows only.
        digest: of the whole manifest.
        finder: of faces, for bundles that judge faces; None where its pictures are what is judged.
    """

    name: str
    manifest: Manifest
    digest: str
    finder: FaceFinder | None = None

    def rows(self, start: int, stop: int) -> Manifest:
        """Some of its rows, from 0."""
        return self.manifest.take(np.arange(start, min(stop, len(self.manifest))))


@dataclass(frozen=True, slots=True)
class _View:
    """A way to prepare a picture that one or several bundles share."""

    spec: Preprocess
    whole: bool


@dataclass(slots=True, eq=False)
class _Read:
    """A row that was read and waits to be judged.

    Attributes:
        source: what is known of it.
        brightness: mean luma of the clean picture.
        prepared: view to one prepared picture a tier; empty where there is no picture.
        video: to be read when its turn comes.
        reason: why it could not be read.
    """

    source: Source
    brightness: float | None = None
    prepared: dict[int, list[PreparedPicture]] = field(default_factory=dict)
    video: Video | None = None
    reason: str | None = None

    @property
    def inputs(self) -> int:
        """How many inputs it holds."""
        return sum(len(picture.inputs) for pictures in self.prepared.values() for picture in pictures)


@dataclass(frozen=True, slots=True)
class Scorer:
    """Judges rows of manifests with several bundles at several tiers.

    Attributes:
        bundles: opened.
        tiers: `tiers.CLEAN` first.
        sampling: of videos.
        limits: on files.
    """

    bundles: Sequence[Opened]
    tiers: Sequence[Tier]
    sampling: Sampling = field(default_factory=Sampling)
    limits: MediaLimits = field(default_factory=MediaLimits)

    @property
    def at_once(self) -> int:
        """Rows that make a piece of some ten thousand scores."""
        return int(np.clip(8192 // (len(self.tiers) * len(self.bundles)), 32, 512))

    def score(
        self, part: Part, start: int, stop: int, schema: pa.Schema, step: Callable[[], None] = lambda: None
    ) -> pa.Table:
        """Judge the rows from `start` to before `stop`.

        Args:
            part: whose.
            start: index of the first row, from 0.
            stop: that after the last.
            schema: of `scores.score_schema`.
            step: called after each row.

        Returns:
            one row a bundle, tier and picture.
        """
        rows = part.rows(start, stop)
        views = self._views()
        results: dict[tuple[int, int], list[FileResult]] = {
            (bundle, tier): [] for bundle in range(len(self.bundles)) for tier in range(len(self.tiers))
        }
        brightness: list[float | None] = []
        sizes: list[tuple[int | None, int | None]] = []
        for batch in self._batches(rows, part.finder, views):
            self._judge(batch, views, part.finder, results)
            for read in batch:
                brightness.append(read.brightness)
                sizes.append((read.source.width, read.source.height))
                step()
        tables = []
        for (bundle, tier), answers in results.items():
            lead = {
                "bundle": self.bundles[bundle].name,
                "bundle_sha256": self.bundles[bundle].asked.bundle.sha256,
                "manifest": part.name,
                "manifest_sha256": part.digest,
                "tier": self.tiers[tier].name,
            }
            columns = {
                "width": [width for width, _ in sizes],
                "height": [height for _, height in sizes],
                "brightness": brightness,
                **_columns(answers, self.bundles[bundle].asked),
            }
            tables.append(score_rows(schema, rows.table, lead, columns))
        return pa.concat_tables(tables)

    def _views(self) -> list[_View]:
        """The different ways in which these bundles want pictures."""
        views: list[_View] = []
        for bundle in self.bundles:
            view = _View(bundle.spec, bundle.whole)
            if view not in views:
                views.append(view)
        return views

    def _batches(self, rows: Manifest, finder: FaceFinder | None, views: Sequence[_View]) -> Iterator[list[_Read]]:
        """Rows as they are read, in order, so many that the engines have enough to do at once."""
        waiting: list[_Read] = []
        a_row = len(self.tiers) * len(views)
        ahead = max(WORKERS, INPUTS_AHEAD // a_row)
        paths = rows.values("path")
        reading = map_ahead(lambda path: self._read(rows, path, finder, views), paths, workers=WORKERS, ahead=ahead)
        for read in reading:
            waiting.append(read)
            if sum(one.inputs for one in waiting) >= INPUTS_AT_ONCE or len(waiting) >= PATIENCE:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def _read(self, rows: Manifest, path: str, finder: FaceFinder | None, views: Sequence[_View]) -> _Read:
        """Decode a row once and prepare it at every tier."""
        source = Source(path)
        try:
            media = open_media(rows.file(path), self.limits)
            kind = "video" if isinstance(media, Video) else "picture"
            source = Source(path, None, kind, media.width, media.height)
            if isinstance(media, Video):
                return _Read(source, video=media)
            read = _Read(source, brightness=brightness_of(media.pixels))
            for tier in self.tiers:
                degraded = Picture(tier.change(media.pixels, path), media.format, media.notices)
                for number, picture in enumerate(_prepared(degraded, source, finder, views)):
                    read.prepared.setdefault(number, []).append(picture)
        except Exception as error:  # one row among thousands must not end the evaluation; it ends as an error
            return _Read(source, reason=reason_of(error, path))
        return read

    def _judge(
        self,
        batch: Sequence[_Read],
        views: Sequence[_View],
        finder: FaceFinder | None,
        results: dict[tuple[int, int], list[FileResult]],
    ) -> None:
        for number, bundle in enumerate(self.bundles):
            view = views.index(_View(bundle.spec, bundle.whole))
            pictures = [picture for read in batch for picture in read.prepared.get(view, ())]
            answers = iter(_answers(pictures, bundle))
            for read in batch:
                judged = self._of_video(read, bundle, finder) if read.video else None
                for tier in range(len(self.tiers)):
                    if read.prepared:
                        answer = next(answers)
                    elif judged is not None:
                        answer = judged[tier]
                    else:
                        answer = answer_error(bundle.asked, read.source, read.reason or "There is nothing to read.")
                    results[number, tier].append(answer)

    def _of_video(self, read: _Read, bundle: Opened, finder: FaceFinder | None) -> list[FileResult]:
        """A video's answer at each tier: at `CLEAN` that of its highest track, at the others none."""
        assert read.video is not None  # noqa: S101 - asked by the caller
        framing = Framing(bundle.spec, None if bundle.whole else finder)
        try:
            detection = judge_video(
                read.video,
                read.source,
                self.sampling,
                framing,
                judge=bundle.judge,
                asked=bundle.asked,
                keep_shown=False,
            )
            clean = detection.result
        except Exception as error:  # see `_read`
            clean = answer_error(bundle.asked, read.source, reason_of(error, read.source.path))
        return [clean if tier.name == CLEAN else _not_degraded(clean) for tier in self.tiers]


def _not_degraded(clean: FileResult) -> FileResult:
    nothing = {"outcome": "not_applicable", "probability": None, "logit": None, "threshold": None, "tracks": []}
    return FileResult(**{**clean.model_dump(), **nothing, "decided_by": None, "error": NOT_DEGRADED})


def _prepared(
    picture: Picture, source: Source, finder: FaceFinder | None, views: Sequence[_View]
) -> Iterator[PreparedPicture]:
    """A picture for each view; faces are looked for once."""
    wanted = finder is not None and not all(view.whole for view in views)
    found = finder(picture.pixels) if finder is not None and wanted else []
    for view in views:
        known = None if finder is None or view.whole else lambda _pixels: found
        yield prepare_picture(picture, source, Framing(view.spec, known), keep_shown=False)


def _answers(pictures: Sequence[PreparedPicture], bundle: Opened) -> list[FileResult]:
    """One answer a picture, whatever happens."""
    try:
        return [detection.result for detection in judge_pictures(pictures, bundle.judge, bundle.asked)]
    except Exception as error:
        if len(pictures) > 1:  # one of them is to blame; the others must not pay for it
            middle = len(pictures) // 2
            return [*_answers(pictures[:middle], bundle), *_answers(pictures[middle:], bundle)]
        return [answer_error(bundle.asked, pictures[0].source, reason_of(error, pictures[0].source.path))]


def _columns(answers: Iterable[FileResult], asked: Asked) -> dict[str, list[object]]:
    rows = [
        (
            answer.outcome.value,
            answer.probability,
            answer.logit,
            answer.error,
            asked.verdict.threshold,
            asked.verdict.lower,
            asked.verdict.calibrated,
        )
        for answer in answers
    ]
    return dict(zip(SCORES.names[3:], map(list, zip(*rows, strict=True)), strict=True))


def brightness_of(pixels: UInt8Image) -> float:
    """Mean luma (BT.601) of a picture, 0 to 255."""
    return float(np.asarray(Image.fromarray(pixels).convert("L")).mean())


def reason_of(error: Exception, path: str) -> str:
    """Why a row has no answer, in a sentence."""
    if isinstance(error, MediaError | MesoscopeError):
        return str(error)
    log.error("unexpected failure on %s", path, exc_info=error)
    return f"mesoscope failed on this file, which is a defect worth reporting ({type(error).__name__}: {error})"
