"""What must be kept apart: the parts of a split, folds, a training manifest and what it is judged by.

The counting that all leaks share is here, on arrays of codes: which values stand on more than one side, where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mesoscope.manifest import SPLITS, Manifest
from mesoscope_train.data.audit.near_pairs import Indices

SHOWN = 5
"""Examples a finding has at most."""
_PARTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Sides:
    """A way in which rows are kept apart.

    Attributes:
        what: ``split``, ``fold``, or ``manifest``.
        names: of the sides.
        codes: (N,) int64, for each row the index of its side; -1 where it stands on none.
    """

    what: str
    names: tuple[str, ...]
    codes: Indices

    @property
    def across(self) -> str:
        """Where that stands which stands on several sides, in a sentence."""
        return {
            "split": "in more than one part of the split",
            "fold": "in more than one fold",
            "manifest": "in the training data and in what is judged",
        }[self.what]


def sides_of(manifest: Manifest) -> tuple[Sides, ...]:
    """The sides a manifest has by its columns: its split, its folds, both, or none."""
    found = []
    for column in ("split", "fold"):
        if column in manifest:
            codes, values = manifest.codes(column)
            order = sorted(range(len(values)), key=lambda index: _place(values[index]))
            rank = np.append(np.argsort(order), -1).astype(np.int64)
            names = tuple(str(values[index]) for index in order)
            found.append(Sides(column, names, rank[codes]))
    return tuple(found)


def _place(value: str | int) -> int:
    return SPLITS.index(value) if isinstance(value, str) else value


def scattered(values: Indices, sides: Sides) -> tuple[Indices, Indices]:
    """Values that stand on more than one side.

    Args:
        values: (N,) int64 codes of the rows' values; -1 where a row has none.
        sides: of the same rows.

    Returns:
        Two arrays of the same length: a scattered value, and a side it stands on; sorted, each pair once.
    """
    placed = np.flatnonzero((values >= 0) & (sides.codes >= 0))
    width = len(sides.names)
    pairs = np.unique(values[placed] * width + sides.codes[placed])
    value, side = np.divmod(pairs, width)
    _, inverse, often = np.unique(value, return_inverse=True, return_counts=True)
    kept = often[inverse] > 1
    return value[kept], side[kept]


def one_row_each(values: Indices, sides: Sides, wanted: Sequence[int]) -> list[list[int]]:
    """For each wanted value its first row on each side it stands on, in the order of the sides."""
    found = []
    for value in wanted:
        rows = np.flatnonzero((values == value) & (sides.codes >= 0))
        _, first = np.unique(sides.codes[rows], return_index=True)
        found.append(rows[first].tolist())
    return found


def breakdown(sides: Sides, value: Indices, side: Indices) -> str:
    """Between which sides how many values are shared: 'train and test: 12, …'. Takes what `scattered` gave."""
    ends = np.flatnonzero(np.diff(value)) + 1
    pairs: Counter[tuple[int, int]] = Counter()
    for present in np.split(side, ends):
        pairs.update(combinations(present.tolist(), 2))
    return named(sides, pairs)


def named(sides: Sides, pairs: Counter[tuple[int, int]]) -> str:
    """Counts between pairs of sides, in words, the largest first."""
    if sides.what == "manifest":
        return ""
    words = [f"{sides.names[a]} and {sides.names[b]}: {count:,}" for (a, b), count in pairs.most_common(_PARTS_SHOWN)]
    more = ["…"] if len(pairs) > _PARTS_SHOWN else []
    return f" ({', '.join(words + more)})"
