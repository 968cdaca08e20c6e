"""``mesoscope data sample``: a balanced part of a manifest, out of as many groups as there are."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesoscope.errors import UsageError

if TYPE_CHECKING:
    from mesoscope.manifest import Manifest
    from mesoscope_train.data.splitting import Sample

OUTPUT = "Output"


def command(  # noqa: PLR0917 - each parameter is a flag
    manifest: Annotated[Path, typer.Argument(help="The manifest to draw from.", metavar="MANIFEST")],
    out: Annotated[
        Path, typer.Option(help="The manifest to write, .parquet or .csv.", metavar="FILE", rich_help_panel=OUTPUT)
    ],
    per_class: Annotated[int | None, typer.Option(help="So many rows of every class.", metavar="N")] = None,
    even: Annotated[
        bool, typer.Option("--even", help="As many rows of every class as the smallest has, or --total together.")
    ] = False,
    total: Annotated[int | None, typer.Option(help="With --even: so many rows together.", metavar="N")] = None,
    by: Annotated[
        str,
        typer.Option(help="Columns whose combinations are the classes: label,dataset.", metavar="COLUMNS"),
    ] = "label",
    seed: Annotated[int, typer.Option(help="Another seed, another sample.")] = 0,
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
    """Draw equally many rows of every class, from as many groups as possible.

    Every group gives one row before any gives a second. Within a group its videos take turns, and
    a video gives frames that lie far apart first. The same seed gives the same sample, whatever
    the order of the rows.

    [bold]Examples[/]

      mesoscope data sample dfdc.parquet --even --total 16000 --out even.parquet

      mesoscope data sample merged.parquet --per-class 500 --by label,dataset --out small.parquet
    """
    from mesoscope.manifest import read_manifest, write_manifest
    from mesoscope_train.commands.data_output import command_line, words, writable

    if even == (per_class is not None):
        raise UsageError("say how much to draw: --per-class N, or --even")
    if total is not None and not even:
        raise UsageError("--total goes with --even")
    target = writable(out, force)
    drawn = _drawn(read_manifest(manifest, root=root), per_class, total, words(by), seed)
    write_manifest(drawn.manifest.with_history(command_line(seed)), target)
    _answer(drawn, target, as_json)


def _drawn(manifest: Manifest, per_class: int | None, total: int | None, by: tuple[str, ...], seed: int) -> Sample:
    from mesoscope_train.data.splitting import sample_even, sample_per_class

    if per_class is None:
        return sample_even(manifest, total, by=by, seed=seed)
    return sample_per_class(manifest, per_class, by=by, seed=seed)


def _answer(drawn: Sample, out: Path, as_json: bool) -> None:
    """Print the table on stdout, what must be known on stderr."""
    from mesoscope.cli.console import printable, stdout, warn
    from mesoscope_train.commands.data_output import print_json, table_of

    if as_json:
        classes = [asdict(entry) for entry in drawn.classes]
        print_json(
            {"manifest": str(out), "rows": len(drawn.manifest), "classes": classes, "warnings": drawn.warnings}
        )
    else:
        rows = [
            tuple(
                [
                    entry.name,
                    *(f"{n:,}" for n in (entry.taken, entry.taken_groups, entry.most, entry.rows, entry.groups)),
                ]
            )
            for entry in drawn.classes
        ]
        numbers = ("rows drawn", "from groups", "most of one group", "rows there", "groups there")
        stdout().print(table_of(("class",), numbers, rows))
        stdout().print(f"written: {printable(str(out))} ({len(drawn.manifest):,} rows)")
    for warning in drawn.warnings:
        warn(warning)
