"""The search for near duplicates among fingerprints: near-linear in their number, in bounded memory.

Comparing all pairs of a million pictures is out of reach. So, in each of `_PASSES` passes, the rows are sorted by
some bits of their DCT hash, drawn once and for all, and each row is compared with those that follow it as long as
their first few bits agree: a copy with few wrong bits agrees with its original in many passes, one with 48 of 256 in
few, but then there are many. (Band hashing as in "Mining of Massive Datasets", chapter 3; that only neighbours in an
order are compared is the sorted-neighbourhood method: it keeps a large bucket from costing its square.)

The bits are drawn from the 12 x 12 lowest frequencies: those a crop changes least. What a pass proposes is compared
in full: both hashes, all bits. So the search may miss a pair, but never reports one that is further apart than
stated. ``docs/log.md`` has the shares found and missed, by distance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesoscope_train.data.audit.fingerprint import FLAT, HASH_BYTES, SIDE, Fingerprints, mirrored

NEAR_DCT = 48
"""Bits of 256 by which near duplicates may differ in the DCT's hash. Of 1e8 pairs of DFDC's faces hardly one of two
different people is that near; of copies cropped by 2 % at every edge nine in ten are, of those that were only saved
anew, resized or made brighter all."""
SURE_DCT = 24
"""Up to so many bits the DCT's hash is believed alone. The gradient's is unsteady where large parts show nothing."""
NEAR_GRADIENT = 48
"""Bits of 256 by which near duplicates that differ in more may differ in the gradient's hash."""
MAX_PAIRS = 4_000_000
"""Pairs kept, so that a set of a thousand copies of everything fits into memory."""

_PASSES = 64
_LOW = 12
_KEY_BITS = 32
_OCCUPANCY = 4
"""Unlike rows that meet in one bucket, on average."""
_WINDOW = 64
"""Rows further down the order that a row is compared with, at most."""

Indices = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Apart = Callable[[Indices, Indices], Mask]
"""Says of two equally long arrays of row indices which pairs matter (those not of one group, say)."""
Words = list[np.ndarray[Any, np.dtype[np.uint64]]]


@dataclass(frozen=True, slots=True)
class NearPairs:
    """Pairs of rows that look alike.

    Attributes:
        rows: (P, 2) int64, the smaller index first, sorted, no pair twice.
        distance: (P,) int64, bits by which the DCT's hashes differ, one of them mirrored where that fits better.
        complete: False where there were more than `MAX_PAIRS`.
    """

    rows: Indices
    distance: Indices
    complete: bool


def near_pairs(
    fingerprints: Fingerprints,
    apart: Apart,
    progress: Callable[[int], None] = lambda count: None,
) -> NearPairs:
    """Pairs whose fingerprints, or the mirrored one of either, differ by little: see `alike`.

    Args:
        fingerprints: (N, `LENGTH`) uint8; `FLAT` ones are passed over.
        apart: pairs that do not matter are not kept.
        progress: called after each of `passes()` passes with 1.

    Memory: about 250 bytes a row. Time: rows times passes, and a sort of them in each.
    """
    seen = np.flatnonzero((fingerprints != np.frombuffer(FLAT, np.uint8)).any(axis=1))
    search = _Search(np.ascontiguousarray(fingerprints[seen]))
    found, complete = np.empty(0, np.int64), True
    for bits in _drawn_bits():
        codes = search.pass_over(bits, lambda a, b: apart(seen[a], seen[b])) if len(seen) > 1 else found
        found = np.unique(np.concatenate([found, codes]))
        if found.size > MAX_PAIRS:
            found, complete = found[:MAX_PAIRS], False
        progress(1)
    first, second = np.divmod(found, max(len(seen), 1))
    return NearPairs(np.stack([seen[first], seen[second]], axis=1), search.distance(first, second), complete)


def passes() -> int:
    """How often `near_pairs` calls its `progress`."""
    return _PASSES


def distances(first: Fingerprints, second: Fingerprints) -> tuple[Indices, Indices]:
    """Bits by which fingerprints differ, row by row: of the DCT's hash and of the gradient's. Two (N,) int64."""
    differing = np.bitwise_count(first ^ second).astype(np.int64)
    return differing[:, :HASH_BYTES].sum(axis=1), differing[:, HASH_BYTES:].sum(axis=1)


