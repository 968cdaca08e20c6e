"""What a split came to: rows, groups and shares of each part, and where it had to miss what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mesoscope.manifest import SPLITS, Manifest
from mesoscope_train.data.splitting.fractions import Plan
from mesoscope_train.data.splitting.ground import Ground
from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.wording import many

ALL = "all"
TOLERANCE = 0.02
"""A share that misses what was asked by more than this, and by a whole row, is told."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One part of one label of one set.

    Attributes:
        part: ``train``, ``validation``, ``test``, ``fold 0`` …, or ``none``.
        label: ``real``, ``fake``, or `ALL` for both.
        dataset: the set, or `ALL`.
        rows: how many.
        groups: of how many groups.
        share: of all rows of this label and set, 0 to 1.
    """

    part: str
    label: str
    dataset: str
    rows: int
    groups: int
    share: float


def part_names(manifest: Manifest) -> tuple[Ints, list[str]]:
    """The part each row is in, as a code, and the parts' names: splits, then folds, then ``none``."""
    folds = np.full(len(manifest), -1, np.int64)
    if "fold" in manifest:
        codes, numbers = manifest.codes("fold")
        folds = np.array([*numbers, -1], np.int64)[codes]
    names = [*SPLITS, *(f"fold {number}" for number in range(int(folds.max(initial=-1)) + 1)), "none"]
    parts = np.where(folds >= 0, folds + len(SPLITS), len(names) - 1)
    if "split" in manifest:
        codes, splits = manifest.codes("split")
        parts = np.where(codes >= 0, np.array([*map(names.index, splits), -1], np.int64)[codes], parts)
    return parts, names


def cells_of(manifest: Manifest) -> tuple[Cell, ...]:
    """The table of a manifest: by set, label and part."""
    label, labels = manifest.codes("label")
    dataset, datasets = manifest.codes("dataset")
    kinds = [(name, label_) for name in datasets for label_ in labels]
    return tuple(_cells(manifest, dataset * len(labels) + label, kinds))


def totals_of(manifest: Manifest) -> tuple[Cell, ...]:
    """Each part as a whole, with ``all`` for set and label."""
    return tuple(_cells(manifest, np.zeros(len(manifest), np.int64), [(ALL, ALL)]))


def _cells(manifest: Manifest, kind: Ints, kinds: Sequence[tuple[str, str]]) -> Iterator[Cell]:
    """Cells by kind, which is a set and a label, and by part."""
    part, parts = part_names(manifest)
    group, _ = manifest.codes("group")
    groups_in_all = int(group.max()) + 1
    cell = kind * len(parts) + part
    shape = (len(kinds), len(parts))
    size = len(kinds) * len(parts)
    rows = np.bincount(cell, minlength=size).reshape(shape)
    groups = np.bincount(np.unique(cell * groups_in_all + group) // groups_in_all, minlength=size).reshape(shape)
    for k in sorted(range(len(kinds)), key=kinds.__getitem__):
        for p in np.flatnonzero(rows[k]).tolist():
            dataset, label = kinds[k]
            yield Cell(
                parts[p], label, dataset, int(rows[k, p]), int(groups[k, p]), float(rows[k, p] / rows[k].sum())
            )


def absent_classes(cells: Sequence[Cell]) -> list[str]:
    """A sentence for each part that lacks a label that other parts have."""
    present = {(cell.part, cell.label) for cell in cells}
    parts = dict.fromkeys(cell.part for cell in cells)
    labels = sorted({cell.label for cell in cells})
    return [f"{part} has no {label} row" for part in parts for label in labels if (part, label) not in present]


def misses(rows: Ints, part: Ints, plan: Plan, ground: Ground) -> list[str]:
    """A sentence for each stratum of which some part's share is off by more than `TOLERANCE` and a row.

    Args:
        rows: (M,) indices of the rows that were cut.
        part: (M,) the part each got.
        plan: names and shares that were asked.
        ground: units and strata of all rows.
    """
    stratum, names, strata = ground.strata.of_row[rows], plan.parts, ground.strata
    counts = np.bincount(stratum * len(names) + part, minlength=len(strata) * len(names)).reshape(len(strata), -1)
    sentences = []
    for index in np.flatnonzero(counts.any(axis=1)).tolist():
        total = int(counts[index].sum())
        off = counts[index] / total - np.array(plan.shares)
        worst = int(np.abs(off).argmax())
        if abs(off[worst]) <= max(TOLERANCE, 1 / total):
            continue
        held, sizes = np.unique(ground.units.of_row[rows[stratum == index]], return_counts=True)
        largest = int(held[sizes.argmax()])
        there = f"{many(total, 'row')} in {many(len(held), 'group')}"
        sentences.append(
            f"{strata.name(index)}: {names[worst]} has {counts[index, worst] / total:.1%} of the rows instead of "
            f"{plan.shares[worst]:.1%}; there are {there}, and the largest ({ground.units.name(largest)}) holds "
            f"{sizes.max() / total:.0%}"
        )
    return sentences
