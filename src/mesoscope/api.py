"""The Python interface: ``from mesoscope import Detector``."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from mesoscope.bundle import DEFAULT_BUNDLE, Bundle, load_bundle
from mesoscope.calibrate import Verdict, verdict_for
from mesoscope.engine import DEFAULT_ENGINE, Judge
from mesoscope.errors import UsageError
from mesoscope.faces import DEFAULT_FINDER, NO_FINDER, open_finder
from mesoscope.media import STDIN, Input, MediaLimits, find_inputs
from mesoscope.pipeline import Pipeline, Sampling
from mesoscope.pipeline.answers import Asked
from mesoscope.pipeline.framing import Framing
from mesoscope.types import Detection, FileResult

DEFAULT_FRAMES = 32
PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Detector:
    """A bundle, ready to judge files. Make one with `Detector.load`.

    Example:
        >>> from mesoscope import Detector
        >>> answer = Detector.load("mesoscope-face").detect("photo.jpg")
        >>> answer.outcome, answer.probability
    """

    pipeline: Pipeline

    @classmethod
    def load(
        cls,
        bundle: PathLike = DEFAULT_BUNDLE,
        *,
        faces: str = DEFAULT_FINDER,
        face_model: PathLike | None = None,
        engine: str = DEFAULT_ENGINE,
        threads: int = 0,
        max_fpr: float | None = None,
        frames: int = DEFAULT_FRAMES,
        fps: float | None = None,
        limits: MediaLimits | None = None,
        keep_evidence: bool = False,
    ) -> Detector:
        """Open a bundle.

        Args:
            bundle: a name (``mesoscope-face``), name-version, or a bundle's directory.
            faces: ``dlib``, ``yunet``, or ``none`` for pictures that already are face crops.
            face_model: the finder's model file, where it needs one and it was not pulled.
            engine: ``openvino`` or ``onnxruntime``.
            threads: of the engine; 0 for all cores.
            max_fpr: budget of false alarms (0.01: one real picture in a hundred); one of the bundle's.
            frames: frames sampled of a video, evenly over its length.
            fps: frames a second instead.
            limits: on bytes and pixels of inputs.
            keep_evidence: `stream` then carries pictures and maps for reports.

        Raises:
            UsageError: unknown names, a budget the bundle does not state, numbers out of range.
            BundleError: the bundle cannot be trusted or read.
        """
        if frames < 1 or (fps is not None and not 0 < fps < math.inf) or threads < 0:
            raise UsageError("frames must be at least 1, fps a number above 0, and threads at least 0")
        opened = load_bundle(os.fspath(bundle))
        asked = Asked(opened, verdict_for(opened.contract, max_fpr))
        if faces == NO_FINDER and face_model is not None:
            raise UsageError("a face model was given, but no faces are to be looked for (faces none)")
        whole = faces == NO_FINDER or opened.contract.judges == "image"
        with ThreadPoolExecutor(1) as pool:  # beside each other: a quarter of a second on the way to the first answer
            judge = pool.submit(Judge.open, opened, engine, threads)
            finder = None if whole else open_finder(faces, None if face_model is None else Path(face_model))
        return cls(
            Pipeline(
                judge=judge.result(),
                asked=asked,
                framing=Framing(opened.contract.preprocess, finder),
                sampling=Sampling(frames, fps),
                limits=limits or MediaLimits(),
                keep_evidence=keep_evidence,
            )
        )

    @property
    def bundle(self) -> Bundle:
        """The bundle that judges."""
        return self.pipeline.asked.bundle

    @property
    def verdict(self) -> Verdict:
        """The rule from logit to outcome, at the budget that was asked for."""
        return self.pipeline.asked.verdict

    def at(self, max_fpr: float | None) -> Detector:
        """The same detector at another budget of false alarms (None: the bundle's default threshold)."""
        asked = Asked(self.bundle, verdict_for(self.bundle.contract, max_fpr))
        return Detector(replace(self.pipeline, asked=asked))

    def detect(self, source: PathLike | bytes) -> FileResult:
        """Judge one picture or video, given by path or as its bytes.

        A file that cannot be read is an answer too: outcome ``error`` with the reason, and no number.

        Raises:
            UsageError: a folder; use `detect_many`.
        """
        if isinstance(source, bytes):
            return next(self.pipeline.run([Input(STDIN, source)])).result
        if Path(source).is_dir():
            raise UsageError(f"{os.fspath(source)} is a folder; use detect_many")
        return next(self.stream([source])).result

    def detect_many(self, sources: Iterable[PathLike]) -> Iterator[FileResult]:
        """Judge files and folders (recursively), one result per file, in order, as they come."""
        return (detection.result for detection in self.stream(sources))

    def stream(self, sources: Iterable[PathLike], *, without: Sequence[Path] = ()) -> Iterator[Detection]:
        """Like `detect_many`, with the evidence where `keep_evidence` was set.

        Args:
            sources: files and folders.
            without: folders to pass over inside them, such as the one that overlays are written to.
        """
        return self.pipeline.run(
            find_inputs([os.fspath(source) for source in sources], limits=self.pipeline.limits, without=without)
        )
