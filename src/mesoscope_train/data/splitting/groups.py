"""What stays in one part: groups, or groups that share an identity, tied together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope_train.data.splitting.seeded import Keys, keys
from mesoscope_train.data.splitting.wording import many

Ints = npt.NDArray[np.int64]
PEOPLE = ("identity", "source_identity")
"""Columns whose equal values are the same person, whichever of them they stand in."""


@dataclass(frozen=True, slots=True)
class Units:
    """The indivisible parts of a manifest: its groups, or several groups tied together.

    Attributes:
        of_row: (N,) the unit of each row, 0…U-1.
        of_group: (G,) the unit of each group.
        group_of_row: (N,) the group of each row, 0…G-1.
        groups: the G names, in order of first appearance.
    """

    of_row: Ints
    of_group: Ints
    group_of_row: Ints
    groups: list[str]

    def __len__(self) -> int:
        return int(self.of_group.max()) + 1

    def keys(self, seed: int) -> Keys:
        """(U,) A seeded number a unit: the least of its groups', so that it hangs on names alone."""
        least = np.full(len(self), np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(least, self.of_group, keys(seed, "unit", self.groups))
        return least

    def name(self, unit: int) -> str:
        """The first of its groups by name, and how many more there are."""
        names = sorted(self.groups[index] for index in np.flatnonzero(self.of_group == unit))
        return names[0] if len(names) == 1 else f"{names[0]} with {many(len(names) - 1, 'more group')}"


def units_of(manifest: Manifest, by: Sequence[str] = ("group",)) -> Units:
    """The units of a manifest.

    Args:
        manifest: any.
        by: columns of which no value may be split. ``group`` must be among them; with further ones, groups that
            share a value of theirs are one unit. `PEOPLE` share their values: whoever is a source here and a target
            there ties both. A value is the same thing within one corpus only (the group's name up to its colon):
            ``id0`` of one set is not ``id0`` of another. Empty values tie nothing.

    Raises:
        UsageError: ``group`` is not among them, or a column stands twice.
        ManifestError: there is no such column.
    """
    if "group" not in by or len(set(by)) != len(by):
        raise UsageError(
            f"--by {','.join(by)}: groups are never split, so name 'group', and each further column once: "
            "--by group,identity"
        )
    row_group, groups = manifest.codes("group")
    if len(by) == 1:
        return Units(row_group, np.arange(len(groups), dtype=np.int64), row_group, groups)
    _, corpus_of_group = np.unique([_corpus(name) for name in groups], return_inverse=True)
    ties = [_ties(manifest, columns, corpus_of_group[row_group]) for columns in _shared(by)]
    left, right, offset = [], [], len(groups)
    for rows, values, count in ties:
        left.append(row_group[rows])
        right.append(values + offset)
        offset += count
    ends = (np.concatenate(left), np.concatenate(right))
    graph = coo_array((np.ones(len(ends[0]), bool), ends), shape=(offset, offset))
    _, labels = connected_components(graph, directed=False)
    _, of_group = np.unique(labels[: len(groups)], return_inverse=True)
    of_group = of_group.astype(np.int64)
    return Units(of_group[row_group], of_group, row_group, groups)


def _shared(by: Sequence[str]) -> list[tuple[str, ...]]:
    """The columns beside ``group``, those together that share their values."""
    people = tuple(column for column in by if column in PEOPLE)
    alone: list[tuple[str, ...]] = [(column,) for column in by if column not in (*PEOPLE, "group")]
    return [people, *alone] if people else alone


def _corpus(group: str) -> str:
    """``dfdc`` of ``dfdc:aaa.mp4``; the same for all groups that name none."""
    corpus, colon, _ = group.partition(":")
    return corpus if colon else ""


def _ties(manifest: Manifest, columns: tuple[str, ...], corpus: Ints) -> tuple[Ints, Ints, int]:
    """Rows with a value and the value's number, over all `columns`; and how many numbers there are."""
    numbers: dict[object, int] = {}
    rows, values = [], []
    for column in columns:
        codes, names = manifest.codes(column)
        known = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        there = np.flatnonzero(codes >= 0)
        rows.append(there)
        values.append(known[codes[there]])
    tied = np.concatenate(rows)
    different, value = np.unique(corpus[tied] * len(numbers) + np.concatenate(values), return_inverse=True)
    return tied, value.astype(np.int64), len(different)
