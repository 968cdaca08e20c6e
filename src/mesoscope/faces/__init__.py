"""Finding faces: one file per finder, registered by name.

A finder is anything that fits `FaceFinder`. All finders frame a face alike (see `FoundFace.box`), so that a
bundle's crop margin means the same with each.

A new finder is one new file in this package: an opener decorated with ``@finders.register("name")`` that
imports what is heavy only when it is called, and the file's name in the import below. See ``docs/faces.md``.
"""

from __future__ import annotations

from pathlib import Path

from mesoscope.faces import dlib_hog, yunet  # noqa: F401 - importing a finder's file registers it
from mesoscope.faces.contract import FaceFinder, FinderOpener, finders

__all__ = [
    "DEFAULT_FINDER",
    "FINDER_NAMES",
    "NO_FINDER",
    "FaceFinder",
    "FinderOpener",
    "finders",
    "open_finder",
]

DEFAULT_FINDER = dlib_hog.NAME
NO_FINDER = "none"
"""The name for 'look for no faces': the whole picture is the face. The pipeline does that, not a finder."""
FINDER_NAMES: tuple[str, ...] = (*finders, NO_FINDER)
"""What ``--faces`` accepts."""


def open_finder(name: str, model: Path | None = None) -> FaceFinder:
    """Open a registered face finder.

    Args:
        name: one of `finders` (`NO_FINDER` is none of them: there is nothing to open).
        model: the finder's model file; None for the built-in one, or the one ``mesoscope bundle pull`` fetched.

    Raises:
        UsageError: no finder of that name; or its model file is missing, unreadable or of another kind.
    """
    return finders[name](model)
