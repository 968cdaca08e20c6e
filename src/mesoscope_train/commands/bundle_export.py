"""``mesoscope bundle export``: a finished run, turned into a bundle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from mesoscope.bundle import user_bundle_directory
from mesoscope.errors import UsageError


def command(  # noqa: PLR0917 - each parameter is a flag
    run: Annotated[Path, typer.Argument(help="Directory of a finished run.", metavar="RUN")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Directory that will hold the bundle's own; default: where installed bundles live.", metavar="DIR"
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the bundle; default: the run's directory.")] = None,
    version: Annotated[str, typer.Option(help="Numbers with dots.")] = "1",
    terms: Annotated[
        list[str] | None, typer.Option(help="Terms of a data set's pictures, NAME=TEXT.", metavar="NAME=TEXT")
    ] = None,
    weights_licence: Annotated[str | None, typer.Option(help="Under which the weights are given away.")] = None,
    root: Annotated[
        Path | None, typer.Option(help="Where the pictures lie, if not where the run's manifest says.", metavar="DIR")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is already there.")] = False,
) -> None:
    """Turn a run into a bundle that `detect` can use.

    Calibration, thresholds and the inconclusive band are chosen on the validation part alone. The graph, with its
    explanation map, is compared with the network on validation pictures in both engines; where they differ by more
    than 1e-4, nothing is written.

    [bold]Examples[/]

      mesoscope bundle export runs/meso4 --out bundles/ --name my-faces --terms my-set="research only"

      mesoscope detect photo.jpg --bundle bundles/my-faces-1
    """
    from mesoscope_train.training.exporting import NOT_STATED, export_run
    from mesoscope_train.training.run import Run

    pairs = [entry.partition("=") for entry in terms or ()]
    for given, (_, equals, _) in zip(terms or (), pairs, strict=True):
        if not equals:
            raise UsageError(f"--terms {given}: write it as NAME=TEXT")
    bundle = export_run(
        Run(run),
        out or user_bundle_directory(),
        name=name or re.sub(r"[^a-z0-9]+", "-", run.resolve().name.lower()).strip("-"),
        version=version,
        terms={set_name: text for set_name, _, text in pairs},
        weights_licence=weights_licence or NOT_STATED,
        root=root,
        overwrite=force,
    )
    typer.echo(bundle.path)
