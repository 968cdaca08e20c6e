"""Reports are written as the answers come, in bounded memory, and appear whole or not at all.

A format is one file with a function ``(Report, Path) -> None``, registered in `formats` under its suffix.
"""

from __future__ import annotations

import heapq
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import mesoscope
from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.errors import UsageError
from mesoscope.registry import Registry
from mesoscope.report.content import Report, Section, SectionBuilder, urgency
from mesoscope.types import Detection, FileResult, Outcome

DEFAULT_LIMIT = 200
"""Files that get pictures in one report; the others are in its table."""

Renderer = Callable[[Report, Path], None]
"""Writes a report to an existing, empty file."""
formats: Registry[Renderer] = Registry("report format")


class ReportWriter:
    """Takes detections one at a time and writes the report when it is closed.

    As a context manager it closes itself at the end of the block, and throws everything away when the block
    ends with an exception (an interrupt too): nothing half-written stays.

    Args:
        path: of the report.
        render: writes it.
        bundle: that judged.
        verdict: the rule in force.
        command: that reproduces the report, as a person would type it.
        limit: how many files get pictures at most.
        made: when the report was made; now by default.

    Raises:
        UsageError: the place cannot be written (told at once, not after hours of work).
    """

    def __init__(
        self,
        path: Path,
        render: Renderer,
        bundle: Bundle,
        *,
        verdict: Verdict,
        command: str,
        limit: int = DEFAULT_LIMIT,
        made: datetime | None = None,
    ) -> None:
        self.path = path
        self._render = render
        self._bundle = bundle
        self._verdict = verdict
        self._command = command
        self._limit = limit
        self._made = made or datetime.now(UTC)
        self._counts: Counter[Outcome] = Counter()
        self._shown: list[tuple[tuple[int, float, int], Section]] = []
        self._open = ExitStack()
        try:
            self._partial = self._open.enter_context(replacing(path))
            with explained(Path(tempfile.gettempdir())):
                spool = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="mesoscope-report-")))
                self._results_path = spool / "results.jsonl"
                self._results = self._open.enter_context(self._results_path.open("w", encoding="utf-8"))
        except BaseException as error:
            self._open.__exit__(type(error), error, error.__traceback__)
            raise
        self._builder = SectionBuilder(spool, bundle, verdict)

    def add(self, detection: Detection) -> None:
        """Take one answer; its evidence is drawn now and not kept.

        Raises:
            UsageError: the disk is full.
        """
        result = detection.result
        self._counts[result.outcome] += 1
        index = self._counts.total()
        with explained(self._results_path):
            self._results.write(result.model_dump_json() + "\n")
            rank = urgency(result, index)
            if len(self._shown) < self._limit:
                heapq.heappush(self._shown, (rank, self._builder.build(index, detection)))
            elif self._shown and rank > self._shown[0][0]:
                _, dropped = heapq.heapreplace(self._shown, (rank, self._builder.build(index, detection)))
                shutil.rmtree(self._builder.directory(dropped.index))

    def close(self) -> None:
        """Write the report to its place; closing again does nothing.

        Raises:
            UsageError: it cannot be written; nothing is left behind.
        """
        if self._results.closed:
            return
        with self._open.pop_all(), explained(self.path):
            self._results.close()
            self._render(self._report(), self._partial)

    def __enter__(self) -> ReportWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._open.pop_all().__exit__(kind, error, trace)

    def _report(self) -> Report:
        return Report(
            made=self._made.strftime("%Y-%m-%d %H:%M %Z").strip(),
            program=mesoscope.__version__,
            command=self._command,
            bundle=self._bundle,
            verdict=self._verdict,
            counts=self._counts,
            sections=sorted((section for _, section in self._shown), key=lambda section: section.index),
            limit=self._limit,
            results=self._read_results,
        )

    def _read_results(self) -> Iterator[FileResult]:
        with self._results_path.open(encoding="utf-8") as lines:
            for line in lines:
                yield FileResult.model_validate_json(line)


def open_report(
    path: Path,
    bundle: Bundle,
    command: str,
    verdict: Verdict,
    *,
    limit: int = DEFAULT_LIMIT,
    made: datetime | None = None,
) -> ReportWriter:
    """A writer for the format that the path's suffix names; arguments as in `ReportWriter`.

    Raises:
        UsageError: the suffix is none of the registered ones, or the place cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in formats:
        known = " or ".join(formats)
        raise UsageError(f"cannot tell the format of the report {path}: its name must end in {known}")
    make_directory(path.parent)
    return ReportWriter(path, formats[suffix], bundle, verdict=verdict, command=command, limit=limit, made=made)
