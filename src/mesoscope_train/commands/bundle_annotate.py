"""``mesoscope bundle annotate``: a card and limits that say more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    bundle: Annotated[str, typer.Argument(help="Name, name-version or directory.", metavar="B")],
    out: Annotated[Path, typer.Option(help="Directory that will hold the copy's own.", metavar="DIR")],
    card: Annotated[
        list[Path] | None,
        typer.Option(help="Markdown that is added to the card; repeatable.", metavar="FILE.md"),
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Sentence on what the bundle cannot do; repeatable.", metavar="TEXT")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is already there.")] = False,
) -> None:
    """Copy a bundle and add to its card what was measured, and to its limits what it cannot do.

    Graph, weights, calibration and thresholds stay the same. `mesoscope evaluate` writes the sections: cards/B.md.
    Limits are shown wherever the bundle speaks: by detect, in reports, by bundle show.

    [bold]Examples[/]

      mesoscope bundle annotate bundles/mine-1 --card evaluation/cards/mine-1.md --out measured/

      mesoscope bundle annotate mine --limit "It does not recognise generated faces." --out bundles/ --force
    """
    from mesoscope.bundle import load_bundle
    from mesoscope_train.annotating import annotate

    made = annotate(load_bundle(bundle), out, sections=card or (), limits=limit or (), overwrite=force)
    typer.echo(made.path)
