"""From inputs to explanations: what `detect` does, and then everything that can be asked of each face."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from mesoscope.engine import Judge, Session
from mesoscope.errors import MediaError
from mesoscope.explain.examining import Examiner
from mesoscope.explain.findings import ExplainedFace, ExplainedTrack, Explanation, Shot, Truth, shown_input
from mesoscope.explain.methods import GRAPH_MAP, Explainer
from mesoscope.media import Input
from mesoscope.pipeline import AHEAD, WORKERS, Failed, OpenedVideo, Pipeline
from mesoscope.pipeline.ahead import map_ahead
from mesoscope.pipeline.pictures import PreparedPicture
from mesoscope.preprocess import crop, to_input
from mesoscope.types import (
    Box,
    Detection,
    FileResult,
    Float32Array,
    FrameMap,
    Outcome,
    Scene,
    TrackResult,
    UInt8Image,
)

MAX_FACES = 4
"""Of a picture, those that score highest, are explained in full."""
MAX_TRACKS = 4
SHOT_SIDE = 160
"""Longest side, in pixels, of a face kept of each sampled frame."""
Truths = Callable[[str], Truth | None]
"""From an input's path to its label."""


@dataclass(frozen=True, slots=True)
class Explaining:
    """Explains inputs, one at a time, in their order.

    Attributes:
        pipeline: judges; it keeps evidence.
        examiner: looks at each face; its first method's map stands in pictures of scenes and in videos.
        truths: labels, where somebody knows them.
    """

    pipeline: Pipeline
    examiner: Examiner
    truths: Truths

    def run(self, inputs: Iterable[Input]) -> Iterator[Explanation]:
        """One explanation an input; what cannot be judged has its reason and nothing more."""
        for prepared in map_ahead(self.pipeline.prepare, inputs, workers=WORKERS, ahead=AHEAD):
            if isinstance(prepared, PreparedPicture):
                yield self._picture(prepared)
            elif isinstance(prepared, OpenedVideo):
                yield self._video(prepared)
            else:
                yield self._failed(prepared)

    def _failed(self, failed: Failed) -> Explanation:
        return self._explanation(self.pipeline.failure(failed.source, failed.reason).result)

    def _explanation(
        self,
        result: FileResult,
        scene: Scene | None = None,
        faces: Sequence[ExplainedFace] = (),
        tracks: Sequence[ExplainedTrack] = (),
    ) -> Explanation:
        return Explanation(result, self.truths(result.path), scene, list(faces), list(tracks))

    def _picture(self, prepared: PreparedPicture) -> Explanation:
        (detection,) = self.pipeline.judge_pictures([prepared])
        scene = detection.evidence.scenes[0] if detection.evidence and detection.evidence.scenes else None
        if scene is None:
            return self._explanation(detection.result)
        answered = [
            (place, candidate.input)
            for place, candidate in enumerate(prepared.candidates)
            if candidate.input is not None and scene.faces[place].probability is not None
        ]
        answered.sort(key=lambda item: -(scene.faces[item[0]].probability or 0))
        faces = [self._face(scene, place, one, detection.result) for place, one in sorted(answered[:MAX_FACES])]
        maps = {face.title: face.views[0].map for face in faces}
        judged = [replace(face, map=maps.get(face.title)) for face in scene.faces]
        return self._explanation(detection.result, replace(scene, faces=judged), faces)

    def _face(self, scene: Scene, place: int, one: Float32Array, result: FileResult) -> ExplainedFace:
        judged = scene.faces[place]
        logit = result.faces[place].logit if result.faces else result.logit
        if judged.probability is None or logit is None:
            raise AssertionError("only faces with an answer are explained")
        return self._examined(judged.title, judged.square, one, (judged.outcome, judged.probability, logit))

    def _examined(
        self, title: str, square: Box, one: Float32Array, answer: tuple[Outcome, float, float], when: str = ""
    ) -> ExplainedFace:
        spec = self.pipeline.framing.spec
        outcome, probability, logit = answer
        layers, units = self.examiner.inside(one)
        return ExplainedFace(
            title=title,
            square=square,
            pixels=shown_input(one, spec.mean, spec.std, spec.channel_order),
            outcome=outcome,
            probability=probability,
            logit=logit,
            views=self.examiner.views(one, towards=-1 if outcome is Outcome.REAL else 1),
            layers=layers,
            units=units,
            when=when,
        )

    def _video(self, opened: OpenedVideo) -> Explanation:
        first = self.examiner.first
        judge = with_maps_of(self.pipeline.judge, first.explain, first.method.name)
        detection = replace(self.pipeline, judge=judge).judge_video(opened)
        if detection.evidence is None:
            return self._explanation(detection.result)
        try:
            return self._explanation(detection.result, tracks=self._tracks(opened, detection))
        except MediaError as error:
            return self._failed(Failed(opened.source, f"the video cannot be read a second time: {error}"))

    def _tracks(self, opened: OpenedVideo, detection: Detection) -> list[ExplainedTrack]:
        """Read the sampled frames again: keeping them all while faces are followed would fill the memory."""
        tracks = _strongest(detection.result.tracks)
        maps = detection.evidence.maps if detection.evidence else {}
        wanted = {track.id: {one.frame: one for one in maps.get(track.id, ())} for track in tracks}
        shots: dict[int, list[Shot]] = {track.id: [] for track in tracks}
        deciding: dict[int, ExplainedFace] = {}
        for frame in self.pipeline.sampling.of(opened.video):
            for track in tracks:
                found = wanted[track.id].get(frame.index)
                if found is None:
                    continue
                shots[track.id].append(_shot(track, found, frame.pixels))
                if track.decided_by and frame.index == track.decided_by[0]:
                    deciding[track.id] = self._deciding(track, found, frame.pixels)
        return [ExplainedTrack(track, shots[track.id], deciding.get(track.id)) for track in tracks]

    def _deciding(self, track: TrackResult, found: FrameMap, pixels: UInt8Image) -> ExplainedFace:
        frame = next(frame for frame in track.frames if frame.frame == found.frame)
        one = to_input(crop(pixels, found.square), self.pipeline.framing.spec)
        when = f"frame {frame.frame} at {frame.time:.2f} s"
        answer = (track.outcome, frame.probability, frame.logit)
        return self._examined(f"track {track.id}", found.square, one, answer, when)


