"""What ``mesoscope data import`` prints: the layouts it knows, and what an import gave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mesoscope.cli.console import printable, stdout
from mesoscope.manifest import LABELS
from mesoscope_train.data.importers import importers

if TYPE_CHECKING:
    from mesoscope_train.data.importing import Imported

_EXAMPLES = 2
"""Paths that are shown of each reason; ``--json`` has all that were kept."""


def show_formats() -> None:
    """Print every layout: its folders and files, the options it heeds, where it is published."""
    from mesoscope_train.data.importing import OPTION_WORDS

    console = stdout()
    for name in importers:
        importer = importers[name]
        options = ", ".join(sorted(OPTION_WORDS[option] for option in importer.options)) or "none of its own"
        console.print(Text.assemble((name, "bold"), "  ", importer.title))
        for line in importer.layout.splitlines():
            console.print(f"    {line}")
        console.print(Text(f"    options: {options}\n    source: {importer.source}\n", "dim"))


def show_summary(imported: Imported, out: Path | None) -> None:
    """Print what an import gave, for people.

    Args:
        imported: the result.
        out: the manifest that was written, None where none was.
    """
    from mesoscope_train.data.import_summary import Count, count, count_by

    console = stdout()
    manifest = imported.manifest
    table = Table("", *LABELS, "rows", "groups", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"

    def add(name: str, part: Count) -> None:
        table.add_row(
            Text(printable(name)),
            *(f"{part.labels[label]:,}" for label in LABELS),
            f"{part.rows:,}",
            f"{part.groups:,}",
        )

    for name, part in count_by(manifest, "dataset").items():
        add(name, part)
    if "split" in manifest:
        for name, part in count_by(manifest, "split").items():
            add(f"split {name}", part)
    if table.row_count > 1:
        add("all", count(manifest))
    console.print(table)
    _show_rest(imported)
    console.print(f"written: {printable(str(out))}" if out else "nothing was written (--dry-run)")


def _show_rest(imported: Imported) -> None:
    """Print what was left out, and remarks."""
    console = stdout()
    skips = imported.skips
    if skips.total:
        console.print(Text(f"left out: {skips.total:,}", "bold"))
    for reason, number in skips.reasons.items():
        console.print(f"  {number:,} x {printable(reason)}")
        shown = [printable(path) for path in skips.examples[reason][:_EXAMPLES]]
        console.print(Text("      " + ", ".join(shown) + (", …" if number > len(shown) else ""), "dim"))
    if imported.beyond_limit:
        console.print(f"cut off by --limit: {imported.beyond_limit:,} rows")
    for note in skips.notes:
        console.print(f"note: {printable(note)}")


def show_first(imported: Imported, number: int) -> None:
    """Print the first rows, column by column."""
    from mesoscope_train.data.import_summary import first_rows

    console = stdout()
    console.print(Text("first rows", "bold"))
    for row in first_rows(imported.manifest, number):
        console.print(f"  {printable(str(row.pop('path')))}")
        values = "  ".join(f"{name}={printable(str(value))}" for name, value in row.items())
        console.print(Text(f"      {values}", "dim"))
