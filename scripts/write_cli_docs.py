"""Write docs/cli.md from the commands themselves.

    python scripts/write_cli_docs.py docs/cli.md

A test writes it anew and compares, so that the page cannot fall behind the program.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

COMMANDS = (
    (),
    ("detect",),
    ("explain",),
    ("bundle",),
    ("bundle", "list"),
    ("bundle", "show"),
    ("bundle", "verify"),
    ("bundle", "import"),
    ("bundle", "export"),
    ("bundle", "annotate"),
    ("bundle", "quantise"),
    ("bundle", "pull"),
    ("data",),
    ("data", "import"),
    ("data", "faces"),
    ("data", "split"),
    ("data", "sample"),
    ("data", "merge"),
    ("data", "audit"),
    ("data", "explore"),
    ("train",),
    ("compare",),
    ("tune",),
    ("evaluate",),
    ("calibrate",),
    ("understand",),
    ("understand", "means"),
    ("understand", "neurons"),
    ("understand", "editing"),
    ("study",),
)
HEAD = """# Command line

Written by `make docs` from the commands' own help; do not edit.

Results go to standard output, progress and warnings to standard error.

| exit code | meaning |
|---|---|
| 0 | every input has an answer |
| 1 | the program failed, or a manifest leaks between its splits |
| 2 | wrong usage |
| 3 | some inputs ended as `error` or `not_applicable`, or the bundle was refused |
| 130 | interrupted |
"""


def help_of(command: tuple[str, ...]) -> str:
    """The command's help as plain text, 100 columns wide."""
    plain = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"}
    program = [sys.executable, "-m", "mesoscope", *command, "--help"]
    text = subprocess.run(program, capture_output=True, text=True, check=True, env=plain).stdout  # noqa: S603
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for command in COMMANDS:
        parts.append(f"\n## `{' '.join(('mesoscope', *command))}`\n\n```text\n{help_of(command)}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
