"""Chance that depends on a seed and a name, never on the order of rows or the version of a library."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
"""(N,) uint64; sorting by them shuffles."""


def keys(seed: int, purpose: str, names: Iterable[str]) -> Keys:
    """A number a name, evenly spread, so that sorting by it is a shuffle anyone can repeat.

    Args:
        seed: any whole number.
        purpose: keeps two shuffles of the same names independent.
        names: N texts.

    Returns:
        (N,) uint64: the first eight bytes of BLAKE2b, keyed with seed and purpose.
    """
    key = blake2b(f"{seed}/{purpose}".encode(), digest_size=32).digest()
    hashes = b"".join(blake2b(name.encode(), digest_size=8, key=key).digest() for name in names)
    return np.frombuffer(hashes, dtype="<u8").astype(np.uint64)


def mixed(numbers: npt.NDArray[np.int64] | Keys) -> Keys:
    """Numbers spread over all of uint64, equal ones equally (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = numbers.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
