"""``mesoscope data import``: a data set on disk, turned into a manifest."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions, importers

if TYPE_CHECKING:
    from mesoscope_train.data.importing import Imported

_FIRST = 5
"""Rows that --dry-run shows."""
MAPPING = "What the set's words mean"
TAKING = "What is taken"
OUTPUT = "Output"


def command(  # noqa: PLR0917 - each parameter is a flag
    root: Annotated[
        Path | None,
        typer.Argument(help="Directory of the set; the manifest's paths are relative to it.", metavar="ROOT"),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="Layout of the set; see the list below.", metavar="NAME")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The manifest to write, .parquet or .csv.", metavar="FILE", rich_help_panel=OUTPUT),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Name of the set in the manifest; default: the layout's, or ROOT's.", metavar="NAME"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="What a folder's name or a word of the label column means; may be repeated.",
            metavar="WORD=real|fake",
            rich_help_panel=MAPPING,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="Which column of the table fills which of the manifest's, or a template of several: "
            "'path=real/{id}.jpg'; may be repeated.",
            metavar="NAME=COLUMN",
            rich_help_panel=MAPPING,
        ),
    ] = None,
    constant: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of the manifest with one value for all rows; may be repeated.",
            metavar="NAME=VALUE",
            rich_help_panel=MAPPING,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            help="The table, as seen from here or from ROOT; default: where the layout has it.",
            metavar="FILE",
            rich_help_panel=MAPPING,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            help="What must never be split, where the layout does not say it: 'file' (each its own), 'folder', or a "
            "regular expression on the path whose first parenthesis is the group.",
            metavar="RULE",
            rich_help_panel=MAPPING,
        ),
    ] = None,
    subfolders: Annotated[
        str | None,
        typer.Option(
            help="Column that receives the name of the folder below the label's.",
            metavar="COLUMN",
            rich_help_panel=MAPPING,
        ),
    ] = None,
    compression: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this compression of the set (c23); may be repeated.", metavar="WORD", rich_help_panel=TAKING
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(help="At most so many rows of each label, the first.", metavar="N", rich_help_panel=TAKING),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing, show the first rows.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The summary as JSON, for programs.", rich_help_panel=OUTPUT)
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a manifest that is already there.", rich_help_panel=OUTPUT)
    ] = False,
    formats: Annotated[
        bool, typer.Option("--formats", help="Show every layout with its folders and files, and stop.")
    ] = False,
) -> None:
    r"""Turn a published data set, or your own folders, into a manifest.

    Pictures are listed, not opened. What is left out is counted with the reason; a label is never guessed.

    [bold]Examples[/]

      mesoscope data import --format folders pictures/ --out pictures.parquet

      mesoscope data import --format folders frames/ --label Pristine=real --group '(\d+)_' --out f.csv

      mesoscope data import --format table faces/ --column path=file --label 1=fake --dry-run

      mesoscope data import --format faceforensics FaceForensics/ --compression c23 --out ffpp.parquet

      mesoscope data import --formats

    [bold]Exit codes[/]  0 also where files were left out (counted); 2 wrong usage, or nothing fits the layout
    """
    from mesoscope.manifest import write_manifest
    from mesoscope_train.commands.data_import_answer import show_formats
    from mesoscope_train.commands.data_output import command_line
    from mesoscope_train.data.importing import import_data
    from mesoscope_train.progress import progress

    if formats:
        show_formats()
        return
    options = ImportOptions(
        dataset=dataset,
        labels=_pairs("--label", label),
        columns=_pairs("--column", column),
        constants=_pairs("--constant", constant),
        table=table,
        group=group,
        subfolders=subfolders,
        compressions=tuple(compression or ()),
    )
    root, format = _asked(root, format)
    target = None if dry_run else _target(out, force)
    with progress(f"listing {root}") as step:
        imported = import_data(format, root, options, limit=limit, progress=step, history=command_line())
    if target:
        write_manifest(imported.manifest, target)
    _answer(imported, target, as_json)


def _asked(root: Path | None, format: str | None) -> tuple[Path, str]:
    if format is None:
        raise UsageError(f"name the layout with --format; known: {', '.join(importers)} ('--formats' shows them)")
    if root is None:
        raise UsageError("name the directory of the set: mesoscope data import --format NAME ROOT --out FILE")
    return root, format


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping; the value may hold further equals signs."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{option} '{text}': write it as NAME=VALUE")
        if found.setdefault(name, value) != value:
            raise UsageError(f"{option} {name}: said twice, as '{found[name]}' and as '{value}'")
    return found


def _target(out: Path | None, force: bool) -> Path:
    """Where the manifest goes, checked before hours of listing."""
    from mesoscope_train.commands.data_output import writable

    if out is None:
        raise UsageError("name the manifest to write with --out FILE.parquet, or look first with --dry-run")
    return writable(out, force)


def _answer(imported: Imported, out: Path | None, as_json: bool) -> None:
    """Print the summary; without a manifest that was written, the first rows too."""
    from mesoscope_train.commands.data_import_answer import show_first, show_summary
    from mesoscope_train.data.import_summary import first_rows, summary

    if not as_json:
        if out is None:
            show_first(imported, _FIRST)
        show_summary(imported, out)
        return
    shown = {"manifest": str(out)} if out else {"manifest": None, "first": first_rows(imported.manifest, _FIRST)}
    sys.stdout.write(json.dumps({**shown, **summary(imported)}, indent=2, ensure_ascii=False) + "\n")


def _with_formats(help: str | None) -> str:
    """The help with all layouts that are registered, so that a new importer is listed by being there."""
    lines = [f"  [cyan]{name}[/]  {escape(importers[name].title)}" for name in importers]
    return "\n\n".join([help or "", "[bold]Layouts[/] for --format", *lines])


command.__doc__ = _with_formats(command.__doc__)
