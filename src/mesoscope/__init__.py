"""Mesoscope: was this picture, face or video manipulated or generated, how sure is that, and why.

Example:
    >>> from mesoscope import Detector
    >>> Detector.load("mesoscope-face").detect("photo.jpg")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesoscope.api import Detector
    from mesoscope.types import FileResult, Outcome

__version__ = "0.1.0"
__all__ = ["Detector", "FileResult", "Outcome", "__version__"]

_HOMES = {"Detector": "mesoscope.api", "FileResult": "mesoscope.types", "Outcome": "mesoscope.types"}


def __getattr__(name: str) -> object:
    """Load the public names when they are first used, so that `import mesoscope` stays light (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mesoscope' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    found: object = getattr(import_module(_HOMES[name]), name)
    return found
