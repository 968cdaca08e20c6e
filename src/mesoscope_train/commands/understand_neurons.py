"""``mesoscope understand neurons``: what kernels, filters and neurons look for, as sheets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

SHOWN = "What is shown"
ASCENT = "How pictures are found"


def command(  # noqa: PLR0917 - each parameter is a flag
    bundle: Annotated[str, typer.Option(help="Bundle by name or path.", metavar="NAME")],
    out: Annotated[
        Path, typer.Option(help="Directory for index.html, figures/ (PNG and PDF) and neurons.json.", metavar="DIR")
    ],
    layer: Annotated[
        str | None,
        typer.Option(
            help="Convolution layers whose filters are excited; default: the last one.",
            metavar="A,B",
            rich_help_panel=SHOWN,
        ),
    ] = None,
    filters: Annotated[
        str, typer.Option(help="Which filters of each layer; none.", metavar="0-7", rich_help_panel=SHOWN)
    ] = "0-7",
    neurons: Annotated[
        str | None,
        typer.Option(
            help="Which neurons of the last hidden layer; default: those of the strongest weights, 8 of each sign.",
            metavar="0-7",
            rich_help_panel=SHOWN,
        ),
    ] = None,
    penalty: Annotated[
        float, typer.Option(help="Lambda, the weight of the input's norm.", rich_help_panel=ASCENT)
    ] = 10.0,
    norm: Annotated[float, typer.Option(help="p of that norm.", rich_help_panel=ASCENT)] = 6.0,
    steps: Annotated[int, typer.Option(help="Steps of the ascent.", rich_help_panel=ASCENT)] = 128,
    rate: Annotated[float, typer.Option(help="Learning rate of the ascent.", rich_help_panel=ASCENT)] = 0.05,
    jitter: Annotated[
        int, typer.Option(help="Shift the picture at each step by up to so many pixels.", rich_help_panel=ASCENT)
    ] = 0,
    fourier: Annotated[
        bool, typer.Option("--fourier", help="Search in frequencies instead of pixels.", rich_help_panel=ASCENT)
    ] = False,
    over: Annotated[
        str,
        typer.Option(help="A filter's activation: its mean, sum or centre position.", rich_help_panel=ASCENT),
    ] = "mean",
    seed: Annotated[int, typer.Option(help="Of the start and of the jitter.", rich_help_panel=ASCENT)] = 0,
) -> None:
    """Show what a network's kernels, filters and hidden neurons look for.

    The first layer's kernels are read as image filters, with the nearest named one. For filters and for
    the neurons of the last hidden layer, pictures are found that excite them most (activation
    maximisation with a penalty of 10 times the 6-norm); neurons are grouped by the sign of their output
    weight: towards fake, towards real. Works for every registered detector; the same seed gives the same
    sheet.

    [bold]Examples[/]

      mesoscope understand neurons --bundle mesoscope-face --out neurons/

      mesoscope understand neurons --bundle meso4/ --layer conv3,conv4 --filters 0-7 --out neurons/

      mesoscope understand neurons --bundle meso4/ --fourier --jitter 8 --steps 256 --out neurons/
    """
    from typing import get_args

    from mesoscope.errors import UsageError
    from mesoscope_train.commands.data_output import command_line, words
    from mesoscope_train.progress import progress
    from mesoscope_train.understanding.neurons import NeuronOptions, check, neuron_sheets
    from mesoscope_train.understanding.neurons.maximise import Ascent, Over
    from mesoscope_train.understanding.subject import open_subject

    if over not in get_args(Over):
        raise UsageError(f"--over must be one of {', '.join(get_args(Over))}, not {over!r}")
    options = NeuronOptions(
        layers=words(layer or ""),
        filters=filters,
        neurons=neurons,
        ascent=Ascent(
            penalty=penalty,
            p=norm,
            steps=steps,
            rate=rate,
            jitter=jitter,
            fourier=fourier,
            over=over,
            seed=seed,
        ),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        command=command_line(seed),
    )
    subject = open_subject(bundle)
    check(subject, options, out)
    page, _ = neuron_sheets(subject, out, options, progress=progress)
    typer.echo(page)
