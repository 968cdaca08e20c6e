"""What every face finder is, and the table they are registered in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mesoscope.registry import Registry
from mesoscope.types import FoundFace, UInt8Image


class FaceFinder(Protocol):
    """Finds faces in an upright picture. Safe to call from several threads at once."""

    name: str

    def __call__(self, pixels: UInt8Image) -> list[FoundFace]:
        """Find all faces in (H, W, 3) uint8 RGB, in a stable order (left to right); empty if there are none."""


FinderOpener = Callable[[Path | None], FaceFinder]
"""Opens a finder; the argument is the user's model file, or None for the built-in or pulled one.

Raises UsageError where the model file is missing, of another kind, or given to a finder that takes none.
"""

finders: Registry[FinderOpener] = Registry("face finder")
