"""The classes whose shares every part should keep: label by dataset, or any columns with few values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope_train.data.splitting.groups import Ints

MOST = 1000
"""More strata than this mean a column that tells rows apart instead of gathering them."""


@dataclass(frozen=True, slots=True)
class Strata:
    """Which stratum a row belongs to.

    Attributes:
        of_row: (N,) 0…S-1, numbered by name and thereby independent of the order of rows.
        columns: they are made of.
        values: of each stratum, one text a column; ``–`` where the value is empty.
        sums: (S, C) 0 or 1: which sums over several strata a row of stratum s counts in: that of each value of each
            column, and that of all rows.
    """

    of_row: Ints
    columns: tuple[str, ...]
    values: list[tuple[str, ...]]
    sums: Ints

    def __len__(self) -> int:
        return len(self.values)

    def name(self, stratum: int) -> str:
        """For messages: ``fake of dfdc-faces``."""
        return " of ".join(self.values[stratum]) if self.columns else "all rows"


def strata_of(manifest: Manifest, columns: Sequence[str] = ("label", "dataset")) -> Strata:
    """The strata of a manifest.

    Args:
        manifest: any.
        columns: whose combinations are strata; none for a single one.

    Raises:
        UsageError: a column holds fractional numbers, or there are more than `MOST` strata.
        ManifestError: there is no such column.
    """
    joint = np.zeros(len(manifest), np.int64)
    words: list[list[str]] = []
    for column in columns:
        codes, names = _ranked(manifest, column)
        words.append(names)
        joint = joint * len(names) + codes
    present, of_row = np.unique(joint, return_inverse=True)
    if len(present) > MOST:
        raise UsageError(
            f"{', '.join(columns)} make {len(present):,} different combinations; name columns with few values"
        )
    parts = (
        np.stack(np.unravel_index(present, [len(names) for names in words]), 1) if words else np.zeros((1, 0), int)
    )
    values = [tuple(words[place][code] for place, code in enumerate(row)) for row in parts]
    sums = [np.ones((len(present), 1), np.int64)]
    sums += [(parts[:, [place]] == np.arange(len(names))).astype(np.int64) for place, names in enumerate(words)]
    different = np.unique(np.concatenate(sums, 1), axis=1)
    return Strata(of_row.astype(np.int64), tuple(columns), values, different[:, different.sum(axis=0) > 1])


def _ranked(manifest: Manifest, column: str) -> tuple[Ints, list[str]]:
    """Codes in the order of the values' names instead of their appearance; the names."""
    codes, found = manifest.codes(column)
    if pa.types.is_floating(manifest.table.schema.field(column).type):
        raise UsageError(f"the column '{column}' holds measured numbers, not classes")
    if len(found) > MOST:
        raise UsageError(f"the column '{column}' has {len(found):,} different values; name columns with few")
    names = ["–" if value is None else str(value) for value in [*found, None]]
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    return rank[codes], [names[index] for index in order]
