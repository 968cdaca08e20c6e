"""What a report holds, whatever it is written as: the sections of files, built from detections one at a time.

Pictures are drawn at once and kept as JPEG files in a spool directory, so that a section in memory is small.
"""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.explain import MapScale, caption, measure, outline, overlay
from mesoscope.preprocess import crop
from mesoscope.report.charts import Chart, colour_bar, gauge, timeline
from mesoscope.report.words import Fact, answer, apart, part_answer, plural, visible
from mesoscope.types import (
    Box,
    Detection,
    FaceResult,
    FileResult,
    FrameResult,
    JudgedFace,
    Outcome,
    Scene,
    TrackResult,
    UInt8Image,
)

PICTURE_SIDE = 900
"""Longest side of a picture in a report, in pixels."""
FRAME_SIDE = 560
THUMB_SIDE = 144
MAX_FACES_SHOWN = 60
MAX_TRACKS_SHOWN = 12
MAX_FRAMES_SHOWN = 4
_QUALITY = 86
_URGENCY = {
    Outcome.FAKE: 3,
    Outcome.INCONCLUSIVE: 2,
    Outcome.REAL: 1,
    Outcome.NOT_APPLICABLE: 0,
    Outcome.ERROR: 0,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture in a report.

    Attributes:
        path: of a JPEG in the spool directory.
        width, height: in pixels.
        caption: what it shows, in words; also its alternative text.
    """

    path: Path
    width: int
    height: int
    caption: str


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One line of the table of faces; texts are ready to show, `notes` one a line."""

    title: str
    outcome: Outcome
    probability: str
    notes: list[str]
    thumb: Figure | None
    thumb_map: Figure | None


@dataclass(frozen=True, slots=True)
class DecidingFrame:
    """A frame that carried a track's outcome: the whole frame, and the face without and with its map."""

    caption: str
    frame: Figure
    face: Figure | None
    face_map: Figure | None


@dataclass(frozen=True, slots=True)
class TrackPart:
    """One person in a video."""

    title: str
    outcome: Outcome
    sentence: str
    timeline: Chart | None
    frames: list[DecidingFrame]


@dataclass(frozen=True, slots=True)
class Section:
    """Everything a report shows of one file."""

    index: int
    name: str
    outcome: Outcome
    sentence: str
    sha256: str
    gauge: Chart | None
    picture: Figure | None
    overlay: Figure | None
    colour_bar: Chart | None
    map_caption: str
    faces: list[FaceRow]
    faces_note: str
    tracks: list[TrackPart]
    tracks_note: str
    warnings: list[str]
    facts: list[Fact]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of all files."""

    index: int
    name: str
    outcome: Outcome
    probability: str
    decided_by: str
    note: str
    shown: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All that a format has to write.

    Attributes:
        made: when, as text.
        program: version of the program.
        command: that reproduces the report.
        counts: outcomes of all files.
        sections: of the files that are shown with pictures, in the order of the input.
        limit: how many files get a section at most.
        results: iterates over the results of all files, again and again; they are read from disk.
    """

    made: str
    program: str
    command: str
    bundle: Bundle
    verdict: Verdict
    counts: Counter[Outcome]
    sections: list[Section]
    limit: int
    results: Callable[[], Iterable[FileResult]] = field(repr=False)

    @property
    def total(self) -> int:
        """How many files were judged."""
        return sum(self.counts.values())

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The table of files, one row at a time, in their order; at most `limit`, by `urgency`."""
        shown = {section.index for section in self.sections}
        results: Iterable[tuple[int, FileResult]] = enumerate(self.results(), start=1)
        if limit is not None and limit < self.total:
            urgent = heapq.nlargest(limit, results, key=lambda numbered: urgency(numbered[1], numbered[0]))
            results = sorted(urgent, key=lambda numbered: numbered[0])
        for index, result in results:
            yield Row(
                index,
                visible(result.path),
                result.outcome,
                precise(result.probability, self.verdict),
                result.decided_by or "–",
                visible(result.error or ""),
                index in shown,
            )

    @property
    def left_out(self) -> str:
        """A sentence about the files without a section, or nothing."""
        missing = self.total - len(self.sections)
        if not missing:
            return ""
        return (
            f"Of {plural(self.total, 'file', 'files')}, {plural(len(self.sections), 'is', 'are')} shown with "
            "pictures: those that score highest, each “likely manipulated” before the inconclusive, these before the "
            "rest. The other "
            f"{plural(missing, 'file is', 'files are')} in the table only. For one of them run: mesoscope detect "
            "FILE --report FILE.html, or write all pictures with --overlays DIRECTORY."
        )


def urgency(result: FileResult, index: int) -> tuple[int, float, int]:
    """Greater for what a reader must see first: by outcome, then by score, then as they came (`index` from 1)."""
    return _URGENCY[result.outcome], result.probability or 0.0, -index


class SectionBuilder:
    """Builds sections, drawing into a spool directory.

    Args:
        spool: an existing directory; one sub-directory a section is made in it.
        bundle: whose floor the maps are measured by.
        verdict: the rule in force.
    """

    def __init__(self, spool: Path, bundle: Bundle, verdict: Verdict) -> None:
        self._spool = spool
        self._floor = bundle.contract.explanation.floor
        self._verdict = verdict

    def directory(self, index: int) -> Path:
        """Where the pictures of a section lie."""
        return self._spool / str(index)

    def build(self, index: int, detection: Detection) -> Section:
        """One file's section; `index` counts from 1."""
        result, evidence = detection.result, detection.evidence
        directory = self.directory(index)
        directory.mkdir()
        scene = evidence.scenes[0] if evidence and evidence.scenes and not result.tracks else None
        scale = measure((face.map for face in scene.faces), self._floor) if scene else None
        picture, drawn = self._pictures(directory, scene, scale)
        deciding = evidence.tracks if evidence else {}
        return Section(
            index=index,
            name=visible(result.path),
            outcome=result.outcome,
            sentence=answer(result, self._verdict),
            sha256=result.sha256 or "",
            gauge=None if result.probability is None else gauge(result.probability, self._verdict, result.outcome),
            picture=picture,
            overlay=drawn,
            colour_bar=colour_bar(scale) if scale else None,
            map_caption=f"The colour scale: {caption(scale)}." if scale else "",
            faces=self._faces(directory, result, scene, scale),
            faces_note=_shortened("face", len(result.faces), MAX_FACES_SHOWN),
            tracks=self._tracks(directory, result.tracks, deciding),
            tracks_note=_shortened("track", len(result.tracks), MAX_TRACKS_SHOWN),
            warnings=[visible(result.messages[code]) for code in result.warnings],
            facts=_facts(result),
        )

    def _pictures(
        self, directory: Path, scene: Scene | None, scale: MapScale | None
    ) -> tuple[Figure | None, Figure | None]:
        if scene is None:
            return None, None
        pixels, factor = fit(scene, PICTURE_SIDE)
        boxes = save_figure(
            directory / "boxes.jpg",
            outline(pixels, scene.faces, factor),
            "The picture with what was judged." if scene.faces else "The picture.",
        )
        if scale is None:
            return boxes, None
        drawn = overlay(pixels, scene.faces, factor, self._floor, shared=scale)
        return boxes, save_figure(directory / "map.jpg", drawn, "The same picture with the explanation map.")

    def _faces(
        self, directory: Path, result: FileResult, scene: Scene | None, scale: MapScale | None
    ) -> list[FaceRow]:
        judged = {face.title: face for face in scene.faces} if scene else {}
        rows = []
        for place, face in enumerate(result.faces[:MAX_FACES_SHOWN], start=1):
            title = f"face {place}"
            plain, mapped = None, None
            if scene and title in judged:
                plain, mapped = self._thumbs(directory, f"face-{place}", scene, judged[title], scale)
            rows.append(
                FaceRow(
                    title,
                    face.outcome,
                    precise(face.probability, self._verdict),
                    _face_notes(face, mapped, unlocalised=self._unlocalised(judged.get(title))),
                    plain,
                    mapped,
                )
            )
        return rows

    def _unlocalised(self, face: JudgedFace | None) -> bool:
        """A face called likely fake, whose map has a place that speaks for real, but none for fake."""
        if face is None or face.map is None or face.outcome is not Outcome.FAKE:
            return False
        return float(face.map.max()) < self._floor <= -float(face.map.min())

    def _thumbs(
        self, directory: Path, name: str, scene: Scene, face: JudgedFace, scale: MapScale | None
    ) -> tuple[Figure, Figure | None]:
        """The square that was judged, and the same with its map on the scale of the whole picture."""
        area = face.square.scaled(scene.scale)
        pixels = crop(scene.pixels, area)
        factor = THUMB_SIDE / max(pixels.shape[:2])
        size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
        resized = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
        plain = save_figure(directory / f"{name}.jpg", resized, f"{face.title}, the area that was judged")
        if face.map is None or scale is None:
            return plain, None
        whole = Box(0, 0, size[0], size[1])
        drawn = overlay(
            resized,
            [JudgedFace(face.title, whole, whole, face.map, face.outcome, face.probability)],
            1.0,
            self._floor,
            shared=scale,
            labels=False,
        )
        own = measure([face.map], self._floor)
        return plain, save_figure(directory / f"{name}-map.jpg", drawn, f"{face.title}: {caption(own)}")

    def _tracks(
        self, directory: Path, tracks: Sequence[TrackResult], deciding: dict[int, list[Scene]]
    ) -> list[TrackPart]:
        times = [frame.time for track in tracks for frame in track.frames]
        span = (min(times), max(times)) if times else (0.0, 0.0)
        strongest = sorted(tracks, key=lambda track: -(track.probability if track.probability is not None else -1))
        chosen = {track.id for track in strongest[:MAX_TRACKS_SHOWN]}
        return [
            TrackPart(
                f"track {track.id}",
                track.outcome,
                self._track_sentence(track),
                timeline(track, self._verdict, span) if track.frames else None,
                self._deciding(directory, track, deciding.get(track.id, [])),
            )
            for track in tracks
            if track.id in chosen
        ]

    def _track_sentence(self, track: TrackResult) -> str:
        title = f"track {track.id}"
        text = part_answer(title, track.outcome, track.probability, track.reason, self._verdict)
        if not track.frames:
            return text
        seen = plural(len(track.frames), "sampled frame", "sampled frames")
        return (
            f"{text} Seen on {seen} from {track.start:.1f} to {track.end:.1f} seconds; its score is their mean logit."
        )

    def _deciding(self, directory: Path, track: TrackResult, scenes: Sequence[Scene]) -> list[DecidingFrame]:
        title = f"track {track.id}"
        scale = measure((face.map for scene in scenes for face in scene.faces if face.title == title), self._floor)
        parts = []
        for place, scene in enumerate(scenes[:MAX_FRAMES_SHOWN], start=1):
            name = f"track-{track.id}-{place}"
            pixels, factor = fit(scene, FRAME_SIDE)
            drawn = outline(pixels, scene.faces, factor)
            words = _frame_words(track, scene, self._verdict)
            frame = save_figure(directory / f"{name}.jpg", drawn, words)
            judged = next((face for face in scene.faces if face.title == title), None)
            face, face_map = self._thumbs(directory, f"{name}-face", scene, judged, scale) if judged else (None, None)
            note = f"; {face_map.caption.partition(': ')[2]}" if face_map else ""
            parts.append(DecidingFrame(f"{words}{note}", frame, face, face_map))
        return parts


def _frame_words(track: TrackResult, scene: Scene, verdict: Verdict) -> str:
    found: FrameResult | None = next((frame for frame in track.frames if frame.frame == scene.frame), None)
    where = f"Frame {scene.frame}" if scene.frame is not None else "A frame"
    when = f" at {scene.time:.2f} s" if scene.time is not None else ""
    score = f": track {track.id} scores {precise(found.probability, verdict)}" if found else ""
    return f"{where}{when}{score}"


def precise(probability: float | None, verdict: Verdict) -> str:
    """A score for a table, with as many digits as keep it apart from the rule's edges; a dash where there is none."""
    return "–" if probability is None else apart(probability, verdict.threshold, verdict.lower)


def _shortened(what: str, count: int, shown: int) -> str:
    if count <= shown:
        return ""
    return f"{count} {what}s were judged; {shown} are shown here, all are in the results’ JSON."


def _face_notes(face: FaceResult, mapped: Figure | None, *, unlocalised: bool) -> list[str]:
    left, top, right, bottom = face.box
    notes = [visible(face.reason)] if face.reason else []
    if mapped:
        notes.append(mapped.caption.partition(": ")[2])
    if unlocalised:
        notes.append("nothing in the map speaks for fake above the floor: this score rests on no one place")
    notes.append(f"box {right - left:.0f} × {bottom - top:.0f} px, upper left corner at {left:.0f}, {top:.0f}")
    if face.finder_score is not None:
        notes.append(f"the face finder’s own score: {face.finder_score:.2f}")
    return notes


def _facts(result: FileResult) -> list[Fact]:
    facts = [
        Fact("File", visible(result.path), exact=True),
        Fact("sha256", result.sha256 or "none: the file could not be read", exact=result.sha256 is not None),
    ]
    size = f"{result.width} × {result.height} px" if result.width and result.height else ""
    if kind := ", ".join(word for word in (result.kind, size) if word):
        facts.append(Fact("Kind", kind))
    if result.probability is not None and result.threshold is not None:
        score = f"{result.probability:.4f}, from {result.decided_by or 'the picture'}"
        facts.append(Fact("Score", f"{score}; threshold {result.threshold:.4f}"))
    return facts


def fit(scene: Scene, side: int) -> tuple[UInt8Image, float]:
    """A scene's pixels, reduced so that no side is longer than `side`, and pixels per original pixel."""
    height, width = scene.pixels.shape[:2]
    factor = min(1.0, side / max(height, width))
    if factor == 1.0:
        return scene.pixels, scene.scale
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    resized = np.asarray(Image.fromarray(scene.pixels).resize(size, Image.Resampling.LANCZOS))
    return resized, scene.scale * factor


def save_figure(path: Path, pixels: UInt8Image, words: str) -> Figure:
    """Keep a picture as JPEG; `words` say what it shows."""
    # not straight into the file: Pillow takes no notice of a write cut short by a full disk
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=_QUALITY, optimize=True)
    path.write_bytes(encoded.getbuffer())
    return Figure(path, pixels.shape[1], pixels.shape[0], words)
