"""``mesoscope compare``: runs side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mesoscope.cli.console import stdout

_WIDE = 110
"""Columns of a terminal in which a run and its detector stand side by side."""


def command(
    runs: Annotated[list[Path], typer.Argument(help="Directories of finished runs.", metavar="RUN")],
    figure: Annotated[
        Path | None, typer.Option(help="Write the curves side by side (.png, .svg, .pdf).", metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare runs: validation loss, accuracy, AUC, parameters, seconds an epoch, images a second.

    All runs must have been validated on the same manifest. The figures are of validation pictures on which the
    epochs were chosen; 'mesoscope evaluate' gives those of test pictures.

    [bold]Examples[/]

      mesoscope compare runs/cnn-1 runs/densenet121 runs/resnet50 --figure five.png

      mesoscope compare runs/* --json
    """
    from mesoscope_train.figures import save
    from mesoscope_train.training.comparing import compared, comparison

    lines = compared(runs)
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        _print(lines)
    if figure is not None:
        save(comparison(runs), figure)


def _print(lines: list[object]) -> None:
    from rich.table import Table

    from mesoscope_train.training.comparing import Compared

    console = stdout()
    narrow = console.width < _WIDE
    table = Table(box=None, header_style="bold", padding=(0, 1 if narrow else 2, 0, 0))
    for name in ["run"] if narrow else ["run", "detector"]:  # names are broken where there is no room, figures never
        table.add_column(name, overflow="fold")
    for name in ("loss", "accuracy", "AUC", "parameters", "s/epoch", "images/s", "waits", "epochs"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        assert isinstance(line, Compared)  # noqa: S101 - see the import above
        run = line.run + (" (smoke test)" if line.smoke_test else "")
        table.add_row(
            *([f"{run}\n{line.detector}"] if narrow else [run, line.detector]),
            f"{line.val_loss:.4f}",
            f"{line.val_accuracy:.4f}",
            f"{line.val_auc:.4f}",
            f"{line.parameters:,}",
            f"{line.seconds_per_epoch:.1f}",
            f"{line.images_per_second:.0f}",
            f"{line.data_share:.1%}",
            str(line.epochs),
        )
    console.print(table)
