"""Commands that live elsewhere: found through entry points, loaded only when they run.

A distribution adds a command with an entry point in the group ``mesoscope.commands``, whose name is the
command's path (``train``, ``bundle.import``) and whose value is an `Extension`. The module that holds the
`Extension` must be light: it is imported for ``--help``; the module that `Extension.load` names may be heavy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperGroup

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

    def function(self) -> Callable[..., Any]:
        """Import the function; raises ModuleNotFoundError where a part of the extra is missing."""
        module, _, name = self.load.partition(":")
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return found

    @contextmanager
    def naming_its_extra(self, command: str) -> Iterator[None]:
        """Inside, a module that is not installed is told as the extra that brings it.

        Raises:
            ExtraMissing: instead of ModuleNotFoundError, unless it is the extension's own package that is missing.
        """
        try:
            yield
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] in ("mesoscope", self.load.partition(".")[0]):
                raise
            raise ExtraMissing(f"'mesoscope {command}'", self.extra) from error


def extensions(parent: str | None = None) -> Iterator[tuple[str, Extension]]:
    """Commands that were found, with their path (``bundle.import``); with `parent`, those directly below it."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        if parent is None or entry.name.rpartition(".")[0] == parent:
            yield entry.name, entry.load()


class ExtensibleGroup(TyperGroup):
    """A group of commands that asks for extensions only where its own commands do not answer.

    Attributes:
        path: of the group, ``""`` for the top.
    """

    path = ""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - Typer keeps the context's class to itself
        """Own commands, then extensions."""
        return [*super().list_commands(ctx), *(path.rpartition(".")[2] for path, _ in extensions(self.path))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - see list_commands
        """An own command, or the stand-in of an extension."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        wanted = f"{self.path}.{cmd_name}".lstrip(".")
        found = dict(extensions(self.path)).get(wanted)
        return None if found is None else stand_in(wanted.replace(".", " "), found)


class BundleGroup(ExtensibleGroup):
    """`mesoscope bundle`."""

    path = "bundle"


class DataGroup(ExtensibleGroup):
    """`mesoscope data`: all its commands come from elsewhere."""

    path = "data"


class UnderstandGroup(ExtensibleGroup):
    """`mesoscope understand`: all its commands come from elsewhere."""

    path = "understand"


def stand_in(command: str, extension: Extension) -> Any:  # noqa: ANN401 - see ExtensibleGroup.list_commands
    """A command that hands all its arguments, ``--help`` among them, to the real one."""
    app = typer.Typer(add_completion=False)
    hands_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command(command.rpartition(" ")[2], help=extension.help, context_settings=hands_on, add_help_option=False)
    def run(context: typer.Context) -> None:
        with extension.naming_its_extra(command):
            real = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
            real.command()(extension.function())
            typer.main.get_command(real)(args=list(context.args), prog_name=f"mesoscope {command}")

    return typer.main.get_command(app)
