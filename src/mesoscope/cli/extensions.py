"""Commands that live elsewhere: found through entry points, loaded only when they run.

A distribution adds a command with an entry point in the group ``mesoscope.commands``, whose name is the
command's path (``train``, ``bundle.import``) and whose value is an `Extension`. The module that holds the
`Extension` must be light: it is imported for ``--help``; the module that `Extension.load` names may be heavy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import typer

from mesoscope.errors import ExtraMissing

GROUP = "mesoscope.commands"


@dataclass(frozen=True, slots=True)
class Extension:
    """A command that is loaded when it runs.

    Attributes:
        help: one line for the list of commands.
        load: ``package.module:function``, a function with Typer's annotations.
        extra: the extra of mesoscope that brings what the module imports.
    """

    help: str
    load: str
    extra: str

    def function(self, command: str) -> Callable[..., Any]:
        """Import the function.

        Raises:
            ExtraMissing: something it needs is not installed.
        """
        module, _, name = self.load.partition(":")
        try:
            return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing == module.partition(".")[0]:
                raise
            raise ExtraMissing(f"'mesoscope {command}'", self.extra) from error


def extensions() -> Iterator[tuple[str, Extension]]:
    """All commands that were found: their path (``bundle.import``) and what loads them."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        yield entry.name, entry.load()


def add_to(app: typer.Typer, parent: str) -> None:
    """Enter the extensions below `parent` (``""`` for the top, ``"bundle"``) into a Typer application."""
    for path, extension in extensions():
        above, _, name = path.rpartition(".")
        if above == parent:
            _add(app, path.replace(".", " "), name, extension)


def _add(app: typer.Typer, command: str, name: str, extension: Extension) -> None:
    # the real command parses its own arguments, --help among them: the stand-in hands all of them on
    hands_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command(name, help=extension.help, context_settings=hands_on, add_help_option=False)
    def stand_in(context: typer.Context) -> None:
        real = typer.Typer(add_completion=False, rich_markup_mode="rich")
        real.command(name)(extension.function(command))
        typer.main.get_command(real)(args=list(context.args), prog_name=f"mesoscope {command}", standalone_mode=False)
