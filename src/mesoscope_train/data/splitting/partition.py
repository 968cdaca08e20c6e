"""A manifest split into train, validation and test, or into folds: never through a group."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mesoscope.errors import UsageError
from mesoscope.manifest import SPLITS, Manifest
from mesoscope_train.data.splitting.allocation import allocate
from mesoscope_train.data.splitting.fractions import Folds, Fractions, Plan
from mesoscope_train.data.splitting.ground import Ground
from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.official import NONE, TEST, Standing, official_parts, pooled, refuse_leaks, stand
from mesoscope_train.data.splitting.openings import openings
from mesoscope_train.data.splitting.shares import Cell, absent_classes, cells_of, misses, totals_of
from mesoscope_train.data.splitting.wording import many


@dataclass(frozen=True, slots=True)
class Split:
    """A split manifest and what must be known of it.

    Attributes:
        manifest: the same rows in the same order, with a new ``split`` or ``fold``.
        cells: rows, groups and share of each part by label and set.
        totals: of each part.
        units: how many were placed whole: groups, or groups tied together.
        notes: what was done with rows that came with a split.
        warnings: where it could not be as asked.
    """

    manifest: Manifest
    cells: tuple[Cell, ...]
    totals: tuple[Cell, ...]
    units: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def split(
    manifest: Manifest,
    plan: Plan,
    *,
    by: Sequence[str] = ("group",),
    stratify: Sequence[str] = ("label", "dataset"),
    seed: int = 0,
    reopened: Collection[str] = (),
    allowed: Collection[str] = (),
) -> Split:
    """Split a manifest by group, stratified; the same for the same seed, whatever the order of the rows.

    Rows that came with a split keep it, and the rest of their group goes with them; what remains of a set is cut into
    those parts that its publisher did not make. With `Folds` only an official test part is kept.

    Args:
        manifest: any; folds it had are dropped.
        plan: fractions or folds.
        by: columns of which no value is split; see `units_of`.
        stratify: columns whose combinations are spread alike over the parts.
        seed: of the shuffle.
        reopened: official splits that are cut anew.
        allowed: kinds of leaks of an official split that are kept as published (``group``, ``identity``).

    Raises:
        UsageError: unknown or unfit columns, or groups too few or too large to fill every part.
        LeakError: a group stands in several official splits, and that is not allowed.
    """
    unknown = sorted(set(allowed) - {"group", "identity", *by})
    if unknown:
        raise UsageError(
            f"--allow-leak {unknown[0]}: an official split leaks by group, by identity or by a column of --by"
        )
    ground = Ground.of(manifest, by, stratify, seed)
    official = official_parts(manifest, reopened)
    standing = stand(pooled(official) if isinstance(plan, Folds) else official, ground.units, by)
    refuse_leaks(standing.leaks, allowed)
    if isinstance(plan, Folds):
        made, notes, warnings = _into_folds(manifest, plan, standing, ground)
    else:
        made, notes, warnings = _into_parts(manifest, plan, official, standing, ground)
    if standing.joined:
        notes.append(
            f"{many(standing.joined, 'row')} without a split went where the rest of the group officially stands"
        )
    leaks = [f"kept as published: {leak.message}" for leak in standing.leaks]
    cells = cells_of(made)
    return Split(
        manifest=made,
        cells=cells,
        totals=totals_of(made),
        units=len(ground.units),
        notes=tuple(notes),
        warnings=(*leaks, *warnings, *absent_classes(cells)),
    )


_Made = tuple[Manifest, list[str], list[str]]


def _into_folds(manifest: Manifest, plan: Folds, standing: Standing, ground: Ground) -> _Made:
    """The manifest with ``fold`` and, where there is an official test part, ``split``; notes; warnings."""
    rows = np.flatnonzero(standing.part != TEST)
    if not len(rows):
        raise UsageError("every row is in an official test part, so that none is left for folds; --ignore-official")
    parts, warnings = _place(rows, plan, ground)
    _refuse_empty(plan, np.bincount(parts, minlength=plan.count), ground)
    folds: list[int | None] = [None] * len(manifest)
    for row, part in zip(rows.tolist(), parts.tolist(), strict=True):
        folds[row] = part
    held = np.where(standing.part == TEST, TEST, NONE)
    apart = len(manifest) - len(rows)
    notes = [f"{many(apart, 'row')} of an official test part stand in no fold"] if apart else []
    return _with_splits(manifest, held).with_column("fold", folds), notes, warnings


def _into_parts(manifest: Manifest, plan: Fractions, official: Ints, standing: Standing, ground: Ground) -> _Made:
    """The manifest with ``split``; notes; warnings."""
    part = standing.part.copy()
    found, notes, warnings = openings(manifest, plan, official, standing.part, ground.units)
    for opening in found:
        parts, missed = _place(opening.rows, opening.plan, ground)
        part[opening.rows] = np.array([SPLITS.index(name) for name in opening.plan.parts], np.int64)[parts]
        warnings += missed
    if found:
        counts = np.bincount(part, minlength=len(SPLITS))
        _refuse_empty(plan, counts[[SPLITS.index(name) for name in plan.parts]], ground)
    else:
        warnings.append("nothing was cut: every row came with a split; --ignore-official or --reopen cuts anew")
    bare = manifest.with_column("fold", [None] * len(manifest)) if "fold" in manifest else manifest
    return _with_splits(bare, part), notes, warnings


def _place(rows: Ints, plan: Plan, ground: Ground) -> tuple[Ints, list[str]]:
    """The part of each of these rows, and where the shares were missed."""
    present, unit = np.unique(ground.units.of_row[rows], return_inverse=True)
    strata = ground.strata
    parts = allocate(unit, strata.of_row[rows], strata.sums, plan.shares, ground.keys[present])[unit]
    return parts, misses(rows, parts, plan, ground)


def _refuse_empty(plan: Plan, counts: Ints, ground: Ground) -> None:

    empty = [name for name, count in zip(plan.parts, counts, strict=True) if not count]
    if empty:
        raise UsageError(
            f"{', '.join(empty)} would be empty: {many(len(ground.units), 'group')} are too few, or too unlike in "
            f"size, for {len(plan.parts)} such parts; ask for fewer parts, or for more even ones"
        )


def _with_splits(manifest: Manifest, part: Ints) -> Manifest:
    return manifest.with_column("split", np.array([*SPLITS, None], object)[part].tolist())
