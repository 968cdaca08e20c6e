"""What of the videos and pictures is cut out, and how: the settings of `data faces`, checked once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope.faces import DEFAULT_FINDER, FINDER_NAMES, NO_FINDER, FaceFinder, open_finder
from mesoscope.media import sha256

WHICH_FACES = ("one", "all")
"""``one``: frames with exactly one face, others are left out; ``all``: every face of every frame."""
LARGEST_SIZE = 2048
Setting = str | int | float | None


@dataclass(frozen=True, slots=True)
class CropOptions:
    """How faces become files.

    Attributes:
        finder: a name of `mesoscope.faces.FINDER_NAMES`; ``none`` keeps whole frames and looks for no faces.
        face_model: the finder's model file, where it needs one that was not pulled.
        frames: this many frames of a video, evenly over its length; None for the first alone.
        fps: this many frames a second instead.
        faces: see `WHICH_FACES`.
        margin: how much wider than the finder's box the square crop is, as in a bundle's preprocessing.
        size: side in pixels the crops are resized to, None to leave them as they were cut.
        quality: of the JPEG files (4:4:4), None for PNG.
        min_face: faces whose box is narrower or lower than this many pixels are left out.

    Raises:
        UsageError: a value is outside its range, an unknown name, or both `frames` and `fps` are given.
    """

    finder: str = DEFAULT_FINDER
    face_model: Path | None = None
    frames: int | None = None
    fps: float | None = None
    faces: str = "one"
    margin: float = 0.3
    size: int | None = 224
    quality: int | None = 95
    min_face: int = 1

    def __post_init__(self) -> None:
        if self.finder not in FINDER_NAMES:
            raise UsageError(f"unknown face finder '{self.finder}'; known: {', '.join(FINDER_NAMES)}")
        if self.frames is not None and self.fps is not None:
            raise UsageError("say either how many frames of a video to take, or how many for each second")
        if self.faces not in WHICH_FACES:
            raise UsageError(f"--faces must be one of {', '.join(WHICH_FACES)}, not '{self.faces}'")
        _within("--frames", self.frames, 1, None)
        if self.fps is not None and not 0 < self.fps < float("inf"):
            raise UsageError(f"--fps must be more than 0, not {self.fps:g}")
        _within("--margin", self.margin, 0, 4)
        _within("--size", self.size, 16, LARGEST_SIZE)
        _within("--quality", self.quality, 1, 100)
        _within("--min-face", self.min_face, 1, None)

    def open_finder(self) -> FaceFinder | None:
        """The face finder; None where whole frames are kept.

        Raises:
            UsageError: its model file is missing or of another kind.
        """
        if self.finder == NO_FINDER:
            if self.face_model is not None:
                raise UsageError("without a face finder there is nothing that --face-model could be for")
            return None
        return open_finder(self.finder, self.face_model)

    def suffix(self) -> str:
        """Of the files with the crops."""
        return ".png" if self.quality is None else ".jpg"

    def settings(self) -> dict[str, Setting]:
        """All that the crops depend on besides the manifest, by the names a user knows; fit for JSON.

        A model file is named by its content. Runs with other settings are never mixed in one directory.
        """
        everything = self.finder == NO_FINDER
        frames = f"{self.fps:g} a second" if self.fps is not None else self.frames or "first"
        return {
            "--finder": self.finder,
            "--face-model": _fingerprint(self.face_model),
            "--frames": frames,
            "--faces": self.faces,
            "--margin": None if everything else float(self.margin),
            "--size": self.size or "native",
            "--quality": self.quality or "png",
            "--min-face": self.min_face,
        }


def _within(name: str, value: float | None, low: float, high: float | None) -> None:
    # written so that not-a-number is outside every range
    if value is not None and not (value >= low and (high is None or value <= high)):
        bounds = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
        raise UsageError(f"{name} must be {bounds}, not {value:g}")


def _fingerprint(file: Path | None) -> str | None:
    if file is None or not file.is_file():  # a file that is missing is told of when it is opened
        return None
    return f"sha256:{sha256(file)}"


def digest_of(settings: dict[str, Setting]) -> str:
    """Sha256 (64 hex digits) of settings, whatever their order."""
    return hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()
