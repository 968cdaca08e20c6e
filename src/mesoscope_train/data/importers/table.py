"""A table of your own, or of a set without an importer: CSV or Parquet, one row a file, any column names.

Nothing is guessed: which column is the path and which the label is said, or stands in the table under that name; a
word that is no label is counted with the option that explains it; a file that two rows label differently is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mesoscope.errors import UsageError
from mesoscope.manifest import Row, Value
from mesoscope.manifest.schema import BY_NAME, Column
from mesoscope.manifest.text import typed
from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, register, usable
from mesoscope_train.data.importers.grouping import does_not_fit, grouping
from mesoscope_train.data.importers.index_file import (
    BATCH,
    INDEX_SUFFIXES,
    Entries,
    LabelWords,
    contradicted,
    count_unlisted,
    entries,
    path_inside,
    read_index,
)
from mesoscope_train.data.importers.layout import SPLIT_WORDS
from mesoscope_train.data.importers.table_mapping import Entry, TableMapping, map_columns

_NAMES_ITS_CORPUS = re.compile(r"(?=[^:]*[a-z])[a-z0-9][a-z0-9_.-]*:.+", re.DOTALL)
"""``dfdc:abc``, which is kept as it is so that merged sets cannot leak; but not ``12:30``."""


class _LeftOutError(Exception):
    """An entry becomes no row; its text is the reason."""


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row an entry of the table; see `Importer.rows`."""
    file = table_file(root, options.table)
    table = read_index(file)
    mapping = map_columns(table.column_names, options, file)
    words = LabelWords(options.labels, skips)
    reader = _Reader(
        root, mapping, words, options.dataset or root.resolve().name, options.group, grouping(options.group or "file")
    )
    said = Entries(skips, contradicted(reader.labelled(table)))
    listed: set[str] = set()
    for entry, extra in zip(entries(table), _extra(table, mapping), strict=True):
        path = reader.path(entry)
        if path is None:
            skips.add("the path is empty or leads outside ROOT", mapping.reads["path"](entry) or file.name)
            continue
        listed.add(path)
        label = words.label(mapping.reads["label"](entry), path)
        if label is None or not said.counts(path) or not usable(root / path, path, skips):
            continue
        try:
            yield Row.of({**extra, **reader.values(entry, path), "path": path, "label": label})
        except _LeftOutError as reason:
            skips.add(str(reason), path)
    words.note_unused()
    count_unlisted(root, listed, file.name, skips)


def table_file(root: Path, table: Path | None) -> Path:
    """The table: the one named (as typed, or below the root), else the only one that lies in the root.

    Raises:
        UsageError: there is none, or several.
    """
    if table is not None:
        found = [file for file in (table, root / table) if file.is_file()]
        if not found:
            raise UsageError(f"--table {table}: there is no such file, neither here nor in {root}")
        return found[0]
    here = sorted(entry for entry in root.iterdir() if entry.suffix.lower() in INDEX_SUFFIXES and entry.is_file())
    if len(here) != 1:
        names = ", ".join(file.name for file in here[:8])
        raise UsageError(
            f"looked for one table ({', '.join(INDEX_SUFFIXES)}) in {root} and found {names or 'none'}; "
            "name it with --table"
        )
    return here[0]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the columns of one entry.

    Attributes:
        root: of the manifest.
        mapping: what fills which column.
        words: the labels.
        dataset: name of the set where the table does not say it.
        rule: how files are grouped, where it was said.
        group_of: that rule, or each file its own group, where the table does not say it.
    """

    root: Path
    mapping: TableMapping
    words: LabelWords
    dataset: str
    rule: str | None
    group_of: Callable[[str], str | None]

    def path(self, entry: Entry) -> str | None:
        """The file, relative to the root; None where it is empty or lies elsewhere."""
        return path_inside(self.root, self.mapping.reads["path"](entry))

    def labelled(self, table: pa.Table) -> Iterator[tuple[str, str]]:
        """Path and label of the entries that have both."""
        for entry in entries(table):
            path, label = self.path(entry), self.words.read(self.mapping.reads["label"](entry))
            if path is not None and label is not None:
                yield path, label

    def values(self, entry: Entry, path: str) -> dict[str, Value]:
        """All columns but path, label and those that are extra with their own type.

        Raises:
            _LeftOutError: a value is not of its column's kind, or there is no group.
        """
        read = {name: read(entry) for name, read in self.mapping.reads.items() if name not in ("path", "label")}
        values = {name: _value(text, BY_NAME.get(name), name) for name, text in read.items()}
        dataset = values.get("dataset") or self.dataset
        group = values.get("group") if "group" in read else self.group_of(path)
        if not group:
            raise _LeftOutError(does_not_fit(self.rule) if self.rule else "the group is empty")
        named = "group" in read and _NAMES_ITS_CORPUS.fullmatch(str(group))
        return {**values, "dataset": dataset, "group": group if named else f"{dataset}:{group}"}


def _value(text: str, column: Column | None, name: str) -> Value:
    """The text as a value of a manifest's column; of a column of the set's own it stays text."""
    if not text or column is None:
        return text or None
    if column.allowed:
        word = SPLIT_WORDS.get(text.lower())
        if word is None:
            raise _LeftOutError(f"the {name} '{text}' is none of {', '.join(column.allowed)}")
        return word
    if column.kind == "text":
        return text
    try:
        number = int(text) if column.kind == "integer" else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (column.minimum is not None and number < column.minimum):
        kind = "whole number" if column.kind == "integer" else "number"
        least = "" if column.minimum is None else f" from {column.minimum:g} on"
        raise _LeftOutError(f"the {name} is no {kind}{least}")
    return number


def _extra(table: pa.Table, mapping: TableMapping) -> Iterator[dict[str, Value]]:
    """The set's own columns, row by row: numbers where a text column loses nothing as numbers."""
    columns = {name: table.column(column) for name, column in mapping.extra.items()}
    own = {name: typed(column) if pa.types.is_string(column.type) else column for name, column in columns.items()}
    for start in range(0, table.num_rows, BATCH):
        part = {name: column.slice(start, BATCH).to_pylist() for name, column in own.items()}
        for index in range(min(BATCH, table.num_rows - start)):
            yield {name: _plain(values[index]) for name, values in part.items()}


def _plain(value: object) -> Value:
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value if value is None or isinstance(value, str | int) else str(value)


register(
    Importer(
        name="table",
        title="A CSV or Parquet table with any column names",
        layout="ROOT/any.csv  (or --table FILE; paths in it relative to ROOT, or absolute below ROOT)",
        source="your own",
        rows=rows,
        options=frozenset({"columns", "constants", "labels", "table", "group"}),
    )
)
