"""``mesoscope data explore``: a data set on one page."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

SHOWN = "What is shown"
AUDIT = "Audit"


def command(  # noqa: PLR0917 - each parameter is a flag
    manifest: Annotated[Path, typer.Argument(help="The manifest to show.", metavar="MANIFEST")],
    out: Annotated[Path, typer.Option(help="Directory for index.html and figures/.", metavar="DIR")],
    samples: Annotated[
        int, typer.Option(min=0, help="Pictures shown of each class.", metavar="N", rich_help_panel=SHOWN)
    ] = 24,
    seed: Annotated[int, typer.Option(help="Another seed, other samples.", rich_help_panel=SHOWN)] = 0,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Columns shown by value, instead of all of text and yes/no with few values.",
            metavar="A,B",
            rich_help_panel=SHOWN,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Show what this recipe's augmentation makes of training pictures (mesoscope train --list).",
            metavar="NAME",
            rich_help_panel=SHOWN,
        ),
    ] = None,
    no_audit: Annotated[
        bool,
        typer.Option(
            "--no-audit",
            help="Read no file but the samples: no audit, no sizes, no formats.",
            rich_help_panel=AUDIT,
        ),
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Where measurements are kept; default: .mesoscope beside the manifest.",
            metavar="DIR",
            rich_help_panel=AUDIT,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0, help="Processes that measure files; 0: none but this one; default: one a core.", metavar="N"
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Where the files lie, if not where the manifest says.", metavar="DIR")
    ] = None,
) -> None:
    """Show a data set on one page: counts, slices, sizes, samples of each class, and the audit.

    The page is one HTML file that needs nothing else. Its figures lie beside it too, as PNG (and
    charts as SVG), for a paper or slides. The audit that lies beside the manifest is used where it
    is of these very rows; otherwise one is made and kept there.

    [bold]Examples[/]

      mesoscope data explore faces.parquet --out page/

      mesoscope data explore split.parquet --out page/ --samples 48 --seed 3 --columns generator,difficulty

      mesoscope data explore split.parquet --out page/ --recipe mesoinception-svm

      mesoscope data explore million.parquet --out page/ --no-audit
    """
    from mesoscope.cli.console import warn
    from mesoscope.manifest import read_manifest
    from mesoscope_train.commands.data_output import command_line, words
    from mesoscope_train.data.audit.findings import LEAKS
    from mesoscope_train.data.audit.gate import audited
    from mesoscope_train.data.audit.measures import measure
    from mesoscope_train.data.audit.run import cache_directory, measures_file
    from mesoscope_train.data.explore import ExploreOptions, check, explore
    from mesoscope_train.progress import progress
    from mesoscope_train.recipes import recipe_named

    workers = (os.cpu_count() or 1) if workers is None else workers
    found = read_manifest(manifest, root=root)
    shown = recipe_named(recipe) if recipe else None
    options = ExploreOptions(
        samples=samples,
        seed=seed,
        columns=words(columns or ""),
        workers=workers,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        command=command_line(seed),
        source=str(manifest),
        recipe=recipe or "",
        augment=shown.augment if shown else (),
        blend=shown.blend if shown else None,
    )
    # a mistyped column must not be told after an hour of measuring
    check(found, options, out)
    measures = audit = None
    if not no_audit:
        kept = cache or cache_directory(manifest)
        audit = audited(manifest, found, allow=LEAKS, cache_dir=kept, workers=workers, progress=progress, remark=warn)
        with progress("looking up measurements", len(found)) as step:
            measures = measure(found, measures_file(found, kept), workers=workers, progress=step, remark=warn)
    page = explore(found, out, options, measures=measures, audit=audit, progress=progress)
    for leak in audit.leaks() if audit else ():
        warn(f"{leak.kind}: {leak.message}")
    typer.echo(page)
