"""How results are printed: a table for people, JSON, JSON lines and CSV for programs.

Each format is a class with `start`, `add` and `end`, fed one result at a time, so that a folder of any size
prints in bounded memory. A new format is one class here and its flag in `mesoscope.cli.detect`.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from typing import Protocol

from rich.text import Text

from mesoscope.cli.console import OUTCOME_STYLES, OUTCOME_WORDS, printable, stdout
from mesoscope.types import FaceResult, FileResult, Outcome, TrackResult

CSV_COLUMNS = (
    "path",
    "sha256",
    "kind",
    "width",
    "height",
    "outcome",
    "probability",
    "logit",
    "threshold",
    "decided_by",
    "faces",
    "tracks",
    "bundle",
    "bundle_sha256",
    "version",
    "warnings",
    "error",
)


class Printer(Protocol):
    """Prints results as they come."""

    def start(self) -> None:
        """Before the first."""

    def add(self, result: FileResult) -> None:
        """One result."""

    def end(self) -> None:
        """After the last."""


class JsonPrinter:
    """One JSON array."""

    def __init__(self) -> None:
        self._any = False

    def start(self) -> None:
        """Open the array."""
        sys.stdout.write("[")

    def add(self, result: FileResult) -> None:
        """One element."""
        sys.stdout.write((",\n" if self._any else "\n") + result.model_dump_json(indent=2))
        self._any = True

    def end(self) -> None:
        """Close the array."""
        sys.stdout.write("\n]\n")


class JsonLinesPrinter:
    """One JSON object a line."""

    def start(self) -> None:
        """Nothing to open."""

    def add(self, result: FileResult) -> None:
        """One line, flushed, so that a reader at the other end of a pipe can go on."""
        sys.stdout.write(result.model_dump_json() + "\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Nothing to close."""


class CsvPrinter:
    """One row a file; faces and tracks are counts, their numbers are in the JSON."""

    def start(self) -> None:
        """The header."""
        sys.stdout.write(",".join(CSV_COLUMNS) + "\n")

    def add(self, result: FileResult) -> None:
        """One row; what is null is empty."""
        row = result.model_dump(mode="json")
        row["faces"], row["tracks"] = len(result.faces), len(result.tracks)
        row["warnings"] = ";".join(result.warnings)
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(
            "" if row[name] is None else row[name] for name in CSV_COLUMNS
        )
        sys.stdout.write(buffer.getvalue())

    def end(self) -> None:
        """Nothing to close."""


class TablePrinter:
    """Rows for people, as they come, and a summary."""

    def __init__(self) -> None:
        self._console = stdout()
        self._counts: Counter[Outcome] = Counter()
        self._threshold: float | None = None

    def start(self) -> None:
        """The header."""
        self._console.print(Text(f"{'outcome':<14}{'p(fake)':>7}  {'decided by':<11}file", "bold"))

    def add(self, result: FileResult) -> None:
        """A row; below it, what else must be known of this file."""
        self._counts[result.outcome] += 1
        number = "–" if result.probability is None else f"{result.probability:.2f}"
        self._console.print(
            Text.assemble(
                (f"{OUTCOME_WORDS[result.outcome]:<14}", OUTCOME_STYLES[result.outcome]),
                f"{number:>7}  {result.decided_by or '':<11}",
                printable(result.path),
            )
        )
        if result.error is not None:
            self._below(result.error)
        self._threshold = result.threshold if result.threshold is not None else self._threshold
        others = [*result.faces, *result.tracks]
        if len(others) > 1:
            self._below(", ".join(_short(name, part.outcome, part.probability) for name, part in _named(result)))
        for code, message in result.messages.items():
            if code != "uncalibrated":  # said once, at the start
                self._below(message)

    def _below(self, text: str) -> None:
        self._console.print(Text(" " * 34 + printable(text), "dim"))

    def end(self) -> None:
        """The summary."""
        total = sum(self._counts.values())
        parts = ", ".join(
            f"{self._counts[outcome]} {OUTCOME_WORDS[outcome]}" for outcome in Outcome if self._counts[outcome]
        )
        rule = "" if self._threshold is None else f"; fake from p(fake) = {self._threshold:.2f} on"
        self._console.print(
            Text(f"{total} file{'s' if total != 1 else ''}: {parts or 'nothing to judge'}{rule}", "bold")
        )


def _named(result: FileResult) -> list[tuple[str, FaceResult | TrackResult]]:
    faces = [(f"face {number}", face) for number, face in enumerate(result.faces, start=1)]
    return [*faces, *((f"track {track.id}", track) for track in result.tracks)]


def _short(name: str, outcome: Outcome, probability: float | None) -> str:
    return f"{name}: {OUTCOME_WORDS[outcome]}" + ("" if probability is None else f" {probability:.2f}")