def alike(first: Fingerprints, second: Fingerprints) -> Mask:
    """Whether fingerprints differ, row by row, by no more than `SURE_DCT`, or `NEAR_DCT` and `NEAR_GRADIENT` bits.

    Returns:
        (N,) bool.
    """
    dct, gradient = distances(first, second)
    return np.asarray((dct <= SURE_DCT) | ((dct <= NEAR_DCT) & (gradient <= NEAR_GRADIENT)))


def _drawn_bits() -> Indices:
    """For each pass the bits of the key, most significant first. (`_PASSES`, `_KEY_BITS`) int64; always the same."""
    rng = np.random.default_rng(0)
    rows, columns = np.divmod(np.arange(1, _LOW * _LOW), _LOW)  # from 1: the mean grey level tells nothing
    low = rows * SIDE + columns
    return np.stack([rng.choice(low, _KEY_BITS, replace=False) for _ in range(_PASSES)])


class _Search:
    """The fingerprints and, after them, their mirrored ones, as columns of 64-bit words."""

    def __init__(self, fingerprints: Fingerprints) -> None:
        self._prints = fingerprints
        self._n = len(fingerprints)
        both = [fingerprints[:, :HASH_BYTES], mirrored(fingerprints)[:, :HASH_BYTES]]
        words = np.concatenate(both).reshape(2 * self._n, HASH_BYTES).view(">u8").astype(np.uint64)
        self._words: Words = [np.ascontiguousarray(words[:, index]) for index in range(words.shape[1])]
        self._prefix = max(0, math.ceil(math.log2(max(2 * self._n / _OCCUPANCY, 1))))

    def pass_over(self, bits: Indices, apart: Apart) -> Indices:
        """Pairs found in the order of these bits, as codes ``first * N + second``; may hold one twice."""
        keys = self._keys(bits)
        order = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
        words = [column[order] for column in self._words]
        prefix = keys >> np.uint64(64 - self._prefix) if self._prefix else np.zeros_like(keys)
        found = []
        rows = np.arange(len(order))
        for step in range(1, _WINDOW + 1):
            rows = rows[: np.searchsorted(rows, len(order) - step)]
            rows = rows[prefix[rows] == prefix[rows + step]]
            if rows.size == 0:
                break
            differing = sum(
                np.bitwise_count(column[rows] ^ column[rows + step]).astype(np.uint16) for column in words
            )
            near = rows[differing <= NEAR_DCT]
            found.append(self._codes(order[near], order[near + step], apart))
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def distance(self, first: Indices, second: Indices) -> Indices:
        """Bits by which the DCT's hashes of pairs differ, the second as it is or mirrored. (P,) int64."""
        mine, theirs = self._prints[first], self._prints[second]
        return np.minimum(distances(mine, theirs)[0], distances(mine, mirrored(theirs))[0])

    def _keys(self, bits: Indices) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Sorted: the bits of each row in the upper half, its index in the lower."""
        keys = np.arange(2 * self._n, dtype=np.uint64)
        for place, bit in enumerate(bits.tolist()):
            word, shift = divmod(bit, 64)
            value = (self._words[word] >> np.uint64(63 - shift)) & np.uint64(1)
            keys |= value << np.uint64(63 - place)
        keys.sort()
        return keys

    def _codes(self, first: Indices, second: Indices, apart: Apart) -> Indices:
        """Of pairs near in the DCT's hash, those that matter and are near in whole."""
        # two mirrored ones repeat what their originals say
        kept = (first < self._n) | (second < self._n)
        first, second = first[kept], second[kept]
        flipped = (first >= self._n) | (second >= self._n)
        first, second = first % self._n, second % self._n
        kept = (first != second) & apart(first, second)
        first, second, flipped = first[kept], second[kept], flipped[kept]
        theirs = self._prints[second]
        theirs[flipped] = mirrored(theirs[flipped])
        near = alike(self._prints[first], theirs)
        low, high = np.minimum(first, second)[near], np.maximum(first, second)[near]
        return np.asarray(low * self._n + high, np.int64)
