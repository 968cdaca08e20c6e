"""The whole run: from a manifest of videos and pictures to one of face crops, in parallel, going on after a kill."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mesoscope.errors import MesoscopeError, UsageError
from mesoscope.manifest import Manifest, write_manifest
from mesoscope_train.data.crops.cutting import Task, open_cutter
from mesoscope_train.data.crops.finishing import (
    LEFT_OUT_NAME,
    MANIFEST_NAME,
    build_manifest,
    replaced_columns,
    write_left_out,
)
from mesoscope_train.data.crops.journal import Journal
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.processes import Died, spread
from mesoscope_train.data.crops.records import FileRecord
from mesoscope_train.data.crops.summary import Summary, summarise


@dataclass(frozen=True, slots=True)
class Cut:
    """What a run gave.

    Attributes:
        manifest: of the crops.
        file: where it was written.
        left_out: where the list of what was left out was written.
        summary: the counts.
        resumed: source files that an earlier run had finished.
    """

    manifest: Manifest
    file: Path
    left_out: Path
    summary: Summary
    resumed: int


Watched = Callable[[int, int], AbstractContextManager[Callable[[], None]]]
"""Told how many source files are finished and how many wait, gives a context and a function to call after each."""


@contextmanager
def _unwatched(_done: int, _waiting: int) -> Iterator[Callable[[], None]]:
    yield lambda: None


def cut_faces(
    manifest: Manifest,
    out: Path,
    options: CropOptions,
    *,
    workers: int = 1,
    retry: bool = False,
    command: str = "",
    watched: Watched = _unwatched,
) -> Cut:
    """Cut the faces out of everything a manifest lists.

    Writes ``crops/``, ``journal.jsonl``, ``faces.parquet`` and ``left-out.csv`` into `out`. What an earlier, perhaps
    interrupted run of the same settings finished is not done again. The result does not depend on `workers`. In
    memory are the manifests, and of each source file eight bytes.

    Args:
        manifest: rows that are videos or pictures; what each is, is asked of its content.
        out: directory of the run.
        options: how.
        workers: processes.
        retry: try again what could not be read before.
        command: for the new manifest's history.
        watched: makes the context the work is done in, and what is called once a file.

    Raises:
        UsageError: `out` belongs to another run, the finder cannot be opened, or something cannot be written.
        MesoscopeError: no face was found at all, or every file ends the process that reads it.
    """
    if workers < 1:
        raise UsageError(f"--workers must be at least 1, not {workers}")
    options.open_finder()  # told now, and not by each process
    with Journal(out, options.settings(), manifest.digest(), len(manifest), retry=retry) as journal:
        resumed = journal.done
        waiting = len(manifest) - resumed
        paths = manifest.table.column("path")
        tasks = (Task(row, paths[row].as_py()) for row in journal.waiting())
        work = _work(manifest.root, out, options, tasks, min(workers, waiting))
        with watched(resumed, waiting) as step, closing(work) as records:
            for record in records:
                journal.add(record)
                step()
        return _finish(manifest, out, options, journal, command=command, resumed=resumed)


def _work(
    root: Path, out: Path, options: CropOptions, tasks: Iterator[Task], workers: int
) -> Generator[FileRecord, None, None]:
    opener = partial(open_cutter, root.resolve(), out.resolve(), options)
    with closing(spread(opener, tasks, workers)) as answers:
        for task, answer in answers:
            if isinstance(answer, Died):
                error = f"Reading the file failed so badly that {answer.reason}."
                yield FileRecord(task.row, task.path, None, left_out={"process_died": 1}, error=error)
            else:
                yield answer


def _finish(
    manifest: Manifest, out: Path, options: CropOptions, journal: Journal, *, command: str, resumed: int
) -> Cut:
    labels = manifest.table.column("label")
    summary = summarise(journal.records(), (label.as_py() for label in labels), options)
    summary = replace(summary, remarks=(*summary.remarks, *replaced_columns(manifest)))
    write_left_out(out / LEFT_OUT_NAME, journal.records(), (label.as_py() for label in labels))
    if not summary.total().crops:
        reasons = ", ".join(f"{count:,} x {reason}" for reason, count in summary.total().why.most_common())
        raise MesoscopeError(f"no crop came out of {len(manifest):,} files: {reasons}; see {out / LEFT_OUT_NAME}")
    faces = build_manifest(manifest, journal.records(), options.finder, out, command)
    write_manifest(faces, out / MANIFEST_NAME)
    return Cut(faces, out / MANIFEST_NAME, out / LEFT_OUT_NAME, summary, resumed)
