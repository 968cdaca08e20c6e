"""What the commands that turn manifests into manifests have in common: where they write, and what they remember."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from mesoscope.cli.console import printable
from mesoscope.errors import UsageError
from mesoscope.manifest.files import format_of


def words(text: str) -> tuple[str, ...]:
    """The parts of ``label,dataset``; none of an empty text."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def writable(out: Path, force: bool) -> Path:
    """Where a manifest goes, checked before the work.

    Raises:
        ManifestError: it is no manifest by its name.
        UsageError: it is there already and must not be replaced, or its directory is missing.
    """
    format_of(out)
    if out.exists() and not force:
        raise UsageError(f"{out} is already there; --force replaces it")
    if not out.parent.is_dir():
        raise UsageError(f"cannot write {out}: there is no directory {out.parent}")
    return out


def command_line(seed: int | None = None) -> str:
    """The command as typed, for a manifest's history, with the seed also where the default was used."""
    typed = ["mesoscope", *sys.argv[1:]]
    seeded = seed is None or any(word.partition("=")[0] == "--seed" for word in typed)
    return shlex.join(typed if seeded else [*typed, "--seed", str(seed)])


def print_json(facts: Mapping[str, object]) -> None:
    """Facts as JSON on stdout."""
    sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def table_of(names: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table for people.

    Args:
        names: headings of the columns of text.
        numbers: headings of the columns of numbers, which follow and stand to the right.
        rows: cells as text.
    """
    table = Table(*names, box=None, header_style="bold")
    for number in numbers:
        table.add_column(number, justify="right")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table
