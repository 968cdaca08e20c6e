"""Videos, or the frames that people took out of them, in one folder of a published layout.

FaceForensics++ and those who follow it keep the videos of a kind in ``videos/`` and, once taken apart, the frames of
each in ``images/NAME/`` (the publisher's ``dataset/extract_compressed_videos.py``) or ``frames/NAME/``
(DeepfakeBench's ``preprocessing/preprocess.py``); Celeb-DF and DFDC put the videos straight into the folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesoscope.manifest import Value
from mesoscope_train.data.importers.contract import (
    MEDIA_SUFFIXES,
    PICTURE_SUFFIXES,
    VIDEO_SUFFIXES,
    Skips,
    files_below,
    usable,
)
from mesoscope_train.data.importers.layout import folder_names

_VIDEOS = "videos"
_FRAMES = ("images", "frames")
FOOTAGE_FOLDERS = (_VIDEOS, *_FRAMES)
"""Folders whose content `footage` reads as belonging to the folder they lie in."""
_INDEX = re.compile(r"\d+$")


@dataclass(frozen=True, slots=True)
class Footage:
    """One video of a set.

    Attributes:
        name: the video's name without its suffix.
        path: the file, or the folder of its frames, relative to the manifest's root.
        frames: whether it is a folder of frames.
    """

    name: str
    path: str
    frames: bool

    def files(self, root: Path, skips: Skips) -> Iterator[dict[str, Value]]:
        """The columns ``path`` and, of frames, ``source_video`` and ``frame`` (as numbered by who took them out)."""
        if not self.frames:
            yield {"path": self.path}
            return
        for path in files_below(root, root / self.path, skips, PICTURE_SUFFIXES):
            number = _INDEX.search(PurePosixPath(path).stem)
            yield {"path": path, "source_video": self.path, "frame": int(number.group()) if number else None}


def footage(root: Path, folder: Path, skips: Skips, apart: Collection[str] = ()) -> list[Footage]:
    """What a folder holds, in the order of the videos' names.

    A video that is there itself is not read again from its frames. Those, files in other folders (masks, landmarks),
    and pictures that belong to no video are counted.

    Args:
        root: of the manifest.
        folder: `root` or below it.
        skips: takes what is left out.
        apart: names of folders in it that the caller reads itself.
    """
    found = [Footage(PurePosixPath(path).stem, path, False) for path in _videos(root, folder, skips)]
    there = {video.name for video in found}
    for kind in _FRAMES:
        for name in folder_names(folder / kind) if (folder / kind).is_dir() else ():
            place = folder / kind / name
            if name in there:
                for path in files_below(root, place, Skips()):
                    skips.add("a frame of a video that is there itself", path)
                continue
            there.add(name)
            found.append(Footage(name, place.relative_to(root).as_posix(), True))
    for name in folder_names(folder):
        if name not in (*FOOTAGE_FOLDERS, *apart):
            for path in files_below(root, folder / name, Skips()):
                skips.add(f"the folder '{name}' holds neither videos nor their frames", path)
    return sorted(found, key=lambda video: (video.name, video.path))


def _videos(root: Path, folder: Path, skips: Skips) -> Iterator[str]:
    for name in sorted(entry.name for entry in folder.iterdir() if entry.is_file()):
        path = (folder / name).relative_to(root).as_posix()
        suffix = Path(name).suffix.lower()
        if name.startswith(".") or suffix not in MEDIA_SUFFIXES:
            continue
        if suffix not in VIDEO_SUFFIXES:
            skips.add("a picture that belongs to no video", path)
        elif usable(folder / name, path, skips):
            yield path
    if (folder / _VIDEOS).is_dir():
        yield from files_below(root, folder / _VIDEOS, skips, VIDEO_SUFFIXES)
