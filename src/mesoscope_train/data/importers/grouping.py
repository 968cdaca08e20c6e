"""Which rows belong together where the layout does not say it: the rules of ``--group``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from mesoscope.errors import UsageError


def grouping(rule: str) -> Callable[[str], str | None]:
    """A function from a relative path to its group, None where the path does not fit.

    Args:
        rule: ``file``, ``folder``, or a regular expression whose first parenthesis is the group.

    Raises:
        UsageError: the expression is broken or has no parenthesis.
    """
    if rule == "file":
        return lambda path: path
    if rule == "folder":
        return lambda path: PurePosixPath(path).parent.as_posix()
    try:
        expression = re.compile(rule)
    except re.error as error:
        raise UsageError(f"--group {rule}: not a regular expression: {error}") from error
    if not expression.groups:
        raise UsageError(
            f"--group {rule}: neither 'file' nor 'folder', and no regular expression with the part that names the "
            "group in parentheses"
        )

    def found(path: str) -> str | None:
        match = expression.search(path)
        return (match.group(1) or None) if match else None

    return found


def does_not_fit(rule: str) -> str:
    """The reason to leave out a path that a rule has no group for."""
    return f"the path does not fit --group '{rule}'"
