"""Which columns are shown as slices, and what all columns hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.errors import UsageError
from mesoscope.manifest import COLUMNS, Manifest
from mesoscope_train.data.explore.tallies import MOST

FEW = 24
"""A text column with more different values than this is no slice."""
_NOT_SLICES = frozenset({"path", "label", "group", "dataset", "split", "identity", "source_identity", "source_video"})
_MEANINGS = {column.name: column.meaning for column in COLUMNS}
_KINDS = {pa.string(): "text", pa.int64(): "whole number", pa.float64(): "number", pa.bool_(): "yes / no"}


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What a column holds.

    Attributes:
        name: in the manifest.
        kind: of its values, in words.
        meaning: by the schema; empty for a column of the set's own.
        filled: rows that have a value.
        different: number of different values.
        example: the range of numbers, or the values where they are few, or the first.
    """

    name: str
    kind: str
    meaning: str
    filled: int
    different: int
    example: str


def slice_columns(manifest: Manifest, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The columns that are shown by value: those asked for, or folds and all of text or yes / no with 2 to 24 values.

    Raises:
        UsageError: one that is asked for is not there, or says nothing about many rows at once (the path).
    """
    for name in wanted:
        if name not in manifest:
            raise UsageError(f"the manifest has no column '{name}'; it has: {', '.join(manifest.columns)}")
        if name == "path":
            raise UsageError("the path is different in every row; choose another column")
    if wanted:
        return tuple(dict.fromkeys(wanted))
    return tuple(name for name in manifest.columns if _is_slice(manifest.table, name))


def is_measured(manifest: Manifest, column: str) -> bool:
    """Whether a column is shown as a histogram: numbers, too many different ones to count each."""
    kind = manifest.table.schema.field(column).type
    if kind == pa.int64():
        return _different(manifest.table.column(column)) > MOST
    return bool(kind == pa.float64())


def column_facts(manifest: Manifest) -> tuple[ColumnFacts, ...]:
    """What each column holds, in the manifest's order."""
    return tuple(_facts(name, manifest.table.column(name)) for name in manifest.columns)


def _is_slice(table: pa.Table, name: str) -> bool:
    column = table.column(name)
    sliceable = name == "fold" or (name not in _NOT_SLICES and column.type in (pa.string(), pa.bool_()))
    return sliceable and 2 <= _different(column) <= FEW


def _different(column: pa.ChunkedArray) -> int:
    return int(pc.count_distinct(column, mode="only_valid").as_py())


def _facts(name: str, column: pa.ChunkedArray) -> ColumnFacts:
    filled, different = len(column) - column.null_count, _different(column)
    return ColumnFacts(
        name, _KINDS[column.type], _MEANINGS.get(name, ""), filled, different, _example(column, different)
    )


def _example(column: pa.ChunkedArray, different: int) -> str:
    if column.type in (pa.int64(), pa.float64()):
        span = pc.min_max(column)
        low, high = span["min"].as_py(), span["max"].as_py()
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"
    if different <= 4:
        return ", ".join(
            sorted(str(value).lower() if isinstance(value, bool) else str(value) for value in _some(column))
        )
    return str(_some(column)[0])


def _some(column: pa.ChunkedArray) -> list[object]:
    return list(pc.unique(column.drop_null()).slice(0, 4).to_pylist())
