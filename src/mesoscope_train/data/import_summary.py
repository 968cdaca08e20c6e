"""What an import gave, in numbers: rows per label and split, groups, datasets, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from mesoscope.manifest import LABELS, SPLITS, Manifest
from mesoscope_train.data.importing import Imported

NO_SPLIT = "none"
"""The name of the rows without a split."""


@dataclass(frozen=True, slots=True)
class Count:
    """How much there is in one part of a manifest.

    Attributes:
        labels: label to number of rows.
        groups: number of different groups.
    """

    labels: dict[str, int]
    groups: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.labels.values())

    def as_json(self) -> dict[str, int]:
        """The counts under plain names."""
        return {"rows": self.rows, **self.labels, "groups": self.groups}


def count(manifest: Manifest) -> Count:
    """All rows."""
    return _count(manifest.table)


def count_by(manifest: Manifest, column: str) -> dict[str, Count]:
    """The rows of each value of a text column; those without one under ``none``.

    Splits stand in their own order, other values in order of first appearance.
    """
    if column not in manifest:
        return {NO_SPLIT: count(manifest)}
    filled = manifest.table.set_column(
        manifest.table.column_names.index(column), column, pc.fill_null(manifest.table.column(column), NO_SPLIT)
    )
    values = pc.unique(filled.column(column)).to_pylist()
    values.sort(key=lambda value: SPLITS.index(value) if value in SPLITS else len(SPLITS))
    return {value: _count(filled.filter(pc.equal(filled.column(column), value))) for value in values}


def _count(table: Any) -> Count:  # noqa: ANN401 - pyarrow brings no types
    labels = dict.fromkeys(LABELS, 0)
    for entry in pc.value_counts(table.column("label")).to_pylist():
        labels[entry["values"]] = entry["counts"]
    return Count(labels, pc.count_distinct(table.column("group")).as_py())


def first_rows(manifest: Manifest, number: int) -> list[dict[str, Any]]:
    """The first rows, each without the columns that are empty in it."""
    rows = manifest.take(range(min(number, len(manifest)))).rows()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def summary(imported: Imported) -> dict[str, Any]:
    """The summary as plain values, for programs."""
    manifest, skips = imported.manifest, imported.skips
    return {
        **count(manifest).as_json(),
        "splits": {name: part.as_json() for name, part in count_by(manifest, "split").items()},
        "datasets": {name: part.as_json() for name, part in count_by(manifest, "dataset").items()},
        "columns": list(manifest.columns),
        "skipped": [
            {"reason": reason, "count": number, "examples": skips.examples[reason]}
            for reason, number in skips.reasons.items()
        ],
        "beyond_limit": imported.beyond_limit,
        "notes": list(skips.notes),
    }
