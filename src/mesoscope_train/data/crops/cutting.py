"""One source file: read, faces found, cut out and written. The worker function of `data faces`.

A crop is what `detect` looks at: the finder's box, squared and widened by `mesoscope.preprocess.square_around`, cut
by `mesoscope.preprocess.crop` (beyond the picture's edge the edge pixels are repeated). Crops of native size in PNG
give a bundle of that margin exactly the input that `detect` gives it; resized ones are resampled twice.

Resizing is Pillow's bilinear filter, which averages over the area when it shrinks and does not ring; JPEG files keep
the full resolution of their colours (4:4:4), since halved chroma is a trace like those that detectors look for.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import MediaError
from mesoscope.faces import FaceFinder
from mesoscope.media import DEFAULT_LIMITS, Frame, MediaLimits, Picture, Video, open_media
from mesoscope.preprocess import crop, square_around
from mesoscope.types import Box, FoundFace, UInt8Image
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.records import Crop, FileRecord, Reason
from mesoscope_train.data.landmarks import as_text

FOLDER = "crops"
"""Below the directory of the run; the crops of ``A/B.mp4`` lie in ``crops/A/B.mp4/``."""


@dataclass(frozen=True, slots=True)
class Task:
    """A source file that waits.

    Attributes:
        row: in the manifest, from 0.
        path: relative to the manifest's root.
    """

    row: int
    path: str


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts the faces out of one source file after another; made once a process.

    Attributes:
        root: of the manifest with the sources.
        out: directory of the run.
        options: see there.
        finder: opened; None where whole frames are kept.
        limits: on bytes and pixels of the sources.
    """

    root: Path
    out: Path
    options: CropOptions
    finder: FaceFinder | None
    limits: MediaLimits = DEFAULT_LIMITS

    def __call__(self, task: Task) -> FileRecord:
        """Write the crops of one file.

        Returns:
            What was kept and left out; a file that cannot be read is a record with an `error` and without crops.

        Raises:
            UsageError: a crop cannot be written (the disk is full).
        """
        crops: list[Crop] = []
        left_out: Counter[Reason] = Counter()
        frames = crowded = 0
        folder = self._folder(task)
        try:
            media = open_media(self.root / task.path, self.limits)
            for frame in self._frames(media):
                faces = self._find(frame.pixels)
                kept, reasons = chosen(faces, self.options)
                left_out.update(reasons)
                frames += 1
                crowded += len(kept) > 1
                still = isinstance(media, Picture)
                crops += [self._write(frame, number, face, folder, still=still) for number, face in kept]
        except MediaError as error:
            for written in crops:
                (self.out / written.path).unlink(missing_ok=True)
            return FileRecord(task.row, task.path, None, left_out={"unreadable": 1}, error=str(error))
        return FileRecord(
            task.row,
            task.path,
            "video" if isinstance(media, Video) else "picture",
            frames,
            tuple(crops),
            dict(sorted(left_out.items())),
            crowded,
            tuple(notice.code for notice in media.notices),
        )

    def _folder(self, task: Task) -> Path:
        folder = self.out / FOLDER / task.path
        if folder.is_dir():  # an earlier run was interrupted here
            for leftover in folder.glob(".mesoscope-*.partial*"):
                leftover.unlink(missing_ok=True)
        return folder

    def _frames(self, media: Picture | Video) -> Iterator[Frame]:
        if isinstance(media, Picture):
            yield Frame(0, 0.0, media.pixels)
        elif self.options.fps is not None:
            yield from media.sample(fps=self.options.fps)
        elif self.options.frames is not None:
            yield from media.sample(frames=self.options.frames)
        else:
            yield from islice(media.frames(), 1)

    def _find(self, pixels: UInt8Image) -> list[FoundFace]:
        if self.finder is not None:
            return self.finder(pixels)
        height, width = pixels.shape[:2]
        return [FoundFace(Box(0, 0, width, height))]

    def _write(self, frame: Frame, number: int, face: FoundFace, folder: Path, *, still: bool) -> Crop:
        area = face.box if self.finder is None else square_around(face.box, self.options.margin)
        cut = crop(frame.pixels, area)
        make_directory(folder)
        file = folder / f"{frame.index:06d}-{number}{self.options.suffix()}"
        size = write_picture(cut, file, self.options)
        return Crop(
            path=file.relative_to(self.out).as_posix(),
            frame=None if still else frame.index,
            time=None if still else frame.time_s,
            face=number,
            width=int(cut.shape[1]),
            height=int(cut.shape[0]),
            box=(face.box.left, face.box.top, face.box.right, face.box.bottom),
            score=face.score,
            size=size,
            landmarks=None if face.landmarks is None else as_text(face.landmarks, area),
        )


def open_cutter(root: Path, out: Path, options: CropOptions) -> Cutter:
    """Open the finder and make the `Cutter` of a process that does nothing else.

    Raises:
        UsageError: the finder cannot be opened.
    """
    # Pillow's remarks on odd metadata, as in the program itself
    warnings.filterwarnings("ignore", module="PIL")
    return Cutter(root, out, options, options.open_finder())


def chosen(faces: list[FoundFace], options: CropOptions) -> tuple[list[tuple[int, FoundFace]], list[Reason]]:
    """The faces of a frame that are kept, with their numbers, and a reason for each thing that is not.

    Whether a frame has exactly one face is asked before small faces are dropped: the small one may be the fake.
    """
    if not faces:
        return [], ["no_face"]
    if options.faces == "one" and len(faces) > 1:
        return [], ["several_faces"]
    kept = [
        (number, face)
        for number, face in enumerate(faces)
        if min(face.box.width, face.box.height) >= options.min_face
    ]
    return kept, ["too_small"] * (len(faces) - len(kept))


def write_picture(pixels: UInt8Image, file: Path, options: CropOptions) -> int:
    """Resize a crop and write it, whole or not at all; returns the file's size in bytes.

    A crop that is not square (a whole frame) is squeezed, as a bundle's preprocessing does.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        file: to be written; its name ends as `CropOptions.suffix` says.
        options: `size` and `quality` count.

    Raises:
        UsageError: it cannot be written.
    """
    image = Image.fromarray(pixels)
    side = options.size
    if side is not None and image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BILINEAR)
    with replacing(file) as unfinished, explained(file):
        if options.quality is None:
            image.save(unfinished, "PNG")
        else:
            image.save(unfinished, "JPEG", quality=options.quality, subsampling=0)
        return unfinished.stat().st_size
