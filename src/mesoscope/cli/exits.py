"""Exit codes, and the one place that turns errors into them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from mesoscope.cli.console import fail
from mesoscope.errors import BundleError, BundleNotFound, MesoscopeError, UsageError

OK = 0
FAILED = 1
USAGE = 2
SOME_WITHOUT_ANSWER = 3
"""Some inputs ended as error or not_applicable, or the bundle was refused, so that none has an answer."""
INTERRUPTED = 130


def code_for(error: MesoscopeError) -> int:
    """Exit code of an error that ended the program."""
    if isinstance(error, UsageError | BundleNotFound):
        return USAGE
    if isinstance(error, BundleError):
        return SOME_WITHOUT_ANSWER
    return FAILED


def run(program: Callable[[], int]) -> int:
    """Run the program; errors raised on purpose become one sentence and an exit code."""
    try:
        return program()
    except MesoscopeError as error:
        fail(str(error))
        return code_for(error)
    except KeyboardInterrupt:
        fail("interrupted; nothing half-written was left")
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output has gone (`| head`): nobody is left to tell, and Python must not try at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
