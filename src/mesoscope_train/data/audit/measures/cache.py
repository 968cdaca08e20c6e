"""What was measured before, in a Parquet file; and the part files of a run that is not at its end.

A run writes what it measures into ``CACHE.parts/``, a part every few thousand rows or every half minute, each there
whole or not at all. At its end, or at the next run's beginning where it was killed, the parts become one file.
Rows are known by path, size and time of change; rows of files that a manifest does not name stay, so that several
manifests of one root (before and after a split, say) can share a cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope_train.data.audit.measures.schema import SCHEMA, VERSION

_KEY = b"mesoscope-measures"
_ROWS_A_PART = 4096
_SECONDS_A_PART = 30.0


class Cache:
    """A cache file and its parts.

    Args:
        file: the Parquet file; it need not exist.
        remark: is told, in a sentence, of a file that cannot be used.
    """

    def __init__(self, file: Path, remark: Callable[[str], None]) -> None:
        self._file, self._parts_directory = file, file.with_name(f"{file.name}.parts")
        self._remark = remark
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._written = time.monotonic()
        self._next_part = 0

    def read(self) -> pa.Table:
        """All rows known, one a path: those of the parts in place of those of the file."""
        parts = self._part_files()
        self._next_part = 1 + max((_number(part) for part in parts), default=-1)
        files = [self._file, *parts] if self._file.exists() else parts
        tables = [table for file in files if (table := self._read_one(file)) is not None]
        return _last_of_each_path(pa.concat_tables([SCHEMA.empty_table(), *tables]))

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows; now and then a part is written.

        Raises:
            UsageError: the part cannot be written.
        """
        self._pending.append(rows)
        self._pending_rows += rows.num_rows
        if self._pending_rows >= _ROWS_A_PART or time.monotonic() - self._written >= _SECONDS_A_PART:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a part.

        Raises:
            UsageError: it cannot be written.
        """
        if self._pending:
            make_directory(self._parts_directory)
            part = self._parts_directory / f"{self._next_part:06d}.parquet"
            _write(pa.Table.from_batches(self._pending, SCHEMA), part)
            self._next_part += 1
            self._pending, self._pending_rows = [], 0
        self._written = time.monotonic()

    def finish(self) -> pa.Table:
        """Make one file of all rows, remove the parts, and return the rows, by path.

        Raises:
            UsageError: it cannot be written; the parts then stay.
        """
        self.flush()
        parts = self._part_files()
        table = self.read().sort_by("path")
        if parts or not self._file.exists():
            _write(table, self._file)
            with explained(self._parts_directory):
                for part in parts:
                    part.unlink(missing_ok=True)
                if parts and not any(self._parts_directory.iterdir()):
                    self._parts_directory.rmdir()
        return table

    def _part_files(self) -> list[Path]:
        return sorted(self._parts_directory.glob("[0-9]*.parquet"))

    def _read_one(self, file: Path) -> pa.Table | None:
        """A file's rows; None, with a remark, where it is damaged or of another version."""
        try:
            table = parquet.ParquetFile(file).read()
        except (pa.ArrowException, OSError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            self._remark(f"the measurements kept in {file} cannot be read ({reason}); their files are measured again")
            return None
        version = (table.schema.metadata or {}).get(_KEY, b"none").decode(errors="replace")
        if version != str(VERSION) or not table.schema.equals(SCHEMA):
            self._remark(f"{file} was measured by another version of mesoscope; its files are measured again")
            return None
        return table.replace_schema_metadata(None)


def find_rows(paths: pa.ChunkedArray, known: pa.Table) -> npt.NDArray[np.int64]:
    """For each path the index of its row in `known`; -1 where there is none. (N,) int64."""
    found = pc.index_in(paths, value_set=known.column("path").combine_chunks())
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)


def _last_of_each_path(table: pa.Table) -> pa.Table:
    """The table without rows whose path comes again further down."""
    numbered = pa.table({"path": table.column("path"), "row": pa.array(np.arange(table.num_rows))})
    last = numbered.group_by("path", use_threads=False).aggregate([("row", "max")]).column("row_max")
    return table if len(last) == table.num_rows else table.take(last)


def _number(part: Path) -> int:
    return int(part.stem) if part.stem.isdigit() else 0


def _write(table: pa.Table, file: Path) -> None:
    with replacing(file) as partial, explained(file):
        parquet.write_table(table.replace_schema_metadata({_KEY: str(VERSION).encode()}), partial, compression="zstd")