def with_maps_of(judge: Judge, explainer: Explainer, name: str) -> Judge:
    """The same judge with the maps of another method in place of the graph's, so that a whole video shows them.

    Args:
        judge: a bundle's.
        explainer: makes the maps.
        name: of the method; the graph's own map is left as it is.
    """
    if name == GRAPH_MAP:
        return judge
    session: Session = judge.session

    def run(batch: Float32Array) -> Sequence[Float32Array]:
        return [session(batch)[0], explainer(batch)]

    return Judge(judge.bundle, run)


def _strongest(tracks: Sequence[TrackResult]) -> list[TrackResult]:
    answered = sorted(tracks, key=lambda track: -(track.probability if track.probability is not None else -1))
    chosen = {track.id for track in answered[:MAX_TRACKS]}
    return [track for track in tracks if track.id in chosen]


def _shot(track: TrackResult, found: FrameMap, pixels: UInt8Image) -> Shot:
    frame = next(frame for frame in track.frames if frame.frame == found.frame)
    cut = Image.fromarray(crop(pixels, found.square))
    cut.thumbnail((SHOT_SIDE, SHOT_SIDE), Image.Resampling.LANCZOS)
    return Shot(
        frame=frame.frame,
        time=frame.time,
        square=found.square,
        pixels=np.asarray(cut),
        map=found.map,
        probability=frame.probability,
        logit=frame.logit,
    )
