"""A checked table with the root of its paths, and the builder that makes one row by row."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mesoscope.errors import ManifestError
from mesoscope.manifest.checks import check_table
from mesoscope.manifest.schema import BY_NAME, EXTRA_NAME, Kind, Row, Value, arrow_type, kind_of, ordered

_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Manifest:
    """The table of a data set. It is never changed; the methods that change something return a new one.

    About 200 bytes a row are held in memory; pictures never are.

    Attributes:
        table: an Arrow table that passed `check_table`: known columns in the order of `COLUMNS`, then extra ones.
        root: the directory the paths are relative to.
        history: the commands that made it, oldest first.
    """

    table: pa.Table
    root: Path
    history: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are there."""
        return tuple(self.table.column_names)

    def __contains__(self, column: object) -> bool:
        return column in self.table.column_names

    def values(self, column: str) -> list[Any]:
        """A column as Python values, None where empty.

        Raises:
            ManifestError: there is no such column.
        """
        if column not in self:
            raise ManifestError(f"the manifest has no column '{column}'; it has: {', '.join(self.columns)}")
        return list(self.table.column(column).to_pylist())

    def codes(self, column: str) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[Any]]:
        """A column as numbers: for each row the index of its value, and the values; -1 where empty.

        Returns:
            (N,) int64, and the K different values in order of first appearance.
        """
        if column not in self:
            raise ManifestError(f"the manifest has no column '{column}'; it has: {', '.join(self.columns)}")
        encoded = self.table.column(column).combine_chunks().dictionary_encode()
        indices = pc.fill_null(encoded.indices, -1)
        return np.asarray(indices.to_numpy(zero_copy_only=False), np.int64), list(encoded.dictionary.to_pylist())

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries, a few thousand at a time in memory."""
        for batch in self.table.to_batches(max_chunksize=4096):
            yield from batch.to_pylist()

    def file(self, path: str) -> Path:
        """Where a row's file lies on this machine."""
        return self.root / path

    def take(self, rows: Sequence[int] | np.ndarray[Any, Any]) -> Manifest:
        """The rows of these indices (int, from 0), in this order, or where a boolean array (N,) is true."""
        wanted = np.asarray(rows)
        wanted = np.flatnonzero(wanted) if wanted.dtype == bool else wanted.astype(np.int64)
        return replace(self, table=self.table.take(pa.array(wanted)))

    def with_column(self, name: str, values: Sequence[Value]) -> Manifest:
        """A column added or replaced; one that is wholly empty is left out.

        Raises:
            ManifestError: a value breaks the schema.
        """
        rest = self.table.drop_columns([name]) if name in self else self.table
        column = _arrow(name, values)
        if column is not None:
            rest = rest.append_column(name, column)
        return replace(self, table=check_table(rest.select(ordered(rest.column_names)), "the new manifest"))

    def with_history(self, *commands: str) -> Manifest:
        """The same rows, with further commands in the history."""
        return replace(self, history=(*self.history, *commands))

    def digest(self) -> str:
        """Sha256 (64 hex digits) of the content: the same rows in Parquet, in CSV and anywhere on disk agree."""

        class _Hashing(io.RawIOBase):
            def __init__(self) -> None:
                self.sha = hashlib.sha256()

            def writable(self) -> bool:
                return True

            def write(self, data: Any) -> int:  # noqa: ANN401 - a buffer of any kind
                self.sha.update(data)
                return len(memoryview(data))

        sink = _Hashing()
        csv.write_csv(self.table, sink)
        return sink.sha.hexdigest()


class ManifestBuilder:
    """Collects rows into a `Manifest`; columns in which no row has a value are left out.

    Args:
        root: directory the rows' paths are relative to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: list[dict[str, Value]] = []
        self._tables: list[pa.Table] = []

    def add(self, row: Row) -> None:
        """Take one row.

        Raises:
            ManifestError: (now or later) an extra column has a name or a value that no manifest can hold.
        """
        self._rows.append(row.values())
        if len(self._rows) >= _CHUNK:
            self._flush()

    def build(self, *history: str) -> Manifest:
        """The manifest of all rows so far, checked.

        Raises:
            ManifestError: a row breaks the schema; the message names row and column.
        """
        self._flush()
        if not self._tables:
            raise ManifestError("no row was found: the manifest would be empty")
        # a column that was whole numbers in one part and has fractions in another becomes numbers
        table = pa.concat_tables(self._tables, promote_options="permissive")
        table = table.select(ordered(table.column_names))
        return Manifest(check_table(table, "the new manifest"), self._root, history)

    def _flush(self) -> None:

        if not self._rows:
            return
        names = ordered({name for row in self._rows for name in row})
        columns = {name: _arrow(name, [row.get(name) for row in self._rows]) for name in names}
        self._tables.append(pa.table({name: column for name, column in columns.items() if column is not None}))
        self._rows = []


def _arrow(name: str, values: Sequence[Value]) -> pa.Array | None:
    """Python values as an Arrow array of the column's type; None where all are empty."""
    kind = _kind(name, values)
    if kind is None:
        return None
    try:
        return pa.array(values, arrow_type(kind))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise ManifestError(f"column '{name}' holds values of different kinds: {error}") from error


def _kind(name: str, values: Sequence[Value]) -> Kind | None:
    if name not in BY_NAME and not EXTRA_NAME.fullmatch(name):
        raise ManifestError(
            f"'{name}' cannot be the name of a column: small letters, digits and underscores, beginning with a letter"
        )
    if all(value is None for value in values):
        return None
    if name in BY_NAME:
        return BY_NAME[name].kind
    kinds: set[Kind] = {kind_of(value, name) for value in values if value is not None}
    return "number" if kinds == {"integer", "number"} else min(kinds)
