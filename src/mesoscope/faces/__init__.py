"""Finding faces: one file per finder, registered by name.

A finder is anything that fits `FaceFinder`. All finders frame a face alike (see `FoundFace.box`), so that a
bundle's crop margin means the same with each.
"""

from __future__ import annotations

from typing import Protocol

from mesoscope.types import FoundFace, UInt8Image


class FaceFinder(Protocol):
    """Finds faces in an upright picture."""

    name: str

    def __call__(self, pixels: UInt8Image) -> list[FoundFace]:
        """Find all faces in (H, W, 3) uint8 RGB, in a stable order (left to right); empty if there are none."""
