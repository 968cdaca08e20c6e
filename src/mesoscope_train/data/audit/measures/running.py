"""Measuring every file of a manifest: what is known is read, the rest is measured in parallel.

Held in memory: 400 bytes a row for the table and as much again while the cache is brought up to date (0.9 GB for a
million rows, measured); a decoded picture for each process. Time is linear in the number of files that are new or
changed; to find out that none of a million is takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest
from mesoscope_train.data.audit.measures.cache import Cache, find_rows
from mesoscope_train.data.audit.measures.one_file import measure_file
from mesoscope_train.data.audit.measures.pool import map_batches
from mesoscope_train.data.audit.measures.schema import KEY, SCHEMA, FileStamp, Measured

_BATCH = 32
"""Files a process gets at once: few enough that the last ones end together."""
_STAMPED_AT_ONCE = 65_536

_CRASHED = "The decoder crashed on this file; it is damaged."
Task = tuple[Path, FileStamp]


def measure(
    manifest: Manifest,
    cache: Path,
    *,
    workers: int = 1,
    progress: Callable[[int], None] = lambda count: None,
    remark: Callable[[str], None] = lambda sentence: None,
) -> pa.Table:
    """Measure the files of a manifest, or take from the cache what was measured before.

    A file is known again by its path, size and time of change. One that could not be read is tried again. A run
    that is killed loses a few thousand files at most.

    Args:
        manifest: its paths and root.
        cache: a Parquet file, beside the manifest as a rule; made or brought up to date.
        workers: processes; 0 measures in this one (and dies with a decoder that crashes).
        progress: called with the number of rows just dealt with.
        remark: is told of a cache that could not be used.

    Returns:
        `SCHEMA`, one row for each of the manifest's, in its order. The values do not depend on `workers`.

    Raises:
        UsageError: the cache cannot be written.
    """
    store = Cache(cache, remark)
    paths = manifest.table.column("path")
    stamps = _stamp_all(manifest.root, paths)
    todo = _new_or_changed(stamps, store.read())
    progress(len(manifest) - len(todo))
    for rows in map_batches(
        _measure_batch, _batches(manifest.root, stamps, todo), workers=workers, on_crash=_crashed
    ):
        store.add(rows)
        progress(rows.num_rows)
    table = store.finish()
    return table.take(pa.array(find_rows(paths, table)))


def _stamp_all(root: Path, paths: pa.ChunkedArray) -> pa.Table:
    """`KEY` of each path, in order; size and time are null where a file cannot be looked at."""
    pieces = [KEY.empty_table()]
    for start in range(0, len(paths), _STAMPED_AT_ONCE):
        found = [_stamp(root, path) for path in paths.slice(start, _STAMPED_AT_ONCE).to_pylist()]
        columns = [
            [stamp.path for stamp in found],
            [stamp.size for stamp in found],
            [stamp.mtime for stamp in found],
        ]
        pieces.append(pa.table(columns, schema=KEY))
    return pa.concat_tables(pieces)


def _stamp(root: Path, path: str) -> FileStamp:
    try:
        status = (root / path).stat()
    except (OSError, ValueError):
        return FileStamp(path, None, None)
    return FileStamp(path, status.st_size, status.st_mtime_ns)


def _new_or_changed(stamps: pa.Table, known: pa.Table) -> npt.NDArray[np.int64]:
    """Indices of the rows that are not in the cache as they are now, or are there with an error."""
    rows = find_rows(stamps.column("path"), known)
    before = known.select([*KEY.names, "error"]).take(pa.array(rows, mask=rows < 0))
    same = pc.is_null(before.column("error"))
    for name in ("size_bytes", "mtime_ns"):
        same = pc.and_(same, pc.fill_null(pc.equal(before.column(name), stamps.column(name)), False))
    return np.flatnonzero(~same.to_numpy(zero_copy_only=False))


def _batches(root: Path, stamps: pa.Table, todo: npt.NDArray[np.int64]) -> Iterator[Sequence[Task]]:
    for start in range(0, todo.size, _BATCH):
        rows = stamps.take(pa.array(todo[start : start + _BATCH])).to_pylist()
        yield [(root / row["path"], FileStamp(row["path"], row["size_bytes"], row["mtime_ns"])) for row in rows]


def _measure_batch(tasks: Sequence[Task]) -> pa.RecordBatch:
    """What a process does."""
    return _rows([(stamp, measure_file(file)) for file, stamp in tasks])


def _crashed(task: Task) -> pa.RecordBatch:
    return _rows([(task[1], {"error": _CRASHED})])


def _rows(measured: Sequence[tuple[FileStamp, Measured]]) -> pa.RecordBatch:
    rows = [
        {"path": stamp.path, "size_bytes": stamp.size, "mtime_ns": stamp.mtime, **values}
        for stamp, values in measured
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
