"""Which rows stand for a class: drawn at random, from as many groups as there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest


def sample_rows(manifest: Manifest, wanted: npt.NDArray[np.bool_], count: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw rows; no group comes twice before each has come once.

    The same rows come for the same seed, in whatever order the manifest lists them.

    Args:
        manifest: where from.
        wanted: (N,) the rows that may be drawn.
        count: how many; all, if there are not more.
        seed: of the draw.

    Returns:
        (n,) indices of rows, in the order of the draw.
    """
    rows = np.flatnonzero(wanted)
    paths = manifest.table.column("path").take(pa.array(rows))
    by_name = rows[np.asarray(pc.sort_indices(paths), np.int64)]
    drawn = by_name[np.random.default_rng(seed).permutation(len(by_name))]
    groups = manifest.codes("group")[0][drawn]
    return drawn[np.argsort(_occurrences(groups), kind="stable")][:count]


def _occurrences(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(n,) how often each code has come before."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])[: len(ordered)]
    ranks = np.arange(len(codes)) - np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
    result = np.empty(len(codes), np.int64)
    result[order] = ranks
    return result
