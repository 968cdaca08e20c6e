"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesoscope.errors import UsageError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new, empty file beside `target` that takes its place when the block ends well, and vanishes when it does not.

    Raises:
        UsageError: the directory is missing or cannot be written, `target` is a directory, the disk is full.
    """
    if target.is_dir():
        raise UsageError(f"cannot write {target}: it is a directory; give the name of a file")
    # kept short whatever the target's name, and with its suffix, from which encoders tell the format
    partial = target.with_name(f".mesoscope-{secrets.token_hex(6)}.partial{target.suffix}")
    with explained(target):
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield partial
        with explained(target):
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Turn an OSError of the block into a UsageError that names what could not be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise UsageError(
            f"cannot write {target}: {reason}; choose an existing directory that you may write to, with room left"
        ) from error


def make_directory(directory: Path) -> None:
    """Make a directory with its parents, if it is not there.

    Raises:
        UsageError: it cannot be made, or is a file.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"cannot write into {directory}: it is a file, not a directory")
    with explained(directory):
        directory.mkdir(parents=True, exist_ok=True)
