"""Running an importer: rows into a manifest, skips into a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest, ManifestBuilder
from mesoscope_train.data.importers import ImportOptions, Skips, importers

OPTION_WORDS = {
    "labels": "--label",
    "columns": "--column",
    "constants": "--constant",
    "table": "--table",
    "group": "--group",
    "subfolders": "--subfolders",
    "compressions": "--compression",
}
"""Fields of `ImportOptions` as the command line says them."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gave.

    Attributes:
        manifest: all rows.
        skips: what was left out, and remarks.
        beyond_limit: rows that the limit cut off.
    """

    manifest: Manifest
    skips: Skips
    beyond_limit: int


def import_data(
    format: str,
    root: Path,
    options: ImportOptions | None = None,
    *,
    limit: int | None = None,
    progress: Callable[[], None] = lambda: None,
    history: str = "",
) -> Imported:
    """Import a directory.

    Args:
        format: a name in `importers`.
        root: the set's directory; the manifest's paths are relative to it.
        options: what the importer is told.
        limit: at most this many rows of each label, the first ones.
        progress: called once a row.
        history: the command, for the manifest's history.

    Raises:
        UsageError: an unknown format, an option the importer does not heed, a directory that is not of the layout.
        ManifestError: no row came out, or one breaks the schema.
    """
    options = options or ImportOptions()
    importer = importers[format]
    unheeded = sorted(options.given() - importer.options)
    if unheeded:
        raise UsageError(
            f"the format '{format}' does not heed {_words(unheeded)}; it heeds: {_words(importer.options) or 'none'}"
        )
    if not root.is_dir():
        raise UsageError(f"{root} is no directory")
    if limit is not None and limit < 1:
        raise UsageError(f"--limit must be at least 1, not {limit}")
    skips, builder = Skips(), ManifestBuilder(root)
    taken: Counter[str] = Counter()
    beyond = 0
    for row in importer.rows(root, options, skips):
        if limit is not None and taken[row.label] >= limit:
            beyond += 1
            continue
        taken[row.label] += 1
        builder.add(row)
        progress()
    if not taken:
        raise UsageError(f"nothing in {root} could be imported as '{format}'{_because(skips)}")
    return Imported(builder.build(*([history] if history else [])), skips, beyond)


def _words(options: Iterable[str]) -> str:
    return ", ".join(OPTION_WORDS[name] for name in sorted(options))


def _because(skips: Skips) -> str:
    reasons = [f"{count:,} x {reason} ({skips.examples[reason][0]})" for reason, count in skips.reasons.items()]
    return ": " + "; ".join(reasons[:5]) if reasons else ": it holds no file of that layout"
