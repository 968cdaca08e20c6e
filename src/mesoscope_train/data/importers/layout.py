"""Finding a published layout where people unpacked it: in one folder more, or below folders of a split."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope_train.data.importers.contract import MEDIA_SUFFIXES, Skips, files_below

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""How people name the parts of a set."""


@dataclass(frozen=True, slots=True)
class Section:
    """A folder that holds one part of a set.

    Attributes:
        split: the official one, None where the publisher made none.
        folder: where it lies.
    """

    split: str | None
    folder: Path


def folder_names(folder: Path) -> list[str]:
    """Names of the folders in a folder, in order, hidden ones left out."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def sections(root: Path, splits: Mapping[str, str], is_part: Callable[[Path], bool]) -> list[Section]:
    """The root itself where it is a part, else its folders that are named after a split and are parts.

    Args:
        root: to look in.
        splits: a folder's name in small letters to the split it stands for.
        is_part: whether a folder holds labelled pictures.
    """
    if is_part(root):
        return [Section(None, root)]
    named = [(splits.get(name.lower()), root / name) for name in folder_names(root)]
    return [Section(split, folder) for split, folder in named if split is not None and is_part(folder)]


def found_below(root: Path, inner: Sequence[str], is_layout: Callable[[Path], bool]) -> Path | None:
    """The first of the root and the folders named that is of the layout, None where none is."""
    candidates = [root, *(root / name for name in inner)]
    return next((folder for folder in candidates if folder.is_dir() and is_layout(folder)), None)


def not_of_the_layout(root: Path, wanted: str) -> UsageError:
    """The error for a directory of another layout.

    Args:
        root: what was given.
        wanted: what was looked for.
    """
    found = ", ".join(sorted(entry.name for entry in root.iterdir())[:8]) or "nothing"
    return UsageError(f"{root} is not of this layout: looked for {wanted}; it holds {found}")


def count_others(root: Path, folder: Path, taken: Collection[str], reason: str, skips: Skips) -> None:
    """Count the media files of a folder that lie in none of the folders taken, so that none is passed over unsaid.

    Args:
        root: of the manifest.
        folder: `root` or a folder below it.
        taken: names of the folders in it that are read.
        reason: why the other folders are not read, with ``{0}`` for their name.
        skips: takes the files.
    """
    for name in folder_names(folder):
        if name not in taken:
            for path in files_below(root, folder / name, Skips()):
                skips.add(reason.format(name), path)
    for name in sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in MEDIA_SUFFIXES):
        if (folder / name).is_file() and not name.startswith("."):
            skips.add("the file lies outside the folders of the layout", (folder / name).relative_to(root).as_posix())
