"""``mesoscope data split``: train, validation and test, or folds, never through a group."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesoscope.errors import UsageError

if TYPE_CHECKING:
    from mesoscope_train.data.splitting import Folds, Fractions, Split

DEFAULT_FRACTIONS = "70:20:10"
OFFICIAL = "Splits the data came with"
OUTPUT = "Output"


def command(  # noqa: PLR0917 - each parameter is a flag
    manifest: Annotated[Path, typer.Argument(help="The manifest to split.", metavar="MANIFEST")],
    out: Annotated[
        Path, typer.Option(help="The manifest to write, .parquet or .csv.", metavar="FILE", rich_help_panel=OUTPUT)
    ],
    fractions: Annotated[
        str | None,
        typer.Option(
            help="Shares of the rows for train:validation:test; of two numbers, train:validation "
            f"(default {DEFAULT_FRACTIONS}).",
            metavar="A:B[:C]",
        ),
    ] = None,
    parts: Annotated[
        str | None,
        typer.Option(help="What the fractions are of, where it is not the above: train,test.", metavar="NAME,NAME"),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="So many folds instead of fractions, in the column 'fold'.", metavar="K")
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            help="What is never split: group, and further columns that tie groups together (group,identity).",
            metavar="COLUMNS",
        ),
    ] = "group",
    stratify: Annotated[
        str,
        typer.Option(help="Columns whose mix every part should have; '' for none.", metavar="COLUMNS"),
    ] = "label,dataset",
    seed: Annotated[int, typer.Option(help="Another seed, another split.")] = 0,
    ignore_official: Annotated[
        bool,
        typer.Option("--ignore-official", help="Split all rows anew.", rich_help_panel=OFFICIAL),
    ] = False,
    reopen: Annotated[
        list[str] | None,
        typer.Option(
            help="Split only this official part anew (train: to get a validation part out of it); may be repeated.",
            metavar="PART",
            rich_help_panel=OFFICIAL,
        ),
    ] = None,
    allow_leak: Annotated[
        list[str] | None,
        typer.Option(
            help="Keep an official split although it leaks: group, or identity; may be repeated.",
            metavar="KIND",
            rich_help_panel=OFFICIAL,
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Where the files lie, if not where the manifest says.", metavar="DIR")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a manifest that is already there.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The table as JSON, for programs.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Split a manifest by group into train, validation and test, or into folds.

    No group is ever split. Every part gets its share of the rows of every label and set as nearly
    as whole groups allow; what came of it is printed, and a share that misses what was asked by
    more than two points is told. The same seed gives the same split, whatever the order of rows.

    Rows that came with a split keep it, and the rest of their group goes with them. Only what
    remains of a set is split, into the parts its publisher did not make. With --folds an official
    test part stays apart.

    [bold]Examples[/]

      mesoscope data split faces.parquet --out split.parquet

      mesoscope data split faces.parquet --fractions 80:20 --parts train,test --seed 7 --out split.parquet

      mesoscope data split celebdf.parquet --by group,identity --out split.parquet

      mesoscope data split faces.parquet --folds 5 --stratify label,dataset,generator --out folds.parquet

    [bold]Exit codes[/]  0 done; 1 the official split leaks and nobody allowed it; 2 wrong usage
    """
    from mesoscope.manifest import read_manifest, write_manifest
    from mesoscope_train.commands.data_output import command_line, words, writable
    from mesoscope_train.data.splitting import split

    plan = _plan(fractions, parts, folds)
    reopened = _reopened(reopen or [], ignore_official)
    target = writable(out, force)
    made = split(
        read_manifest(manifest, root=root),
        plan,
        by=words(by),
        stratify=words(stratify),
        seed=seed,
        reopened=reopened,
        allowed=tuple(allow_leak or ()),
    )
    write_manifest(made.manifest.with_history(command_line(seed)), target)
    _answer(made, target, as_json)


def _plan(fractions: str | None, parts: str | None, folds: int | None) -> Fractions | Folds:
    from mesoscope_train.commands.data_output import words
    from mesoscope_train.data.splitting import Folds, Fractions

    if folds is None:
        return Fractions.parse(fractions or DEFAULT_FRACTIONS, words(parts) if parts else None)
    if fractions is not None or parts is not None:
        raise UsageError("give --fractions (with --parts) or --folds, not both")
    return Folds(folds)


def _reopened(reopen: list[str], ignore_official: bool) -> tuple[str, ...]:
    from mesoscope.manifest import SPLITS

    unknown = sorted(set(reopen) - set(SPLITS))
    if unknown:
        raise UsageError(f"--reopen {unknown[0]}: name one of {', '.join(SPLITS)}")
    return SPLITS if ignore_official else tuple(reopen)


def _answer(made: Split, out: Path, as_json: bool) -> None:
    """Print the table on stdout, what must be known on stderr."""
    from mesoscope.cli.console import printable, remark, stdout, warn
    from mesoscope_train.commands.data_output import print_json, table_of

    if as_json:
        cells = [asdict(cell) for cell in made.cells]
        totals = [asdict(cell) for cell in made.totals]
        facts = {"manifest": str(out), "rows": len(made.manifest), "units": made.units, "cells": cells}
        print_json({**facts, "totals": totals, "notes": made.notes, "warnings": made.warnings})
    else:
        rows = [
            (cell.dataset, cell.label, cell.part, f"{cell.rows:,}", f"{cell.share:.1%}", f"{cell.groups:,}")
            for cell in (*made.cells, *made.totals)
        ]
        stdout().print(table_of(("dataset", "label", "part"), ("rows", "share", "groups"), rows))
        stdout().print(f"written: {printable(str(out))}")
    for note in made.notes:
        remark(note)
    for warning in made.warnings:
        warn(warning)
