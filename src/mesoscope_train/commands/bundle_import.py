"""``mesoscope bundle import``: weights that others published, turned into a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesoscope.bundle import user_bundle_directory


def run(format: str, file: Path, out: Path, name: str | None, force: bool) -> Path:
    """Import weights and return the new bundle's directory, ``out/name-version``.

    Args:
        format: a name in `mesoscope_train.weight_formats.weight_formats`.
        file: the weights.
        out: the directory that will hold the bundle's.
        name: of the bundle; None where the format knows the file.
        force: replace a bundle that is already there.

    Raises:
        UsageError: unknown format, a file that is not of it, or something is already at the place.
        ExportError: the graph does not agree with the network.
    """
    # torch takes seconds to load, and `--help` must not wait for it
    from mesoscope_train.weight_formats import weight_formats

    return weight_formats[format](file, out, name=name, overwrite=force).path


def command(
    file: Annotated[Path, typer.Argument(help="The published weights.", metavar="FILE")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Directory that will hold the bundle's own directory; default: where installed bundles live.",
            metavar="DIR",
        ),
    ] = None,
    format: Annotated[str, typer.Option(help="What the weights are: mesonet.", metavar="NAME")] = "mesonet",
    name: Annotated[
        str | None, typer.Option(help="Name of the bundle; default: by the published file it is.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is already there.")] = False,
) -> None:
    """Turn published weights into a bundle that `detect` can use.

    What the weights leave open is not invented: imported bundles have no calibration and say so in every answer.

    [bold]Examples[/]

      mesoscope bundle import --format mesonet Meso4_DF.h5 --out bundles/

      mesoscope detect face.jpg --faces none --bundle bundles/mesonet-meso4-df-1
    """
    path = run(format, file, out or user_bundle_directory(), name, force)
    typer.echo(path)
