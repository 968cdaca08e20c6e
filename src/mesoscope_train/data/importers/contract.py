"""What an importer is, what it may be asked, and how it counts what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope.manifest import LABELS, Row
from mesoscope.media import MEDIA_SUFFIXES, PICTURE_SUFFIXES, VIDEO_SUFFIXES, find_inputs
from mesoscope.registry import Registry

__all__ = ["MEDIA_SUFFIXES", "PICTURE_SUFFIXES", "VIDEO_SUFFIXES"]
_SHOWN = 5
"""Paths that are kept as examples of each reason."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a user may tell an importer. An importer names those it heeds; the others are refused.

    Attributes:
        dataset: name of the set in the manifest; None for the importer's own name.
        labels: the set's word (a folder's name, a value of the label column) to ``real`` or ``fake``.
        columns: manifest column to the set's column, or to a template of several (``"real/{file_stem}.jpg"``).
        constants: manifest column to one value for all rows.
        table: the index file, where it is not where the layout has it.
        group: how rows are grouped where the layout does not say: ``file`` (each its own), ``folder``, or a regular
            expression on the path whose first parenthesis is the group.
        subfolders: manifest column that receives the name of the folder below the label's folder.
        compressions: which of a set's compressions are wanted; empty for all that are there.
    """

    dataset: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    table: Path | None = None
    group: str | None = None
    subfolders: str | None = None
    compressions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for word, label in self.labels.items():
            if label not in LABELS:
                raise UsageError(f"--label {word}={label}: the label must be one of {', '.join(LABELS)}")

    def given(self) -> set[str]:
        """Names of the options that were used, `dataset` not among them: every importer heeds it."""
        empty = ImportOptions()
        names = {entry.name for entry in fields(self)} - {"dataset"}
        return {name for name in names if getattr(self, name) != getattr(empty, name)}


class Skips:
    """Counts what was left out and why, and collects remarks for the person who imports.

    Attributes:
        reasons: reason to the number of files or entries.
        examples: reason to the first few paths.
        notes: sentences about the set as a whole (identities that splits share, say).
    """

    def __init__(self) -> None:
        self.reasons: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}
        self.notes: list[str] = []

    def add(self, reason: str, path: str | Path, count: int = 1) -> None:
        """Leave `path` out. The reason is a short clause without the path: ``no entry in metadata.csv``."""
        self.reasons[reason] = self.reasons.get(reason, 0) + count
        shown = self.examples.setdefault(reason, [])
        if len(shown) < _SHOWN:
            shown.append(str(path))

    def note(self, sentence: str) -> None:
        """Remember a remark about the set."""
        self.notes.append(sentence)

    @property
    def total(self) -> int:
        """How much was left out."""
        return sum(self.reasons.values())


Rows = Callable[[Path, ImportOptions, Skips], Iterator[Row]]
"""Yields the rows of a directory, paths relative to it, in a stable order; opens no picture.

Raises UsageError where the directory is not of the layout at all (naming what was looked for).
"""


@dataclass(frozen=True, slots=True)
class Importer:
    """One published layout.

    Attributes:
        name: for ``--format``.
        title: the set, in a few words.
        layout: the folders and files it reads, as a small tree, for documentation.
        source: paper or page that publishes the layout.
        rows: makes the rows.
        options: names of the `ImportOptions` it heeds besides `dataset`.
    """

    name: str
    title: str
    layout: str
    source: str
    rows: Rows
    options: frozenset[str] = frozenset()


importers: Registry[Importer] = Registry("data format")


def register(importer: Importer) -> Importer:
    """Enter an importer in the table of formats."""
    return importers.register(importer.name)(importer)


def files_below(root: Path, folder: Path, skips: Skips, suffixes: Iterable[str] = MEDIA_SUFFIXES) -> Iterator[str]:
    """Media files below a folder, as paths relative to `root` with forward slashes, names in order.

    Empty files and what cannot be listed are counted in `skips`; the content is not looked at.

    Args:
        root: of the manifest.
        folder: `root` or a directory below it.
        skips: counts what is left out.
        suffixes: in small letters, with the dot; other media files are counted as another kind.
    """
    wanted = frozenset(suffixes)
    for found in find_inputs([str(folder)]):
        relative = Path(found.path).relative_to(root).as_posix()
        if not isinstance(found.source, Path):
            skips.add((found.error or "cannot be read").rstrip(".").lower(), relative)
        elif found.source.suffix.lower() not in wanted:
            skips.add("another kind of file than this set holds", relative)
        elif usable(found.source, relative, skips):
            yield relative


def usable(file: Path, relative: str, skips: Skips) -> bool:
    """Whether a file is there and not empty; counted in `skips` where it is not."""
    try:
        if file.stat().st_size > 0:
            return True
        skips.add("the file is empty (0 bytes)", relative)
    except FileNotFoundError:
        skips.add("the file is missing", relative)
    except OSError as error:
        skips.add(f"the file cannot be read ({error.strerror})", relative)
    return False
