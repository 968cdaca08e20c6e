"""Index files in JSON that publishers put beside their videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mesoscope.errors import UsageError


def read_json(file: Path) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The content of a JSON file.

    Raises:
        UsageError: it cannot be read, is not JSON, or an object in it has one name twice, so that Python would
            silently take the last.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=lambda pairs: _object(file, pairs))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:  # of the decoder, and of text that is no UTF-8
        raise UsageError(f"{file} is not JSON: {error}") from error


def read_objects(file: Path) -> dict[str, dict[str, Any]]:
    """A JSON file that holds an object of objects, by name.

    Raises:
        UsageError: it cannot be read or holds something else.
    """
    content = read_json(file)
    if not isinstance(content, dict):
        raise UsageError(f"{file} is not an index of videos: it must hold a JSON object, {{name: {{…}}}}")
    for name, entry in content.items():
        if not isinstance(entry, dict):
            raise UsageError(f"{file}: the entry '{name}' must be a JSON object, not {entry!r}")
    return content


def _object(file: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:

    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{file}: '{twice}' stands in it twice")
    return found
