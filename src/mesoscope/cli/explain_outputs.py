"""What `mesoscope explain` writes: a document; or a folder with documents, numbers, pictures and videos."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.cli.console import warn
from mesoscope.errors import UsageError
from mesoscope.types import Detection, Evidence

if TYPE_CHECKING:
    from mesoscope.api import Detector
    from mesoscope.explain.findings import ExplainedFace, Explanation
    from mesoscope.explain.methods import Method
    from mesoscope.report import ExplanationWriter, OverlayWriter

DOCUMENTS = (".pdf", ".html")
NAME = "explanations"
SIDE_BY_SIDE = "side-by-side.mp4"


@dataclass(frozen=True, slots=True)
class Look:
    """What a document says of itself, and how it looks.

    Attributes:
        methods: that were used.
        missing: what could not be done, in sentences.
        colours: of maps.
        channels: of a layer that are shown at most.
        command: that makes it again.
    """

    methods: tuple[Method, ...]
    missing: tuple[str, ...]
    colours: Literal["diverging", "jet"]
    channels: int
    command: str


@dataclass(slots=True)
class Outputs:
    """Everything that is written.

    Attributes:
        document: takes explanations.
        written: what a person is told.
        folder: where pictures, videos and numbers go; None where only a document was asked for.
        overlays: writes pictures and videos into the folder.
        numbers: the open file of the numbers.
    """

    document: ExplanationWriter
    written: Path
    folder: Path | None = None
    overlays: OverlayWriter | None = None
    numbers: TextIO | None = None
    _videos: list[Explanation] = field(default_factory=list)

    @property
    def folders(self) -> list[Path]:
        """What must not become an input."""
        return [self.folder] if self.folder else []

    def add(self, explanation: Explanation) -> None:
        """Write one explanation wherever it belongs."""
        from mesoscope.report import maps_of  # noqa: PLC0415 - brings the report writers

        self.document.add(explanation)
        if len(self._videos) < 2:
            self._videos.append(explanation)
        if self.overlays is None or self.numbers is None:
            return
        with explained(self.written):
            self.numbers.write(json.dumps(numbers_of(explanation)) + "\n")
        scenes = [explanation.scene] if explanation.scene else []
        self.overlays.add(Detection(explanation.result, Evidence(scenes, maps=maps_of(explanation))))

    def show_beside(self, floor: float) -> None:
        """Show the first two explanations, videos of the same footage, side by side.

        Raises:
            UsageError: one of them is no video with a judged face.
        """
        from mesoscope.report import check_pair, write_beside  # noqa: PLC0415

        left, right = self._videos
        check_pair(left, right)
        self.document.add_pair(left, right)
        if self.folder is not None:
            write_beside(left, right, floor, self.folder / SIDE_BY_SIDE)


@contextmanager
def open_outputs(out: Path, detector: Detector, look: Look) -> Iterator[Outputs]:
    """Open what is written; it is there whole when the block ends well, and nothing of it otherwise.

    Args:
        out: a document's name, or a folder.
        detector: that judges.
        look: of the document.

    Raises:
        UsageError: the place cannot be written, or its name is neither a document's nor a folder's.
    """
    from mesoscope.report import ExplanationWriter, OverlayWriter  # noqa: PLC0415

    folder = _folder_of(out)
    documents = [out] if folder is None else [folder / f"{NAME}{suffix}" for suffix in DOCUMENTS]
    with ExitStack() as stack:
        document = stack.enter_context(
            ExplanationWriter(
                documents,
                detector.bundle,
                detector.verdict,
                look.command,
                methods=look.methods,
                missing=look.missing,
                colours=look.colours,
                channels=look.channels,
            )
        )
        if folder is None:
            yield Outputs(document, out)
            return
        partial = stack.enter_context(replacing(folder / f"{NAME}.jsonl"))
        numbers = stack.enter_context(partial.open("w", encoding="utf-8"))
        floor = detector.bundle.contract.explanation.floor
        overlays = OverlayWriter(folder, floor, limits=detector.pipeline.limits, warn=warn)
        yield Outputs(document, folder, folder, overlays, numbers)


def _folder_of(out: Path) -> Path | None:
    """The folder that was asked for, made; None for a document."""
    if out.suffix.lower() in DOCUMENTS and not out.is_dir():
        return None
    if out.suffix and not out.is_dir():
        known = " or ".join(DOCUMENTS)
        raise UsageError(f"--out {out}: a document's name ends in {known}; a folder's name has no ending")
    make_directory(out)
    return out


def numbers_of(explanation: Explanation) -> dict[str, Any]:
    """What was measured of one file, fit for JSON."""
    deciding = [track.deciding for track in explanation.tracks if track.deciding]
    return {
        "result": explanation.result.model_dump(mode="json"),
        "label": explanation.truth,
        "right": explanation.right,
        "faces": [_face_numbers(face) for face in (*explanation.faces, *deciding)],
    }


def _face_numbers(face: ExplainedFace) -> dict[str, Any]:
    views = []
    for view in face.views:
        tested, sane = view.faithfulness, view.sanity
        views.append(
            {
                "method": view.method,
                "layer": view.layer,
                "unit": view.unit,
                "low": view.scale.low,
                "high": view.scale.high,
                "floor": view.scale.floor,
                "localised": view.localised,
                "gain": tested.gain if tested else None,
                "random_gains": tested.random_gains.tolist() if tested else None,
                "chance": tested.chance if tested else None,
                "random_weights": list(sane.correlations) if sane else None,
            }
        )
    return {"title": face.title, "when": face.when, "probability": face.probability, "views": views}
