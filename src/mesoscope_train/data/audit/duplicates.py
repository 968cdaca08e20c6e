"""Pictures that are there twice: identical pixel for pixel, or alike; and groups united over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesoscope.manifest import Manifest
from mesoscope_train.data.audit.fingerprint import FLAT, LENGTH, Fingerprints
from mesoscope_train.data.audit.near_pairs import Indices, Mask, NearPairs, near_pairs

FORMER_GROUP = "group_before_joining"
"""Extra column that keeps each row's group as it was before `join_groups`."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What is there twice.

    Attributes:
        identical: (N,) int64, for each row the number of its set of identical pictures; -1 where it is the only one
            or could not be read.
        near: pairs of pictures that look alike, of different groups and not identical.
        flat: how many pictures show nothing (one colour), and so cannot be compared by their looks.
    """

    identical: Indices
    near: NearPairs
    flat: int


def find_duplicates(
    measures: pa.Table, groups: Indices, progress: Callable[[int], None] = lambda count: None
) -> Duplicates:
    """Identical pictures anywhere, and near duplicates between different groups.

    Near duplicates inside a group are what a group is for (frames of one video), and are not looked for.

    Args:
        measures: columns ``pixels`` (16 bytes that name the pixels) and ``fingerprint``, N rows; null where a file
            could not be read.
        groups: (N,) int64.
        progress: as of `near_pairs`.
    """
    identical = _identical(measures.column("pixels"))
    prints = _fingerprints(measures.column("fingerprint"))

    def apart(first: Indices, second: Indices) -> Mask:
        same_pixels = (identical[first] == identical[second]) & (identical[first] >= 0)
        return np.asarray((groups[first] != groups[second]) & ~same_pixels)

    near = near_pairs(prints, apart, progress)
    blank = ~(prints != np.frombuffer(FLAT, np.uint8)).any(axis=1)
    readable = pc.is_valid(measures.column("fingerprint")).to_numpy(zero_copy_only=False)
    return Duplicates(identical, near, int((blank & readable).sum()))


def join_groups(manifest: Manifest, duplicates: Duplicates) -> Manifest:
    """The manifest with groups united that share a picture, or near duplicates, directly or over others.

    The united group bears the name of its first one; what each row's group was is kept in `FORMER_GROUP`. Made
    before a split, no copy can end up on the other side.
    """
    codes, names = manifest.codes("group")
    links = np.concatenate([codes[duplicates.near.rows], codes[_chains(duplicates.identical)]])
    size = len(names)
    graph = coo_array((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape=(size, size))
    count, component = connected_components(graph, directed=False)
    if count == size:
        return manifest
    first = np.full(count, size, np.int64)
    np.minimum.at(first, component, np.arange(size))
    united = [names[index] for index in first[component[codes]].tolist()]
    if FORMER_GROUP not in manifest:
        manifest = manifest.with_column(FORMER_GROUP, manifest.values("group"))
    return manifest.with_column("group", united)


def _chains(sets: Indices) -> Indices:
    """Pairs of rows that follow each other in the same set. (P, 2) int64."""
    rows = np.flatnonzero(sets >= 0)
    rows = rows[np.argsort(sets[rows], kind="stable")]
    pairs = np.stack([rows[:-1], rows[1:]], axis=1)
    return np.asarray(pairs[sets[pairs[:, 0]] == sets[pairs[:, 1]]])


def _identical(pixels: pa.ChunkedArray) -> Indices:
    """See `Duplicates.identical`."""
    indices = pixels.combine_chunks().dictionary_encode().indices
    codes = np.asarray(pc.fill_null(indices, -1).to_numpy(zero_copy_only=False), np.int64)
    often = np.bincount(codes + 1)
    often[0] = 0
    return np.where(often[codes + 1] > 1, codes, -1)


def _fingerprints(column: pa.ChunkedArray) -> Fingerprints:
    """(N, `LENGTH`) uint8; `FLAT` where there is none."""
    fixed = pc.fill_null(column, FLAT).cast(pa.binary(LENGTH)).combine_chunks()
    data = np.frombuffer(fixed.buffers()[1], np.uint8, len(fixed) * LENGTH, fixed.offset * LENGTH)
    return data.reshape(-1, LENGTH)
