"""``mesoscope data merge``: several manifests as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mesoscope_train.data.splitting import Merged

OUTPUT = "Output"


def command(
    manifests: Annotated[list[Path], typer.Argument(help="The manifests to merge.", metavar="MANIFEST...")],
    out: Annotated[
        Path, typer.Option(help="The manifest to write, .parquet or .csv.", metavar="FILE", rich_help_panel=OUTPUT)
    ],
    rename: Annotated[
        list[str] | None,
        typer.Option(
            help="Another name for a set: OLD=NEW, or MANIFEST:OLD=NEW where several have OLD; may be repeated.",
            metavar="OLD=NEW",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a manifest that is already there.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The table as JSON, for programs.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Merge several manifests into one that keeps sources, splits and history.

    Paths become relative to the deepest directory above all of them. Groups of equal name are one
    group afterwards. A file that stands in several manifests is kept once; where they contradict
    each other about it, the merge is refused.

    [bold]Examples[/]

      mesoscope data merge ffpp.parquet celebdf.parquet dfdc.parquet --out merged.parquet

      mesoscope data merge a/faces.parquet b/faces.parquet --rename b/faces.parquet:faces=faces-b --out m.parquet
    """
    from mesoscope.manifest import read_manifest, write_manifest
    from mesoscope_train.commands.data_output import command_line, writable
    from mesoscope_train.data.splitting import Renaming, Source, merge

    renamings = [Renaming.parse(text) for text in rename or ()]
    target = writable(out, force)
    merged = merge([Source(str(path), read_manifest(path)) for path in manifests], renamings)
    write_manifest(merged.manifest.with_history(command_line()), target)
    _answer(merged, target, as_json)


def _answer(merged: Merged, out: Path, as_json: bool) -> None:
    """Print the table on stdout, what must be known on stderr."""
    from dataclasses import asdict

    from mesoscope.cli.console import printable, remark, stdout
    from mesoscope_train.commands.data_output import print_json, table_of
    from mesoscope_train.data.splitting import cells_of

    cells = cells_of(merged.manifest)
    if as_json:
        facts = {"manifest": str(out), "root": str(merged.manifest.root), "rows": len(merged.manifest)}
        table = [asdict(cell) for cell in cells]
        print_json({**facts, "repeated": merged.repeated, "cells": table, "notes": merged.notes})
    else:
        rows = [(cell.dataset, cell.label, cell.part, f"{cell.rows:,}", f"{cell.groups:,}") for cell in cells]
        stdout().print(table_of(("dataset", "label", "part"), ("rows", "groups"), rows))
        stdout().print(f"written: {printable(str(out))} ({len(merged.manifest):,} rows below {merged.manifest.root})")
    if merged.repeated:
        remark(f"{merged.repeated:,} rows are files that an earlier manifest has too; each is kept once")
    for note in merged.notes:
        remark(note)
