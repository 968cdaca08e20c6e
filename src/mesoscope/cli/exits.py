"""Exit codes, and the one place that turns errors and interruptions into them."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

from mesoscope.cli.console import fail
from mesoscope.cli.extensions import ExtensibleGroup
from mesoscope.errors import BundleError, BundleNotFound, MesoscopeError, UsageError

OK = 0
FAILED = 1
USAGE = 2
SOME_WITHOUT_ANSWER = 3
"""Some inputs ended as error or not_applicable, or the bundle was refused, so that none has an answer."""
INTERRUPTED = 130
TERMINATED = 143


class Program(ExtensibleGroup):
    """The top of the command line: whatever ends a command becomes one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer keeps the context's class to itself
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except MesoscopeError as error:
            fail(str(error))
            raise SystemExit(code_for(error)) from None
        except KeyboardInterrupt:
            fail("interrupted; no half-written file was left")
            raise SystemExit(INTERRUPTED) from None
        except BrokenPipeError:
            # the reader of our output has gone (`| head`): nobody is left to tell, and Python must not try at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(OK) from None


def code_for(error: MesoscopeError) -> int:
    """Exit code of an error that ended the program."""
    if isinstance(error, UsageError | BundleNotFound):
        return USAGE
    if isinstance(error, BundleError):
        return SOME_WITHOUT_ANSWER
    return FAILED


def end_on_signals() -> None:
    """Let a plea to end (SIGTERM) unwind like an exception, so that unfinished files are removed."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, end)
