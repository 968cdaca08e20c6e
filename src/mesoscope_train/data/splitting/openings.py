"""Which rows are cut into which parts, where some sets came with some parts already made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mesoscope.manifest import SPLITS, Manifest
from mesoscope_train.data.splitting.fractions import Fractions
from mesoscope_train.data.splitting.groups import Ints, Units
from mesoscope_train.data.splitting.official import NONE

Bools = npt.NDArray[np.bool_]
_ALL = (1 << len(SPLITS)) - 1


@dataclass(frozen=True, slots=True)
class Opening:
    """Rows that are cut together.

    Attributes:
        rows: (M,) indices.
        plan: the parts they are cut into.
    """

    rows: Ints
    plan: Fractions


def openings(
    manifest: Manifest, plan: Fractions, official: Ints, part: Ints, units: Units
) -> tuple[list[Opening], list[str], list[str]]:
    """Rows without a part, gathered by the parts that are open to them; notes; warnings.

    A part that a set's publisher made takes no further rows of that set: the others share the rest in the proportion
    that was asked. A unit of several sets goes where all of them are open, or, if nowhere, where any is.

    Args:
        manifest: any.
        plan: what was asked.
        official: (N,) as published.
        part: (N,) with what joined an official part; `NONE` for what is to be cut.
        units: of the manifest.
    """
    dataset, names = manifest.codes("dataset")
    given = np.zeros((len(names), len(SPLITS)), bool)
    given[dataset[official != NONE], official[official != NONE]] = True
    asked: Bools = np.isin(SPLITS, plan.parts)
    free = np.flatnonzero(part == NONE)
    waits = np.bincount(dataset[free], minlength=len(names)) > 0
    full = np.all(given | ~asked, axis=1)
    open_: Bools = np.where(full[:, None], asked, ~given & asked)
    notes, warnings = [], []
    for index in sorted(np.flatnonzero(given.any(axis=1) & waits), key=names.__getitem__):
        made = ", ".join(name for name, there in zip(SPLITS, given[index], strict=True) if there)
        rest = plan.among([name for name, there in zip(SPLITS, open_[index], strict=True) if there])
        if full[index]:
            count = int((dataset[free] == index).sum())
            warnings.append(
                f"{names[index]} came with {made}, but {count:,} of its rows are in none; they were cut into {rest}, "
                "so that these parts are larger than published"
            )
        else:
            notes.append(f"{names[index]} came with {made}; the rest of it was cut into {rest}")
    return (
        [Opening(rows, plan.among(parts)) for rows, parts in _gathered(free, dataset, open_, units)],
        notes,
        warnings,
    )


def _gathered(free: Ints, dataset: Ints, open_: Bools, units: Units) -> list[tuple[Ints, list[str]]]:
    """Free rows by the parts that are open to their unit."""
    masks = (open_ * (1 << np.arange(len(SPLITS)))).sum(axis=1)[dataset[free]]
    unit = units.of_row[free]
    every, some = np.full(len(units), _ALL), np.zeros(len(units), np.int64)
    np.bitwise_and.at(every, unit, masks)
    np.bitwise_or.at(some, unit, masks)
    mask = np.where(every > 0, every, some)[unit]
    return [
        (free[mask == value], [name for place, name in enumerate(SPLITS) if value >> place & 1])
        for value in np.unique(mask).tolist()
    ]
