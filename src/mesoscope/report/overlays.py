"""Pictures with their maps, as PNG files of their own, and annotated copies of videos."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import MediaError
from mesoscope.explain import MapScale, measure, overlay, with_legend
from mesoscope.media import DEFAULT_LIMITS, STDIN, MediaLimits, open_video
from mesoscope.report.annotate import annotate_video
from mesoscope.report.words import visible
from mesoscope.types import Detection, Evidence, FileResult, UInt8Image

_UNSAFE = re.compile(r"[^\w.-]+")
_STEM = 60


def overlay_name(result: FileResult, suffix: str) -> str:
    """A file name for what is drawn of an input: safe on every file system, another one for every input.

    The stem of the input's name, ten digits of the sha256 of its content (to find it again in the results)
    and six of its path (so that copies in two folders stay apart).
    """
    stem = _UNSAFE.sub("_", Path(result.path).stem).strip("._-")[:_STEM] or "input"
    content = (result.sha256 or "unknown")[:10]
    place = hashlib.sha256(result.path.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{stem}-{content}-{place}{suffix}"


class OverlayWriter:
    """Writes one file for each detection: a PNG for a picture, an MP4 for a video.

    Args:
        directory: made at once, if it is not there.
        floor: the bundle's ``explanation.floor``.
        limits: of the media, those that the files were judged under.
        warn: is told, in a sentence, of each video that cannot be read a second time.

    Raises:
        UsageError: the directory cannot be made.
    """

    def __init__(
        self,
        directory: Path,
        floor: float,
        *,
        limits: MediaLimits = DEFAULT_LIMITS,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        make_directory(directory)
        self._directory, self._floor, self._limits = directory, floor, limits
        self._warn = warn or (lambda _: None)

    def add(self, detection: Detection) -> list[Path]:
        """Write what there is to show of a detection; the files written, which may be none.

        Raises:
            UsageError: the directory cannot be written, or the disk is full.
        """
        if detection.result.kind != "video":
            return write_overlays(detection, self._directory, self._floor)
        if detection.evidence is None or not any(track.frames for track in detection.result.tracks):
            return []
        return self._annotate(detection.result, detection.evidence)

    def _annotate(self, result: FileResult, evidence: Evidence) -> list[Path]:
        """Read the video a second time: keeping its frames while it is judged would fill the memory."""
        if result.path == STDIN:
            self._warn("A video from standard input cannot be read twice: no annotated copy; give its file instead.")
            return []
        target = self._directory / overlay_name(result, ".mp4")
        try:
            video = open_video(Path(result.path), self._limits)
            annotate_video(
                ((frame.index, frame.time_s, frame.pixels) for frame in video.frames()),
                video.frame_rate,
                result.tracks,
                maps=evidence.maps,
                floor=self._floor,
                out=target,
            )
        except MediaError as error:
            self._warn(f"{visible(result.path)}: no annotated copy, the video cannot be read again. {error}")
            return []
        return [target]


def write_overlays(detection: Detection, directory: Path, floor: float) -> list[Path]:
    """Write the picture with boxes, maps and a legend as PNG.

    Videos get an annotated copy instead (`OverlayWriter`), nothing here.

    Args:
        detection: with evidence; without, nothing is written.
        directory: made if it is not there.
        floor: the bundle's ``explanation.floor``.

    Returns:
        the files written: one, or none.

    Raises:
        UsageError: the directory cannot be made or written, or the disk is full.
    """
    result, evidence = detection.result, detection.evidence
    if evidence is None or not evidence.scenes or result.kind == "video":
        return []
    make_directory(directory)
    scene = evidence.scenes[0]
    scale = measure((face.map for face in scene.faces), floor)
    drawn = overlay(scene.pixels, scene.faces, scene.scale, floor, shared=scale)
    target = directory / overlay_name(result, ".png")
    _save(_with_legend(drawn, scale, result), target, result)
    return [target]


def _with_legend(drawn: UInt8Image, scale: MapScale | None, result: FileResult) -> UInt8Image:
    hash_words = f" · input sha256 {result.sha256[:16]}…" if result.sha256 else ""
    return with_legend(np.ascontiguousarray(drawn), scale, f"{result.bundle}{hash_words} · a score is not proof")


def _save(pixels: UInt8Image, target: Path, result: FileResult) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("Source", visible(result.path))
    notes.add_text("Source-sha256", result.sha256 or "")
    notes.add_text("Bundle", f"{result.bundle} {result.bundle_sha256}")
    notes.add_text("Software", f"mesoscope {result.mesoscope}")
    # not straight into the file: Pillow takes no notice of a write cut short by a full disk
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG", pnginfo=notes)
    with replacing(target) as partial, explained(target):
        partial.write_bytes(encoded.getbuffer())
