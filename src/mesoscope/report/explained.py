"""What the document of explanations holds, whatever it is written as. Pictures are drawn at once, into a spool."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.explain import MapScale, blend_maps, measure, outline
from mesoscope.explain.findings import ExplainedFace, ExplainedTrack, Explanation, FeatureMaps, Shot, View
from mesoscope.explain.marks import font
from mesoscope.explain.overlay import upsample
from mesoscope.explain.palettes import jet, sheet
from mesoscope.report.charts import Chart, colour_bar, timeline
from mesoscope.report.content import PICTURE_SIDE, Figure, fit, precise, save_figure
from mesoscope.report.explain_charts import faithfulness_chart, jet_bar, units_chart
from mesoscope.report.strips import STRIP, evenly, paired, rows, tile
from mesoscope.report.words import OUTCOME_TITLES, answer, part_answer, visible
from mesoscope.types import Box, Outcome, Scene, UInt8Image

Colours = Literal["diverging", "jet"]
MAP_SIDE = 384
"""Pixels of a side of the pictures with maps, at least."""
ROW = 16
"""Channels a row of a layer's sheet; layers of no more than half as many are shown twice as large."""
TILE_SIDE = 128
_JET_OPACITY = 0.5
_FAINT_JET = 0.15
NO_EVIDENCE = "no localised evidence"


@dataclass(frozen=True, slots=True)
class ViewPart:
    """One method's map of one face, ready to show.

    Attributes:
        title: method and layer.
        figures: one, or with jet two (evidence for fake, for real).
        bar: its colours.
        range: from where to where the map goes, its unit and floor.
        verdict: what may be read from it.
        localised: see `View.localised`.
        curves: deletion and insertion, where measured.
        sanity: the test with random weights, or empty.
    """

    title: str
    figures: list[Figure]
    bar: Chart
    range: str
    verdict: str
    localised: bool
    curves: Chart | None
    sanity: str


@dataclass(frozen=True, slots=True)
class LayerPart:
    """One layer's channels."""

    caption: str
    figure: Figure
    columns: int


@dataclass(frozen=True, slots=True)
class FacePart:
    """One face, explained."""

    heading: str
    shown: Figure
    views: list[ViewPart]
    layers: list[LayerPart]
    layers_note: str
    final: Figure | None
    units: Chart | None


@dataclass(frozen=True, slots=True)
class TrackPart:
    """One person through a video: timeline, strip of frames, and the frame that decided."""

    title: str
    outcome: Outcome
    sentence: str
    timeline: Chart | None
    strip: list[Figure]
    strip_note: str
    bar: Chart | None
    deciding: FacePart | None


