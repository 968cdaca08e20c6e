"""How far long work is, on stderr: a bar where a person watches, now and then a line where a log is written."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 30.0


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show progress while the block runs.

    Args:
        what: the work, in a few words ("measuring pictures").
        total: number of steps, None where nobody knows.

    Yields:
        A function to call after each step, or with the number of steps.
    """
    console = Console(file=sys.stderr, markup=False, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield _lines(console, what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        task = bar.add_task(what, total=total)

        def step(count: int = 1) -> None:
            bar.advance(task, count)

        yield step


def _lines(console: Console, what: str, total: int | None) -> Callable[..., None]:
    done, last = 0, time.monotonic()

    def step(count: int = 1) -> None:
        nonlocal done, last
        done += count
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            console.print(f"{what}: {done:,}" + (f" of {total:,}" if total else ""))

    return step
