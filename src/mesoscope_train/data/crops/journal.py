"""What was done, line by line, so that a run that was killed goes on where it stood.

``journal.jsonl`` begins with a line that names the settings and the manifest's content; then comes one line a
finished source file, in the order of finishing. A line is handed to the system as a whole as soon as the file is done
(nothing is lost when the process is killed) and forced to disk now and then (little is lost when the machine is).
Where two lines are about one row, the later one holds. Of the lines only their places are kept in memory, eight
bytes a source file.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import UsageError
from mesoscope_train.data.crops.cutting import FOLDER
from mesoscope_train.data.crops.options import Setting, digest_of
from mesoscope_train.data.crops.records import FileRecord

NAME = "journal.jsonl"
VERSION = 1
SYNC_LINES = 256
SYNC_SECONDS = 5.0
"""A line waits at most this many others, or about this long, until it is forced to disk."""
_NOT_DONE = -1


class Journal:
    """The journal of one directory, held open by one process at a time; use it in a ``with`` block.

    Args:
        out: directory of the run; made where it is not there.
        settings: of the run, as `CropOptions.settings` says them.
        manifest: digest of the manifest's content.
        rows: number of its rows.
        retry: take files that could not be read for not done.

    Raises:
        UsageError: the directory belongs to a run with other settings or of another manifest, holds crops without a
            journal, is used by another process, or cannot be written.
    """

    def __init__(
        self, out: Path, settings: dict[str, Setting], manifest: str, rows: int, *, retry: bool = False
    ) -> None:
        self.path = out / NAME
        self.out = out
        self._places: npt.NDArray[np.int64] = np.full(rows, _NOT_DONE, np.int64)
        self._unsynced, self._synced = 0, time.monotonic()
        make_directory(out)
        header = {
            "mesoscope_faces": VERSION,
            "digest": digest_of({**settings, "manifest": manifest}),
            "settings": settings,
            "manifest": manifest,
        }
        if not self.path.is_file():
            _begin(self.path, header)
        with explained(self.path):
            self._file = self.path.open("r+b", buffering=0)
        try:
            _lock(self._file, out)
            first = _check_header(self.path, header)
            self._end = self._scan(first, retry=retry)
            with explained(self.path):
                self._file.truncate(self._end)
                self._file.seek(self._end)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._sync()
        except UsageError:
            if kind is None:  # otherwise the disk is full, and an error already says so
                raise
        finally:
            self._file.close()

    @property
    def done(self) -> int:
        """How many source files are finished."""
        return int((self._places != _NOT_DONE).sum())

    def waiting(self) -> Iterator[int]:
        """Rows that are not finished, in order."""
        return (int(row) for row in np.flatnonzero(self._places == _NOT_DONE))

    def add(self, record: FileRecord) -> None:
        """Note a finished file.

        Raises:
            UsageError: the disk is full.
        """
        line = json.dumps(record.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with explained(self.path):
            written = self._file.write(line)
            while written < len(line):  # the system may take a part, and says at the next one what is wrong
                written += self._file.write(line[written:])
        self._places[record.row] = self._end
        self._end += len(line)
        self._unsynced += 1
        if self._unsynced >= SYNC_LINES or time.monotonic() - self._synced >= SYNC_SECONDS:
            self._sync()

    def records(self) -> Iterator[FileRecord]:
        """The finished files in the order of the manifest, one at a time from disk."""
        with self.path.open("rb") as file:
            for place in self._places:
                if place != _NOT_DONE:
                    file.seek(int(place))
                    yield FileRecord.from_json(json.loads(file.readline()))

    def _sync(self) -> None:
        with explained(self.path):
            os.fsync(self._file.fileno())
        self._unsynced, self._synced = 0, time.monotonic()

    def _scan(self, first: int, *, retry: bool) -> int:
        """Take up what is there; returns where the good lines end.

        The first broken line ends the journal: a kill tears the last one, a power cut may lose what follows the last
        line that was forced to disk.
        """
        place = first
        with self.path.open("rb") as file:
            file.seek(first)
            for line in file:
                record = _read(line, len(self._places))
                if record is None:
                    break
                whole = self._is_there(record) and not (retry and record.error is not None)
                self._places[record.row] = place if whole else _NOT_DONE
                place += len(line)
        return place

    def _is_there(self, record: FileRecord) -> bool:
        for crop in record.crops:
            try:
                if (self.out / crop.path).stat().st_size != crop.size:
                    return False
            except OSError:
                return False
        return True


def _begin(path: Path, header: dict[str, Any]) -> None:
    folder = path.parent / FOLDER
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} holds files, but there is no {NAME} beside it that would say what they are; "
            "choose another directory, or delete that one"
        )
    with replacing(path) as partial, explained(path):
        partial.write_text(json.dumps(header) + "\n", encoding="utf-8")


def _check_header(path: Path, wanted: dict[str, Any]) -> int:
    """Refuse a journal of another run; returns where its lines begin."""
    with explained(path), path.open("rb") as file:
        line = file.readline()
    try:
        found = json.loads(line)
        version, settings, manifest = found["mesoscope_faces"], dict(found["settings"]), found["manifest"]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is no journal of 'data faces'; choose another directory") from None
    if version != VERSION:
        raise UsageError(f"{path} was written by another version of mesoscope; choose another directory")
    changed = [
        f"{name} {settings.get(name)} (now {value})"
        for name, value in wanted["settings"].items()
        if settings.get(name) != value
    ]
    if changed:
        raise UsageError(
            f"{path.parent} holds crops made with other settings: {', '.join(changed)}. Crops are not mixed: "
            "give the same settings to go on, or choose another directory"
        )
    if manifest != wanted["manifest"]:
        raise UsageError(
            f"{path.parent} holds crops of another manifest, or of this one before it changed. Crops are not mixed: "
            "choose another directory"
        )
    return len(line)


def _read(line: bytes, rows: int) -> FileRecord | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = FileRecord.from_json(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return record if 0 <= record.row < rows else None


def _lock(file: IO[bytes], out: Path) -> None:
    """Keep a second run out of the directory. The lock ends with the process, however it ends."""
    try:
        import fcntl  # noqa: PLC0415 - Windows has none, and goes without
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"another run is writing into {out}; wait for it, or choose another directory") from None
    except OSError:  # a file system without locks
        return
