"""Index files: the tables that publishers put beside their pictures, read row by row as text."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import parquet

from mesoscope.errors import UsageError
from mesoscope.manifest import LABELS
from mesoscope.manifest.text import first_line, read_csv_as_text
from mesoscope_train.data.importers.contract import MEDIA_SUFFIXES, Skips

INDEX_SUFFIXES = (".csv", ".tsv", ".parquet")
_DELIMITERS = ",;\t"
BATCH = 4096
"""Rows that are Python objects at one time."""
_WORDS_NAMED = 20
"""Unknown labels that are counted apart; a column that is no label at all would else give a reason a row."""


def read_index(file: Path) -> pa.Table:
    """A table; of CSV every column is text (the delimiter is the one of ``,``, ``;``, tab that the header uses most).

    Raises:
        UsageError: it cannot be read.
    """
    if file.suffix.lower() != ".parquet":
        return read_csv_as_text(file, _delimiter(file))
    try:
        return parquet.ParquetFile(file).read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise UsageError(f"{file} cannot be read as Parquet: {first_line(error)}") from error


def _delimiter(file: Path) -> str:
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            header = lines.readline()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    return max(_DELIMITERS, key=header.count)


def require_columns(table: pa.Table, names: Iterable[str], file: Path) -> None:
    """Refuse a table in which a column is missing.

    Raises:
        UsageError: naming the column and those that are there.
    """
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise UsageError(
            f"{file} has no column '{missing[0]}'; its columns are: {', '.join(map(repr, table.column_names))}"
        )


def entries(table: pa.Table) -> Iterator[dict[str, str]]:
    """The rows as text without surrounding blanks, ``""`` where empty; a few thousand at a time in memory."""
    for batch in table.to_batches(max_chunksize=BATCH):
        for row in batch.to_pylist():
            yield {name: as_text(value) for name, value in row.items()}


def as_text(value: object) -> str:
    """A cell as text: a whole number without ``.0``, nothing for null or NaN."""
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def path_inside(root: Path, text: str) -> str | None:
    """A path of an index as a plain one below the root, with forward slashes; None where it leads elsewhere.

    Args:
        root: of the manifest.
        text: relative to it or absolute, with slashes or backslashes.
    """
    plain = posixpath.normpath(text.replace("\\", "/")) if text else "."
    if posixpath.isabs(plain):
        for base in (Path(os.path.abspath(root)), root.resolve()):  # noqa: PTH100 - keeps links as they are
            if Path(plain).is_relative_to(base):
                plain = Path(plain).relative_to(base).as_posix()
                break
    outside = plain in (".", "..") or plain.startswith(("/", "../")) or plain[1:2] == ":"
    return None if outside else plain


def contradicted(labelled: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Files that several entries give different labels; none of those labels can be trusted.

    Args:
        labelled: path and label of each entry.
    """
    first: dict[str, str] = {}
    return frozenset(path for path, label in labelled if first.setdefault(path, label) != label)


class Entries:
    """Which entries of an index count: each file once, and none that has two labels. Counts the others.

    Args:
        skips: takes what is left out.
        contradictory: files with several labels, from `contradicted`.
    """

    def __init__(self, skips: Skips, contradictory: Collection[str] = ()) -> None:
        self._skips = skips
        self._contradictory = contradictory
        self._seen: set[str] = set()

    def counts(self, path: str) -> bool:
        """Whether this entry is the first of its file and the file has one label."""
        if path in self._contradictory:
            self._skips.add("several entries give this file different labels", path)
            return False
        if path in self._seen:
            self._skips.add("a second entry for the same file", path)
            return False
        self._seen.add(path)
        return True


class LabelWords:
    """From a set's own words to ``real`` and ``fake``; what it does not know is counted, never guessed.

    Args:
        labels: word to label, from ``--label``; None where the layout fixes its words, so that the option would not
            help. The two labels themselves are always known, in small and capital letters.
        skips: takes the rows with another word.
    """

    def __init__(self, labels: Mapping[str, str] | None, skips: Skips) -> None:
        self._labels = labels or {}
        self._help = "" if labels is None else ": say --label '{0}=real' or --label '{0}=fake'"
        self._skips = skips
        self._unknown: set[str] = set()
        self._met: set[str] = set()

    def read(self, word: str) -> str | None:
        """The label a word stands for, None where it is unknown."""
        if word in self._labels:
            self._met.add(word)
            return self._labels[word]
        return word.lower() if word.lower() in LABELS else None

    def label(self, word: str, path: str) -> str | None:
        """The label a word stands for; None where it is unknown, which is counted for `path`."""
        found = self.read(word)
        if found is None:
            self._skips.add(self._reason(word), path)
        return found

    def _reason(self, word: str) -> str:
        if not word:
            return "the label is empty"
        if word not in self._unknown and len(self._unknown) >= _WORDS_NAMED:
            return "the label is another unknown word (is this the column of the labels?)"
        self._unknown.add(word)
        return f"the label '{word}' is unknown" + self._help.format(word)

    def note_unused(self) -> None:
        """Remark on words of ``--label`` that were never met: they may be misspelt."""
        for word in self._labels:
            if word not in self._met:
                self._skips.note(f"--label {word}={self._labels[word]}: no entry has the label '{word}'")


def count_unlisted(root: Path, listed: Collection[str], index: str, skips: Skips) -> None:
    """Count media files that have no entry in the index but lie in a folder (not below it) with files that have.

    Args:
        root: of the manifest.
        listed: relative paths that have an entry.
        index: name of the index file, for the reason.
        skips: takes the files.
    """
    for folder in sorted({PurePosixPath(path).parent for path in listed}):
        place = root / folder
        names = sorted(entry.name for entry in place.iterdir()) if place.is_dir() else []
        for name in names:
            path = (folder / name).as_posix()
            if Path(name).suffix.lower() in MEDIA_SUFFIXES and not name.startswith(".") and path not in listed:
                skips.add(f"no entry in {index}", path)
