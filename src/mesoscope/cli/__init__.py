"""The command line. Results on stdout, everything else on stderr; exit codes in `mesoscope.cli.exits`."""

from __future__ import annotations

import warnings
from typing import Annotated

import typer

import mesoscope
from mesoscope.cli import bundle as bundle_commands
from mesoscope.cli.detect import EXAMPLES, detect
from mesoscope.cli.exits import Program, end_on_signals
from mesoscope.cli.explain import EXPLAIN_HELP, explain
from mesoscope.cli.extensions import BundleGroup, DataGroup, UnderstandGroup


def application() -> typer.Typer:
    """The whole command line; commands of other distributions are found when they are asked for."""
    app = typer.Typer(
        name="mesoscope",
        cls=Program,
        help=mesoscope.__doc__.splitlines()[0] if mesoscope.__doc__ else None,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_top)
    app.command(help=EXAMPLES, short_help="Judge pictures, faces and videos.", no_args_is_help=True)(detect)
    app.command(help=EXPLAIN_HELP, short_help="Show what the network saw.", no_args_is_help=True)(explain)
    app.add_typer(bundle_commands.app, name="bundle", cls=BundleGroup)
    data = typer.Typer(help="Data sets: import, faces, split, sample, merge, audit, explore.", no_args_is_help=True)
    data.callback()(_top_of_data)
    app.add_typer(data, name="data", cls=DataGroup)
    understand = typer.Typer(help="What a network looks for, over many pictures.", no_args_is_help=True)
    understand.callback()(_top_of_understand)
    app.add_typer(understand, name="understand", cls=UnderstandGroup)
    return app


def _version(on: bool) -> None:
    if on:
        typer.echo(f"mesoscope {mesoscope.__version__}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Nothing to do: each command does its own."""


def _top_of_data() -> None:
    """Data sets: import, faces, split, sample, merge, audit, explore."""


def _top_of_understand() -> None:
    """What a network looks for, over many pictures: means, neurons, edited parts."""


def main() -> None:
    """Run the program and exit with its code."""
    # Pillow's remarks on odd metadata; what matters of a file is said in its answer
    warnings.filterwarnings("ignore", module="PIL")
    end_on_signals()
    application()(prog_name="mesoscope")
