"""How well trivial measurements alone tell the label: what a detector could learn instead of the forgery.

A family above the bound is a warning, not a verdict. Size, format and JPEG settings say nothing about a forgery;
sharpness, colour and spectrum may be the source's, or the forgery's own trace. Which of them it is, the numbers
cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest
from mesoscope_train.data.audit.auc import Estimate, Labelled, estimate_auc
from mesoscope_train.data.audit.classifying import assign_folds, held_out_scores
from mesoscope_train.data.audit.evidence import Family, Mask
from mesoscope_train.data.audit.families import FAMILIES, families
from mesoscope_train.data.audit.findings import Finding, Shortcut

DEFAULT_BOUND = 0.7
"""AUC from which a shortcut is a warning.

About the least that can be told from 0.5 in a set of 130 pictures, the smallest that are published; and enough to
carry much of the AUC of 0.8 that detectors reach on pictures from elsewhere.
"""
LEVEL = 0.95
MAX_ROWS = 20_000
MIN_GROUPS = 10

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """What was found.

    Attributes:
        found: strongest first.
        notes: why a family has no number, or rests on a part of the rows.
    """

    found: tuple[Shortcut, ...]
    notes: tuple[Finding, ...]


def find_shortcuts(
    manifest: Manifest,
    measures: pa.Table,
    *,
    bound: float = DEFAULT_BOUND,
    seed: int = 0,
    max_rows: int = MAX_ROWS,
    progress: Callable[[int], None] = lambda count: None,
) -> Shortcuts:
    """Score every family of measurements by cross-validation, no group on both sides.

    Args:
        manifest: labels, groups and, where it has them, original sizes.
        measures: `measures.SCHEMA`, in the manifest's order; rows with an error are left out.
        bound: AUC from which a shortcut is a warning, if its interval lies above 0.5.
        seed: of the folds, of the bootstrap, and of the rows that are drawn.
        max_rows: of more rows so many are drawn, see `draw_rows`.
        progress: called with 1 after each family of `FAMILIES`.

    Returns:
        A shortcut for each family that can be measured. The intervals hold for all of them together: each has the
        level 1 - 0.05 / (number of families that vary), after Bonferroni.
    """
    readable = np.flatnonzero(pc.is_null(measures.column("error")).to_numpy())
    fake = pc.equal(manifest.table.column("label"), "fake").to_numpy()[readable]
    group = manifest.codes("group")[0][readable]
    if not enough_groups(fake, group):
        return Shortcuts((), (_not_tried("shortcuts were not looked for", fake, group),))
    drawn = draw_rows(fake, group, max_rows, seed=seed)
    notes = [] if drawn.size == readable.size else [_part_only(drawn.size, readable.size)]
    rows = readable[drawn]
    sample = Labelled(fake[drawn], group[drawn], assign_folds(fake[drawn], group[drawn], seed=seed))
    candidates: list[tuple[Family, Labelled]] = []
    for family in families(manifest.take(rows), measures.take(pa.array(rows))):
        there = np.flatnonzero(family.present())
        fake, group = sample.fake[there], sample.group[there]
        if there.size == rows.size:
            candidates.append((family, sample))
        elif enough_groups(fake, group):
            part = Labelled(fake, group, assign_folds(fake, group, seed=seed))
            candidates.append((family.take(there), part))
        elif there.size:
            notes.append(_not_tried(f"{family.name} was not tried as a shortcut", fake, group))
    progress(len(FAMILIES) - len(candidates))
    found = sorted(_score_all(candidates, bound, seed, progress), key=lambda shortcut: -shortcut.auc)
    return Shortcuts(tuple(found), tuple(notes))


def enough_groups(fake: Mask, group: Ints) -> bool:
    """Whether each class has `MIN_GROUPS` groups at least: with fewer no interval means anything."""
    return all(np.unique(group[rows]).size >= MIN_GROUPS for rows in (fake, ~fake))


def draw_rows(fake: Mask, group: Ints, limit: int, *, seed: int) -> Ints:
    """Indices of at most `limit` rows, ascending.

    Half of each class, more of one where the other has less; from each class one row of every group, then a second
    of every group, and so on, in an order by chance.

    Args:
        fake: (N,) bool.
        group: (N,).
        limit: at least 2.
        seed: of the chance.
    """
    if fake.size <= limit:
        return np.arange(fake.size)
    fakes, reals = int(fake.sum()), int((~fake).sum())
    wanted_fakes = min(fakes, max(limit // 2, limit - reals))
    random = np.random.default_rng(seed)
    taken = []
    for rows, wanted in ((np.flatnonzero(fake), wanted_fakes), (np.flatnonzero(~fake), limit - wanted_fakes)):
        shuffled = random.permutation(rows)
        by_group = shuffled[np.argsort(group[shuffled], kind="stable")]
        _, starts, counts = np.unique(group[by_group], return_index=True, return_counts=True)
        turn = np.arange(by_group.size) - np.repeat(starts, counts)
        place = np.repeat(random.permutation(starts.size), counts)
        taken.append(by_group[np.lexsort((place, turn))[:wanted]])
    return np.sort(np.concatenate(taken))


def _score_all(
    candidates: Sequence[tuple[Family, Labelled]], bound: float, seed: int, progress: Callable[[int], None]
) -> Iterator[Shortcut]:
    columns = [family.columns() for family, _ in candidates]
    level = 1 - (1 - LEVEL) / max(1, sum(each.shape[1] > 0 for each in columns))
    for (family, rows), each in zip(candidates, columns, strict=True):
        if each.shape[1] == 0:
            estimate, explanation = Estimate(0.5, 0.5, 0.5), family.alike()
        else:
            scores = held_out_scores(each, rows.fake, rows.fold)
            estimate, explanation = estimate_auc(scores, rows, level=level, seed=seed), family.explain(rows.fake)
        yield Shortcut(
            family=family.name,
            auc=estimate.auc,
            low=estimate.low,
            high=estimate.high,
            rows=rows.fake.size,
            groups=np.unique(rows.group).size,
            above_bound=estimate.auc >= bound and estimate.low > 0.5,
            explanation=explanation,
        )
        progress(1)


def _not_tried(what: str, fake: Mask, group: Ints) -> Finding:
    fakes, reals = (int(np.unique(group[rows]).size) for rows in (fake, ~fake))
    message = f"{what}: {fakes:,} groups hold fakes and {reals:,} reals; each class needs {MIN_GROUPS} at least"
    return Finding("shortcut", "note", message, int(fake.size))


def _part_only(drawn: int, rows: int) -> Finding:
    message = f"shortcuts were looked for in {drawn:,} of {rows:,} rows, drawn from as many groups as possible"
    return Finding("shortcut", "note", message, drawn)
