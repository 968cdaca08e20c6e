"""The command line. Results on stdout, everything else on stderr; exit codes in `mesoscope.cli.exits`."""

from __future__ import annotations

import warnings
from typing import Annotated

import typer

import mesoscope
from mesoscope.cli import bundle as bundle_commands
from mesoscope.cli import exits
from mesoscope.cli.detect import EXAMPLES, detect
from mesoscope.cli.extensions import add_to


def application() -> typer.Typer:
    """The whole command line, with the commands that other distributions bring."""
    app = typer.Typer(
        name="mesoscope",
        help=mesoscope.__doc__.splitlines()[0] if mesoscope.__doc__ else None,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_top)
    app.command(help=EXAMPLES, short_help="Judge pictures, faces and videos.", no_args_is_help=True)(detect)
    add_to(bundle_commands.app, "bundle")
    app.add_typer(bundle_commands.app, name="bundle")
    add_to(app, "")
    return app


def _version(on: bool) -> None:
    if on:
        typer.echo(f"mesoscope {mesoscope.__version__}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Nothing to do: each command does its own."""


def main() -> None:
    """Run the program and exit with its code."""
    raise SystemExit(exits.run(_program))


def _program() -> int:
    # Pillow's remarks on odd metadata; what matters of a file is said in its answer
    warnings.filterwarnings("ignore", module="PIL")
    result = application()(prog_name="mesoscope", standalone_mode=False)
    return result if isinstance(result, int) else exits.OK
