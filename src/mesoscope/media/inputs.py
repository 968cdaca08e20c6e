"""From what a person typed to single inputs: files, folders, and standard input, one after the other.

Nothing is opened here but folders and standard input; a file that is no picture shows itself when it is read.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from mesoscope.errors import MediaError
from mesoscope.media.limits import DEFAULT_LIMITS, MediaLimits
from mesoscope.media.source import Source, opened, printable, reason

# fmt: off
PICTURE_SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".avif", ".avifs", ".gif", ".tif", ".tiff",
    ".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".jp2", ".j2k", ".jpx", ".qoi", ".heic", ".heif",
    ".jxl",
))
"""Files with these names are taken out of a folder. The last three cannot be read yet and end as an error that
says so: a picture that is passed over in silence would count as harmless."""
VIDEO_SUFFIXES = frozenset((
    ".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mpe", ".m2v", ".vob", ".ts", ".mts",
    ".m2ts", ".flv", ".f4v", ".wmv", ".asf", ".ogv", ".ogg", ".3gp", ".3g2", ".mxf", ".ivf",
))
# fmt: on
MEDIA_SUFFIXES = PICTURE_SUFFIXES | VIDEO_SUFFIXES

STDIN = "-"
_BLOCK = 1 << 20
_Identity = tuple[int, int]
"""Device and inode: the same for every way to a folder."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to judge.

    Attributes:
        path: as given, or the given folder joined with the way to the file; ``-`` for standard input.
        source: the file, or the bytes from standard input; None where there is an error.
        error: a sentence, where there is nothing to read (no such path, an unreadable or empty folder).
    """

    path: str
    source: Source | None = field(repr=False)
    error: str | None = None


def find_inputs(
    paths: Sequence[str],
    *,
    limits: MediaLimits = DEFAULT_LIMITS,
    stdin: BinaryIO | None = None,
    without: Sequence[Path] = (),
) -> Iterator[Input]:
    """Walk through files, folders and standard input, lazily and in the order given.

    A folder is searched with its sub-folders, names in order, without hidden entries (``.name``), for files named
    like pictures or videos (`MEDIA_SUFFIXES`); a file that is named itself is always tried. Links are followed;
    a folder that can be reached in several ways is read once, so that circles end. At most the names of the
    folders on the way to the current file are held in memory.

    Args:
        paths: as typed; ``-`` is standard input, which holds one picture or video.
        limits: `max_bytes` also bounds what is read from standard input or a named pipe.
        stdin: instead of the process's own.
        without: folders that are passed over where they lie in one that is searched: what this very run writes
            must not become its input.

    Yields:
        An `Input` a file. What cannot be read is an input too, with its `error`, so that the others go on.
    """
    passed_over = {_identity(folder) for folder in without if folder.is_dir()}
    for path in paths:
        if path == STDIN:
            yield _drain(STDIN, sys.stdin.buffer if stdin is None else stdin, "Standard input", limits)
        else:
            yield from _named(path, limits, passed_over)


def _named(path: str, limits: MediaLimits, passed_over: set[_Identity]) -> Iterator[Input]:
    if not path:
        yield Input(path, None, "An empty path was given.")
        return
    shown = printable(path)
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        yield Input(shown, None, "There is no such file or folder.")
    except (OSError, ValueError) as error:
        yield Input(shown, None, f"The path cannot be read: {reason(error)}.")
    else:
        if stat.S_ISDIR(mode):
            yield from _walk(path, set(passed_over))
        elif stat.S_ISFIFO(mode):  # a shell's <(command)
            yield _pipe(path, limits)
        else:
            yield Input(shown, Path(path))


def _pipe(path: str, limits: MediaLimits) -> Input:
    try:
        with opened(Path(path)) as pipe:
            return _drain(printable(path), pipe, "The pipe", limits)
    except MediaError as error:
        return Input(printable(path), None, str(error))


def _drain(path: str, pipe: BinaryIO, name: str, limits: MediaLimits) -> Input:
    """Read a stream to its end, but never more than the limit."""
    content = bytearray()
    try:
        while block := pipe.read(_BLOCK):
            content += block
            if len(content) > limits.max_bytes:
                return Input(path, None, f"{name} holds more than the limit of {limits.max_bytes:,} bytes.")
    except OSError as error:
        return Input(path, None, f"{name} cannot be read: {reason(error)}.")
    return Input(path, bytes(content)) if content else Input(path, None, f"{name} is empty (0 bytes).")


def _identity(folder: str | Path) -> _Identity:
    status = os.stat(folder)  # noqa: PTH116 - a plain string keeps undecodable names
    return status.st_dev, status.st_ino


def _walk(top: str, seen: set[_Identity]) -> Iterator[Input]:
    """Depth first, without the folders in `seen`. The stack holds the names still to come on the way down."""
    stack: list[tuple[str, Iterator[str]]] = []
    found = False
    pending: str | None = top
    while True:
        if pending is not None:
            try:
                stack.append((pending, iter(_names(pending, seen))))
            except OSError as error:
                yield Input(printable(pending), None, f"The folder cannot be read: {reason(error)}.")
                found = True
            pending = None
        if not stack:
            break
        folder, names = stack[-1]
        name = next(names, None)
        if name is None:
            stack.pop()
        elif name.endswith(os.sep):
            pending = os.path.join(folder, name[: -len(os.sep)])  # noqa: PTH118 - the path stays as typed
        else:
            path = os.path.join(folder, name)  # noqa: PTH118
            yield Input(printable(path), Path(path))
            found = True
    if not found:
        yield Input(printable(top), None, "The folder holds no picture and no video.")


def _names(folder: str, seen: set[_Identity]) -> list[str]:
    """Sorted names of the media files of a folder, and of its sub-folders with a separator at the end.

    Names, not entries: a folder of a million files then takes tens of megabytes.
    """
    identity = _identity(folder)
    if identity in seen:
        return []
    seen.add(identity)
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                names.append(entry.name + os.sep)
            elif os.path.splitext(entry.name)[1].lower() in MEDIA_SUFFIXES:  # noqa: PTH122 - fast
                names.append(entry.name)
    names.sort()
    return names


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: reading it as a file will say what is wrong
        return False
