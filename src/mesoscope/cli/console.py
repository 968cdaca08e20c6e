"""What the terminal is told: results on stdout, progress, warnings and errors on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from mesoscope.types import Outcome

OUTCOME_STYLES = {
    Outcome.FAKE: "bold red",
    Outcome.REAL: "green",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.ERROR: "bold magenta",
}
OUTCOME_WORDS = {
    Outcome.FAKE: "likely fake",
    Outcome.REAL: "likely real",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.NOT_APPLICABLE: "no answer",
    Outcome.ERROR: "error",
}


def stdout() -> Console:
    """For results: nothing in them is read as markup, and long lines stay whole."""
    return Console(file=sys.stdout, markup=False, highlight=False, soft_wrap=True)


def stderr() -> Console:
    """For everything else."""
    return Console(file=sys.stderr, markup=False, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """File names are strangers' input: control characters, which could drive the terminal, become visible."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def fail(message: str) -> None:
    """Say on stderr what was wrong."""
    stderr().print(Text.assemble(("error: ", "bold red"), printable(message)))


def warn(message: str) -> None:
    """Say on stderr what should be known."""
    stderr().print(Text.assemble(("warning: ", "yellow"), printable(message)))


def remark(message: str) -> None:
    """Say on stderr, quietly, what puts results in their place."""
    stderr().print(Text(printable(message), "dim"))


@contextmanager
def counting(what: str) -> Iterator[Callable[[], None]]:
    """A line on stderr that counts, where people look at stderr and results go elsewhere; yields a callable."""
    console = stderr()
    if not console.is_terminal or sys.stdout.isatty():
        yield lambda: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} " + what), TimeElapsedColumn())
    # left to itself it would send stdout, which holds the results, to its own console
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        task = progress.add_task(what, total=None)
        yield lambda: progress.advance(task)
