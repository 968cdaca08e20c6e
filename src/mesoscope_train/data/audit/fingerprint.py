"""What a picture looks like in 64 bytes, so that copies are found whatever they were saved as.

Two perceptual hashes of the ``imagehash`` library (J. Buchner, BSD-2-Clause), 256 bits each:

* `imagehash.phash`: which of the 16 x 16 lowest DCT coefficients of a 64 px grey copy are above their median. It
  is what the search for near duplicates goes by.
* `imagehash.dhash_vertical`: whether the grey level falls or rises from each of 17 rows to the next. It confirms.

A copy that was re-encoded, resized, blurred, turned grey or made brighter differs in few bits; so does a crop of 2 %
at every edge, while one of 5 % looks like another picture (docs/log.md has the distances). A mirrored copy has a
fingerprint that `mirrored` computes from the original's, without the picture.
"""

from __future__ import annotations

from typing import Any

import imagehash
import numpy as np
from PIL import Image

from mesoscope.types import UInt8Image

SIDE = 16
"""Each hash is a square of this many bits a side."""
HASH_BYTES = SIDE * SIDE // 8
LENGTH = 2 * HASH_BYTES
"""Bytes of a fingerprint: the DCT's hash, then the gradient's."""
FLAT = bytes(LENGTH)
"""The fingerprint of a picture without content (all black, all white): it resembles nothing, not even its like."""

_FLAT_DEVIATION = 1.0
"""Grey levels. Below, the bits are rounding noise; the darkest face of DFDC that shows anything has 3."""
_WORKING_SIDE = 256
"""Larger pictures are first reduced by a whole factor to about this: four times what the finer hash looks at."""

_ODD_COLUMNS = np.uint8(0b01010101)
_BITS_REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1)[:, 0]

Fingerprints = np.ndarray[Any, np.dtype[np.uint8]]
"""(N, `LENGTH`) uint8: one fingerprint a row."""


def fingerprint(pixels: UInt8Image) -> bytes:
    """The fingerprint of a picture.

    Args:
        pixels: (H, W, 3) uint8 RGB, upright, of any size.

    Returns:
        `LENGTH` bytes, bits packed with the first in the highest place; `FLAT` where there is nothing to see.
    """
    grey = Image.fromarray(pixels).convert("L")
    factor = min(grey.size) // _WORKING_SIDE
    if factor > 1:
        grey = grey.reduce(factor)
    if float(np.asarray(grey).std()) < _FLAT_DEVIATION:
        return FLAT
    bits = np.stack([imagehash.phash(grey, SIDE).hash, imagehash.dhash_vertical(grey, SIDE).hash])
    return np.packbits(bits).tobytes()


def mirrored(fingerprints: Fingerprints) -> Fingerprints:
    """The fingerprints of the same pictures mirrored left to right (of the DCT's hash, up to a few bits).

    Mirroring negates the DCT coefficients of odd horizontal frequency and reverses the columns of the gradient.

    Args:
        fingerprints: (N, `LENGTH`) uint8.

    Returns:
        (N, `LENGTH`) uint8. `FLAT` ones are to be left out before.
    """
    flipped = np.empty_like(fingerprints)
    flipped[:, :HASH_BYTES] = fingerprints[:, :HASH_BYTES] ^ _ODD_COLUMNS
    rows = fingerprints[:, HASH_BYTES:].reshape(-1, SIDE, SIDE // 8)
    flipped[:, HASH_BYTES:] = _BITS_REVERSED[rows[:, :, ::-1]].reshape(-1, HASH_BYTES)
    return flipped
