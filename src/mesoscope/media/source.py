"""Where bytes come from: a file on disk, or bytes that were read from a pipe."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mesoscope.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

Source = Path | bytes
"""A file, or the whole content of one."""


def reason(error: OSError | ValueError) -> str:
    """Why the system refused, in its own words ("permission denied"), without path and number."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]


def size_of(source: Source) -> int:
    """Size in bytes.

    Raises:
        MediaError: there is no such file, it may not be looked at, it is not a regular file, or it is empty.
    """
    if isinstance(source, bytes):
        size = len(source)
    else:
        try:
            status = source.stat()
        except FileNotFoundError as error:
            raise MediaError("The file does not exist.") from error
        except (OSError, ValueError) as error:
            raise MediaError(f"The file cannot be read: {reason(error)}.") from error
        if stat.S_ISDIR(status.st_mode):
            raise MediaError("This is a folder, not a file.")
        if not stat.S_ISREG(status.st_mode):
            raise MediaError("This is a device, a pipe or a socket, not a file.")
        size = status.st_size
    if size == 0:
        raise MediaError("The file is empty (0 bytes).")
    return size


@contextmanager
def opened(source: Source) -> Iterator[io.BufferedReader | io.BytesIO]:
    """The source as a seekable binary file.

    Raises:
        MediaError: it cannot be opened. Errors while reading are the caller's.
    """
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        file = source.open("rb")
    except (OSError, ValueError) as error:
        raise MediaError(f"The file cannot be read: {reason(error)}.") from error
    with file:
        yield file


def head_of(source: Source, count: int = 64) -> bytes:
    """The first `count` bytes.

    Raises:
        MediaError: as `size_of`, or the file cannot be read.
    """
    size_of(source)
    with opened(source) as file:
        try:
            return file.read(count)
        except OSError as error:
            raise MediaError(f"The file cannot be read: {reason(error)}.") from error


def sha256(source: Source) -> str:
    """The sha256 of the bytes as 64 lowercase hex digits, read in blocks.

    Raises:
        MediaError: the file cannot be read. An empty file has a hash like any other.
    """
    if isinstance(source, Path):
        # A pipe or a device would keep us for ever.
        try:
            regular = stat.S_ISREG(source.stat().st_mode)
        except (OSError, ValueError) as error:
            raise MediaError(f"The file cannot be read: {reason(error)}.") from error
        if not regular:
            raise MediaError("This is not a file.")
    with opened(source) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise MediaError(f"The file cannot be read: {reason(error)}.") from error


def printable(path: str) -> str:
    r"""A path fit for JSON and terminals: bytes that are no UTF-8 are written as ``\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
