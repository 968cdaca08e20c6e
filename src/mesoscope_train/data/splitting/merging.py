"""Several manifests as one, with a common root; sets, splits and history stay known."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.errors import ManifestError, UsageError
from mesoscope.manifest import Manifest, check_table
from mesoscope.manifest.schema import ordered
from mesoscope_train.data.audit.duplicates import FORMER_GROUP
from mesoscope_train.data.links import components
from mesoscope_train.data.splitting.groups import Ints
from mesoscope_train.data.splitting.sources import Renaming, Source, common_root, refuse_one_name_for_two, renamed
from mesoscope_train.data.splitting.wording import few, many

AGREEING = ("label", "group", "split", "fold")
"""A file that stands in two manifests must not contradict itself in these."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The result of a merge.

    Attributes:
        manifest: rows of the first, then of the second, and so on, each file once.
        rows: of each source, before files that stand in several were told.
        repeated: rows that were left out because an earlier one is the same file.
        notes: what should be known.
    """

    manifest: Manifest
    rows: tuple[int, ...]
    repeated: int
    notes: tuple[str, ...]


def merge(sources: Sequence[Source], renamings: Sequence[Renaming] = ()) -> Merged:
    """Merge manifests.

    Paths become relative to the deepest directory above all roots. Columns that only some manifests have stay empty
    in the rows of the others. A file that stands in several is kept once, with all that any of them says about it.
    Groups of equal name are one group afterwards: footage that two sets share then stays on one side of a split.

    Args:
        sources: at least two, of different names.
        renamings: of sets.

    Raises:
        UsageError: fewer than two manifests, one name for sets in different directories, a renaming that fits
            nothing, roots without a common directory.
        ManifestError: a file with two labels, groups, splits or folds; a column of different kinds.
    """
    if len(sources) < 2 or len({source.name for source in sources}) < len(sources):
        raise UsageError("name at least two different manifests to merge")
    sources = renamed(sources, renamings)
    root = common_root(sources)
    refuse_one_name_for_two(sources)
    _refuse_other_kinds(sources)
    tables = [_below(source.manifest, root) for source in sources]
    table = _groups_joined(pa.concat_tables(tables, promote_options="permissive").combine_chunks())
    first = _first_of_each_file(table.column("path").to_pylist(), root)
    table = _completed(table, first, np.repeat([source.name for source in sources], [len(part) for part in tables]))
    table = table.filter(pa.array(first == np.arange(len(first))))
    history = [f"{source.name}: {command}" for source in sources for command in source.manifest.history]
    manifest = Manifest(check_table(table.select(ordered(table.column_names)), "the merge"), root, tuple(history))
    rows = tuple(len(part) for part in tables)
    return Merged(manifest, rows, len(first) - len(table), tuple(_notes(sources, root)))


def _groups_joined(table: pa.Table) -> pa.Table:
    """Groups that were united over copies in one manifest are united in all: others still use the former name."""
    if FORMER_GROUP not in table.column_names:
        return table
    before, after = (table.column(name).to_pylist() for name in (FORMER_GROUP, "group"))
    now = components(
        (former, group) for former, group in zip(before, after, strict=True) if former not in (None, group)
    )
    place = table.column_names.index("group")
    return table.set_column(place, "group", pa.array([now.get(group, group) for group in after], pa.string()))


def _below(manifest: Manifest, root: Path) -> pa.Table:
    """The manifest's table with paths relative to a directory above its root."""
    prefix = manifest.root.resolve().relative_to(root).as_posix()
    if prefix == ".":
        return manifest.table
    paths = pc.binary_join_element_wise(prefix, manifest.table.column("path"), "/")
    return manifest.table.set_column(manifest.table.column_names.index("path"), "path", paths)


def _refuse_other_kinds(sources: Sequence[Source]) -> None:
    """Refuse a column of the sets' own that is text here and numbers there."""
    fields: dict[str, tuple[str, pa.Field]] = {}
    for source in sources:
        for field in source.manifest.table.schema:
            other, known = fields.setdefault(field.name, (source.name, field))
            try:
                pa.unify_schemas([pa.schema([known]), pa.schema([field])], promote_options="permissive")
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                raise ManifestError(
                    f"the column '{field.name}' holds {known.type} in {other} and {field.type} in {source.name}; "
                    "rename it, or make it the same, in one of them"
                ) from None


def _first_of_each_file(paths: Sequence[str], root: Path) -> Ints:
    """(N,) The first row that is the same file as each row; links between directories are followed."""
    real: dict[str, str] = {}
    seen: dict[tuple[str, str], int] = {}
    first = np.empty(len(paths), np.int64)
    for row, path in enumerate(paths):
        directory, _, name = path.rpartition("/")
        if directory not in real:
            real[directory] = os.path.realpath(root / directory)
        first[row] = seen.setdefault((real[directory], name), row)
    return first


def _completed(table: pa.Table, first: Ints, source: npt.NDArray[np.str_]) -> pa.Table:
    """The table in which the first row of each file holds what only a later row of that file says.

    Raises:
        ManifestError: two rows of one file contradict each other in `AGREEING`.
    """
    later = np.flatnonzero(first != np.arange(len(first)))
    if not len(later):
        return table
    for place, name in enumerate(table.column_names):
        column = table.column(name)
        known = column.is_valid().to_numpy()
        if name in AGREEING:
            differ = pc.fill_null(pc.not_equal(column.take(first[later]), column.take(later)), False).to_numpy()
            _refuse_contradiction(table, name, later[differ], first, source)
        chosen = np.arange(len(first))
        for row in later[known[later] & ~known[first[later]]][::-1].tolist():
            chosen[first[row]] = row
        table = table.set_column(place, name, column.take(pa.array(chosen)))
    return table


def _refuse_contradiction(
    table: pa.Table, column: str, rows: Ints, first: Ints, source: npt.NDArray[np.str_]
) -> None:

    if not len(rows):
        return
    row, other = int(rows[0]), int(first[rows[0]])
    values = [table.column(column)[index].as_py() for index in (other, row)]
    raise ManifestError(
        f"{table.column('path')[row].as_py()} has the {column} '{values[0]}' in {source[other]} and '{values[1]}' in "
        f"{source[row]} ({many(len(rows), 'such file')}); leave it out of one of them"
    )


def _notes(sources: Sequence[Source], root: Path) -> list[str]:

    notes = []
    groups = Counter(group for source in sources for group in source.manifest.codes("group")[1])
    shared = sorted(group for group, count in groups.items() if count > 1)
    if shared:
        notes.append(f"of several manifests, {many(len(shared), 'group')} of equal name became one ({few(shared)})")
    if root == root.parent:
        notes.append(f"the manifests have no directory in common but {root}: the merge cannot move with its data")
    return notes
