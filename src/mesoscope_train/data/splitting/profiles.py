"""Units that hold equally many rows of each stratum are interchangeable: they are counted once, as a profile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.seeded import Keys, mixed


@dataclass(frozen=True, slots=True)
class Profile:
    """Interchangeable units.

    Attributes:
        units: (M,) which, shuffled.
        strata: (K,) of which each of them has rows.
        rows: (K,) how many, at least 1.
    """

    units: Ints
    strata: Ints
    rows: Ints


def profiles_of(unit: Ints, stratum: Ints, strata: int, keys: Keys) -> Iterator[Profile]:
    """All units as profiles, large ones first.

    Sizes are compared by the power of two below them, and what is equal in that stands in the order of the keys:
    another seed then gives another order, and the small ones that even out the rest still come last.

    Args:
        unit: (N,) of each row, 0…U-1, each at least once.
        stratum: (N,) of each row.
        strata: how many there are.
        keys: (U,) seeded.
    """
    pairs, rows = np.unique(unit * strata + stratum, return_counts=True)
    unit_of_pair, stratum_of_pair = np.divmod(pairs, strata)
    start = np.searchsorted(unit_of_pair, np.arange(len(keys) + 1))
    # a sum of hashes stands for the set of (stratum, rows); a collision would cost balance, never a group
    marks = np.add.reduceat(mixed(mixed(stratum_of_pair + 1) + rows.astype(np.uint64)), start[:-1])
    size = np.floor(np.log2(np.add.reduceat(rows, start[:-1])))
    order = np.lexsort((keys, marks))
    first = np.flatnonzero(np.diff(marks[order], prepend=~marks[order[:1]]))
    last = np.append(first[1:], len(order))
    for index in np.lexsort((keys[order[first]], -size[order[first]])):
        units = order[first[index] : last[index]]
        span = slice(start[units[0]], start[units[0] + 1])
        yield Profile(units, stratum_of_pair[span], rows[span])
