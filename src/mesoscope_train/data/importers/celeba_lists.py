"""CelebA's lists: a picture and its values a line, as published (blanks between them) or as Kaggle has them (CSV)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mesoscope.errors import UsageError

_PLACES = ("", "Anno", "Eval", "celeba", "celeba/Anno", "celeba/Eval")
_SEPARATOR = re.compile(r"[,\s]+")
_PICTURE = re.compile(r"(\w+)\.(jpg|png)")
_HEADER_LINES = 2
"""``list_attr_celeba.txt`` begins with the number of pictures and the names of the attributes."""


def find_list(root: Path, name: str) -> Path | None:
    """Where a list lies, None where it is not there."""
    files = (root / place / f"{name}{suffix}" for place in _PLACES for suffix in (".txt", ".csv"))
    return next((file for file in files if file.is_file()), None)


def read_list(file: Path, column: str | None = None, values: Mapping[str, str] | None = None) -> dict[str, str]:
    """One value a picture.

    Args:
        file: the list.
        column: its name in the header; None for the first.
        values: the only values there are, and what stands for them; None for any, as they are.

    Returns:
        Name of the picture without its suffix to the value.

    Raises:
        UsageError: the file cannot be read, lacks the column, or a line is broken, has another value, or says
            something else of a picture than a line before.
    """
    found: dict[str, str] = {}
    position = 1 if column is None else None
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        fields = _SEPARATOR.split(line.strip())
        picture = _PICTURE.fullmatch(fields[0])
        if picture is None and (not line.strip() or number <= _HEADER_LINES):
            if column in fields:  # published lists have no name over the pictures
                position = fields.index(column) + (fields[0] != "image_id")
            continue
        if position is None:
            raise UsageError(f"{file} has no column '{column}' in its header")
        if picture is None or len(fields) <= position:
            raise UsageError(f"{file}, line {number}: {line.strip()!r} is not a picture and its value")
        value = fields[position] if values is None else values.get(fields[position])
        if value is None:
            raise UsageError(f"{file}, line {number}: {fields[position]!r} is none of {', '.join(values or ())}")
        if found.setdefault(picture.group(1), value) != value:
            raise UsageError(f"{file}, line {number}: {fields[0]} stands in it before, with another value")
    return found