@dataclass(frozen=True, slots=True)
class ExplainedSection:
    """One file.

    Attributes:
        truth: its label and whether the answer was right, in words; empty where nobody said.
        scene: the whole picture with boxes and maps, where the face is only a part of it.
        scene_note: faces that are not explained in full.
    """

    index: int
    name: str
    outcome: Outcome
    sentence: str
    truth: str
    right: bool | None
    sha256: str
    scene: Figure | None
    scene_note: str
    faces: list[FacePart]
    tracks: list[TrackPart]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class PairPart:
    """Two videos of the same footage, side by side."""

    left: str
    right: str
    strip: list[Figure]
    bar: Chart | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table of files."""

    index: int
    name: str
    outcome: Outcome
    score: str
    truth: str
    evidence: str
    note: str


@dataclass(slots=True)
class Document:
    """Everything that a format has to write.

    Attributes:
        made, program, command: as in a report.
        missing: sentences: what this document lacks, and how to get it.
        methods: name and what it is, of each method used.
    """

    made: str
    program: str
    command: str
    bundle: Bundle
    verdict: Verdict
    colours: Colours
    missing: list[str]
    methods: list[tuple[str, str]]
    sections: list[ExplainedSection] = field(default_factory=list)
    pairs: list[PairPart] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def score_of_answers(self) -> str:
        """How many of the labelled files were answered rightly; empty where none has a label."""
        told = [section.right for section in self.sections if section.truth]
        if not told:
            return ""
        unsure = sum(right is None for right in told)
        more = f", {unsure} without a clear answer" if unsure else ""
        return f"{sum(right is True for right in told)} right and {sum(right is False for right in told)} wrong{more}"


class ExplainedBuilder:
    """Builds sections, drawing into a spool directory.

    Args:
        spool: an existing directory; one sub-directory a section is made in it.
        verdict: the rule in force.
        colours: of maps.
        channels: of a layer that are shown at most.
    """

    def __init__(self, spool: Path, verdict: Verdict, colours: Colours, channels: int) -> None:
        self._spool, self._verdict, self._colours, self._channels = spool, verdict, colours, channels

    def build(self, index: int, explanation: Explanation) -> ExplainedSection:
        """One file's section; `index` counts from 1."""
        directory = self._spool / str(index)
        directory.mkdir()
        result = explanation.result
        return ExplainedSection(
            index=index,
            name=visible(result.path),
            outcome=result.outcome,
            sentence=answer(result, self._verdict),
            truth=_truth(explanation),
            right=explanation.right,
            sha256=result.sha256 or "",
            scene=self._scene(directory, explanation),
            scene_note=_scene_note(explanation),
            faces=[
                self._face(directory, f"face-{place}", face, alone=len(explanation.faces) == 1)
                for place, face in enumerate(explanation.faces, start=1)
            ],
            tracks=[self._track(directory, track) for track in explanation.tracks],
            warnings=[visible(result.messages[code]) for code in result.warnings if code != "uncalibrated"],
        )

    def line(self, section: ExplainedSection, explanation: Explanation) -> Line:
        """The file's line in the table."""
        views = [face.views[0] for face in explanation.faces if face.views]
        views += [track.deciding.views[0] for track in explanation.tracks if track.deciding and track.deciding.views]
        found = sum(view.localised for view in views)
        evidence = f"{found} of {len(views)} maps" if len(views) > 1 else ("yes" if found else "no")
        return Line(
            section.index,
            section.name,
            section.outcome,
            precise(explanation.result.probability, self._verdict),
            section.truth,
            evidence if views else "–",
            visible(explanation.result.error or ""),
        )

    def pair(self, index: int, left: Explanation, right: Explanation) -> PairPart:
        """Two videos' strips above each other, frame by frame, with one scale of colours."""
        directory = self._spool / f"pair-{index}"
        directory.mkdir()
        first, second = strongest_shots(left), strongest_shots(right)
        both = paired(first, second)
        scale = measure((shot.map for pair in both for shot in pair), self._floor(left, right)) if both else None
        strip = []
        for place in range(0, len(both), STRIP // 2):
            some = both[place : place + STRIP // 2]
            drawn = rows([[tile(shot, scale, decided=False) for shot in pair] for pair in some])
            seconds = f"Seconds {some[0][0].time:.1f} to {some[-1][0].time:.1f}"
            words = f"{seconds}: in each pair the first video is on the left."
            strip.append(save_figure(directory / f"{place}.jpg", drawn, words))
        return PairPart(_pair_title(left), _pair_title(right), strip, colour_bar(scale) if scale else None)

    @staticmethod
    def _floor(*explanations: Explanation) -> float:
        views = [track.deciding.views[0] for one in explanations for track in one.tracks if track.deciding]
        return max((view.scale.floor for view in views), default=1e-9)

    def _scene(self, directory: Path, explanation: Explanation) -> Figure | None:
        scene = explanation.scene
        if scene is None or all(_is_whole(face.square, scene) for face in scene.faces):
            return None
        pixels, factor = fit(scene, PICTURE_SIDE)
        return save_figure(
            directory / "scene.jpg", outline(pixels, scene.faces, factor), "The picture, with what was judged."
        )

    def _face(self, directory: Path, name: str, face: ExplainedFace, *, alone: bool) -> FacePart:
        heading = "" if alone and not face.when else _face_heading(face, self._verdict)
        shown = np.asarray(_enlarged(face.pixels))
        side = face.pixels.shape[0]
        figure = save_figure(directory / f"{name}.jpg", shown, f"What the network was shown, {side} × {side} pixels.")
        views = [
            self._view(directory, f"{name}-{place}", shown, view) for place, view in enumerate(face.views, start=1)
        ]
        layers = [
            self._layer(directory, f"{name}-layer-{place}", layer) for place, layer in enumerate(face.layers, start=1)
        ]
        final = self._final(directory, name, shown, face.layers[-1]) if face.layers else None
        return FacePart(
            heading,
            figure,
            views,
            layers,
            self._layers_note(face),
            final,
            units_chart(face.units) if face.units else None,
        )

    def _view(self, directory: Path, name: str, shown: UInt8Image, view: View) -> ViewPart:
        layer = f" of {view.layer}" if view.layer else ""
        scale = view.scale
        return ViewPart(
            title=f"{view.method}{layer}",
            figures=self._maps(directory, name, shown, view),
            bar=jet_bar(scale.limit) if self._colours == "jet" else colour_bar(scale),
            range=f"{scale.low:+.2g} to {scale.high:+.2g} {view.unit}; floor {scale.floor:.2g}",
            verdict=view.verdict,
            localised=view.localised,
            curves=faithfulness_chart(view.faithfulness) if view.faithfulness else None,
            sanity=view.sanity.sentence if view.sanity else "",
        )

    def _maps(self, directory: Path, name: str, shown: UInt8Image, view: View) -> list[Figure]:
        if self._colours == "jet":
            return [
                save_figure(
                    directory / f"{name}-{side}.jpg",
                    _stamped(jet_overlay(shown, view, sign), view),
                    f"Evidence for {side}",
                )
                for side, sign in (("fake", 1), ("real", -1))
            ]
        drawn = blend_maps(shown, [(_all_of(shown), view.map)], honest_scale(view))
        words = "Warm with a solid outline speaks for fake, cool with a dotted one for real"
        return [save_figure(directory / f"{name}.jpg", _stamped(drawn, view), words)]

    def _layer(self, directory: Path, name: str, layer: FeatureMaps) -> LayerPart:
        count, high, wide = layer.planes.shape
        planes = layer.planes[: self._channels]
        columns = ROW if len(planes) > ROW // 2 else ROW // 2
        drawn, silent = sheet(planes, columns, TILE_SIDE if columns == ROW else 2 * TILE_SIDE)
        shown = f"{len(planes)} of {count} channels" if len(planes) < count else f"{count} channels"
        quiet = f"; {silent} of them silent (grey)" if silent else ""
        caption = f"{layer.name} · {shown} · {wide} × {high} · {layer.what}{quiet}"
        return LayerPart(caption, save_figure(directory / f"{name}.jpg", drawn, caption), columns)

    def _final(self, directory: Path, name: str, shown: UInt8Image, layer: FeatureMaps) -> Figure:
        """The mean over the channels of the last planes, alone."""
        drawn, _ = sheet(layer.planes.mean(0, keepdims=True), 1, shown.shape[0])
        high, wide = layer.planes.shape[1:]
        words = f"Final feature activation: mean of all channels of {layer.name}, {wide} × {high}"
        return save_figure(directory / f"{name}-final.jpg", drawn, words)

    def _layers_note(self, face: ExplainedFace) -> str:
        cut = [layer for layer in face.layers if len(layer.planes) > self._channels]
        if not cut:
            return ""
        return (
            f"Of layers with more than {self._channels} channels the first {self._channels} are shown (--channels)."
        )

    def _track(self, directory: Path, track: ExplainedTrack) -> TrackPart:
        result = track.result
        shots = evenly(track.shots, result.decided_by)
        floor = track.deciding.views[0].scale.floor if track.deciding else 1e-9
        scale = measure((shot.map for shot in track.shots), floor)
        times = [shot.time for shot in track.shots]
        strip = []
        for place in range(0, len(shots), STRIP):
            some = shots[place : place + STRIP]
            drawn = rows([[tile(shot, scale, decided=shot.frame in result.decided_by)] for shot in some])
            words = f"Seconds {some[0].time:.1f} to {some[-1].time:.1f}"
            strip.append(save_figure(directory / f"track-{result.id}-{place}.jpg", drawn, words))
        note = (
            "" if len(shots) == len(track.shots) else f"{len(shots)} of {len(track.shots)} sampled frames are shown. "
        )
        return TrackPart(
            title=f"track {result.id}",
            outcome=result.outcome,
            sentence=part_answer(
                f"track {result.id}", result.outcome, result.probability, result.reason, self._verdict
            ),
            timeline=timeline(result, self._verdict, (min(times), max(times))) if times else None,
            strip=strip,
            strip_note=f"{note}Each with its second and its score; a frame that decided has a thick edge.",
            bar=colour_bar(scale) if scale else None,
            deciding=self._face(directory, f"track-{result.id}", track.deciding, alone=False)
            if track.deciding
            else None,
        )


def honest_scale(view: View) -> MapScale:
    """The colours' scale: a map that no test bears out is drawn faintly, as one below its floor."""
    scale = view.scale
    if view.localised or not scale.localised:
        return scale
    return MapScale(scale.low, scale.high, scale.peak * (1 + 1e-6))


def jet_overlay(shown: UInt8Image, view: View, sign: int) -> UInt8Image:
    """One side's evidence in jet over the whole picture, as studies show it; from 0 to the view's limit."""
    window = (0, 0, shown.shape[1], shown.shape[0])
    share = (sign * upsample(view.map, _all_of(shown), window) / view.scale.limit).clip(0, 1)
    colours = jet()[np.rint(share * 255).astype(np.uint8)].astype(np.float32)
    opacity = _JET_OPACITY if view.localised else _FAINT_JET
    blended: UInt8Image = np.rint(shown + (colours - shown) * opacity).astype(np.uint8)
    return blended


def strongest_shots(explanation: Explanation) -> list[Shot]:
    """The shots of the person that decided a video."""
    tracks = [track for track in explanation.tracks if track.shots]
    best = max(tracks, key=lambda track: track.result.probability or 0.0, default=None)
    return best.shots if best else []


def _stamped(pixels: UInt8Image, view: View) -> UInt8Image:
    """With the words on the picture itself where nothing may be read from it: a figure travels without its text."""
    if view.localised:
        return pixels
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    size = max(12, image.width // 17)
    draw.rectangle((0, image.height - round(1.5 * size), image.width, image.height), fill="#20242a")
    draw.text(
        (image.width / 2, image.height - 0.75 * size), NO_EVIDENCE, fill="#ffffff", font=font(size), anchor="mm"
    )
    return np.asarray(image)


def _enlarged(pixels: UInt8Image) -> Image.Image:
    image = Image.fromarray(pixels)
    side = max(MAP_SIDE, image.width)
    return image if image.width == side else image.resize((side, side), Image.Resampling.LANCZOS)


def _pair_title(explanation: Explanation) -> str:
    result = explanation.result
    score = "" if result.probability is None else f" {result.probability:.2f}"
    return f"{visible(Path(result.path).name)}: {OUTCOME_TITLES[result.outcome].lower()}{score}"


def _face_heading(face: ExplainedFace, verdict: Verdict) -> str:
    where = f", {face.when}" if face.when else ""
    return f"{face.title.capitalize()}{where} · score {precise(face.probability, verdict)} · logit {face.logit:+.2f}"


def _truth(explanation: Explanation) -> str:
    if explanation.truth is None:
        return ""
    verdict = {True: "right", False: "wrong", None: "no clear answer"}[explanation.right]
    return f"labelled {explanation.truth}: {verdict}"


def _scene_note(explanation: Explanation) -> str:
    answered = sum(face.probability is not None for face in explanation.result.faces)
    if answered <= len(explanation.faces):
        return ""
    return f"{answered} faces were judged; the {len(explanation.faces)} that score highest are explained here."


def _is_whole(square: Box, scene: Scene) -> bool:
    shown, (height, width) = square.scaled(scene.scale), scene.pixels.shape[:2]
    return bool(abs(shown.width - width) <= 1 and abs(shown.height - height) <= 1)


def _all_of(pixels: UInt8Image) -> Box:
    return Box(0, 0, pixels.shape[1], pixels.shape[0])
