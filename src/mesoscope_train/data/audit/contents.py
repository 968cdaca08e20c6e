"""What an audit finds in the files wherever they stand: copies, contradicting labels, damage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest
from mesoscope.report.words import plural
from mesoscope_train.data.audit.duplicates import FORMER_GROUP, Duplicates
from mesoscope_train.data.audit.findings import Finding
from mesoscope_train.data.audit.leaks import alike_examples
from mesoscope_train.data.audit.near_pairs import MAX_PAIRS, Indices, Mask
from mesoscope_train.data.audit.sides import SHOWN, Sides

_REASONS_SHOWN = 3
JOIN = "give them one group before splitting: 'mesoscope data audit M --join-duplicates OUT'"


def contents(
    manifest: Manifest, measures: pa.Table, duplicates: Duplicates, sides: Sequence[Sides]
) -> Iterator[Finding]:
    """Label conflicts, unreadable and missing files, copies that cross no side, pictures that show nothing.

    Args:
        manifest: N rows.
        measures: columns ``error`` (null where the file could be read) and ``size_bytes`` (null where it is missing).
        duplicates: of these rows.
        sides: all ways in which the rows are kept apart; empty where there is no split yet.
    """
    found = [_conflicts(manifest, duplicates), *_unreadable(manifest, measures)]
    found += [_identical_inside(manifest, duplicates, sides), _near_inside(manifest, duplicates, sides)]
    if duplicates.flat:
        message = f"{plural(duplicates.flat, 'picture shows', 'pictures show')} nothing: one colour all over"
        found.append(Finding("flat", "note", message, duplicates.flat))
    yield from (finding for finding in found if finding)


def _conflicts(manifest: Manifest, duplicates: Duplicates) -> Finding | None:
    """Sets of identical pictures called real in one group and fake in another."""
    groups, _ = manifest.codes(FORMER_GROUP if FORMER_GROUP in manifest else "group")
    labels, _ = manifest.codes("label")
    wanted = _several(duplicates.identical, labels) & _several(duplicates.identical, groups)
    if not wanted.any():
        return None
    sets = np.unique(duplicates.identical[wanted])
    one, many = "picture is called real in one place and fake", "pictures are called real in one place and fake"
    message = (
        f"{plural(sets.size, one, many)} in another, in different groups, though pixel for pixel the same: "
        "one of the labels is wrong"
    )
    return Finding("label-conflict", "warning", message, int(sets.size), _sets(manifest, duplicates.identical, sets))


def _unreadable(manifest: Manifest, measures: pa.Table) -> Iterator[Finding]:
    bad = pc.is_valid(measures.column("error")).to_numpy()
    missing = bad & pc.is_null(measures.column("size_bytes")).to_numpy()
    for kind, rows, one, many in (
        ("missing", np.flatnonzero(missing), "file is missing", "files are missing"),
        ("unreadable", np.flatnonzero(bad & ~missing), "file cannot be read", "files cannot be read"),
    ):
        if rows.size:
            examples = tuple((path,) for path in manifest.take(rows[:SHOWN]).values("path"))
            reasons = _reasons(measures.column("error").take(pa.array(rows)).to_pylist())
            message = f"{plural(rows.size, one, many)} and will be left out: {reasons}"
            yield Finding(kind, "warning", message, int(rows.size), examples)


def _reasons(errors: Sequence[str]) -> str:
    counted = Counter(error.rstrip(".") for error in errors).most_common()
    words = [f"{reason} ({count:,})" for reason, count in counted[:_REASONS_SHOWN]]
    return "; ".join([*words, *(["…"] if len(counted) > _REASONS_SHOWN else [])])


def _identical_inside(manifest: Manifest, duplicates: Duplicates, sides: Sequence[Sides]) -> Finding | None:
    identical = duplicates.identical
    inside = identical >= 0
    for kept_apart in sides:
        inside &= ~_several(identical, kept_apart.codes)
    sets = np.unique(identical[inside])
    if sets.size == 0:
        return None
    groups, _ = manifest.codes("group")
    split_up = np.unique(identical[inside & _several(identical, groups)])
    message = f"{plural(sets.size, 'picture is', 'pictures are')} there more than once ({int(inside.sum()):,} rows)"
    if split_up.size:
        message += f", {split_up.size:,} of them in different groups, which a split can part; {JOIN}"
    first = np.concatenate([split_up, np.setdiff1d(sets, split_up)])
    return Finding("duplicate-inside", "note", message, int(sets.size), _sets(manifest, identical, first))


def _near_inside(manifest: Manifest, duplicates: Duplicates, sides: Sequence[Sides]) -> Finding | None:
    near = duplicates.near
    inside = np.ones(len(near.rows), bool)
    for kept_apart in sides:
        placed = kept_apart.codes[near.rows]
        inside &= (placed[:, 0] == placed[:, 1]) | (placed < 0).any(axis=1)
    count = int(inside.sum())
    if count == 0:
        return None
    labels, _ = manifest.codes("label")
    mixed = int((labels[near.rows[inside]][:, 0] != labels[near.rows[inside]][:, 1]).sum())
    message = f"{plural(count, 'pair', 'pairs')} of pictures of different groups look alike"
    message += f", {mixed:,} of them a real and a fake one" if mixed else ""
    message += f"; {JOIN}"
    if not near.complete:
        message += f". The search stopped at {MAX_PAIRS:,} pairs; there are more"
    return Finding("near-duplicate-inside", "note", message, count, alike_examples(manifest, duplicates, inside))


def _several(sets: Indices, values: Indices) -> Mask:
    """Rows whose set holds more than one value (-1 not counted). (N,) bool."""
    placed = (sets >= 0) & (values >= 0)
    low = np.full(int(sets.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    high = np.full(len(low), -1, np.int64)
    np.minimum.at(low, sets[placed], values[placed])
    np.maximum.at(high, sets[placed], values[placed])
    rows = np.flatnonzero(sets >= 0)
    several = np.zeros(len(sets), bool)
    several[rows] = (high > low)[sets[rows]]
    return several


def _sets(manifest: Manifest, identical: Indices, wanted: Indices) -> tuple[tuple[str, ...], ...]:
    """The paths of the first sets, a few of each."""
    rows = [np.flatnonzero(identical == number)[:SHOWN] for number in wanted[:SHOWN]]
    return tuple(tuple(manifest.take(members).values("path")) for members in rows)
