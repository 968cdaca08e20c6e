"""How labels are spread: over the whole, the split, and the values of every column that parts the set."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import LABELS, Manifest
from mesoscope.report.words import plural
from mesoscope_train.data.audit.findings import Finding, Severity
from mesoscope_train.data.audit.near_pairs import Indices
from mesoscope_train.data.audit.sides import SHOWN

LEAST_SHARE = 0.2
"""A class with a smaller share than this is told as an imbalance."""
FEW = 24
"""A text column with more different values than this is no slice."""
_LEAST_ROWS = 20
_NO_SLICES = frozenset({"path", "label", "group", "identity", "source_identity", "source_video"})
_WARN = frozenset({"dataset", "split", "fold"})
"""Where an imbalance is a warning: the data set or the part then tells the label. Elsewhere it is a note."""


def counts(manifest: Manifest) -> dict[str, dict[str, int]]:
    """Label to split (or ``none``) to rows."""
    table = manifest.table.select([name for name in ("label", "split") if name in manifest])
    grouped = table.group_by(table.column_names).aggregate([([], "count_all")]).to_pylist()
    found: dict[str, dict[str, int]] = {}
    for row in sorted(grouped, key=lambda row: (row["label"], str(row.get("split")))):
        found.setdefault(row["label"], {})[row.get("split") or "none"] = int(row["count_all"])
    return found


def balance(manifest: Manifest) -> Iterator[Finding]:
    """No split, one class, imbalance."""
    yield from _no_split(manifest)
    fake = pc.equal(manifest.table.column("label"), "fake").to_numpy()
    share = float(fake.mean())
    if share in (0.0, 1.0):
        message = (
            f"all {len(manifest):,} rows are {LABELS[int(share)]}: nothing can be learned or measured from one class"
        )
        yield Finding("one-class", "warning", message, len(manifest))
        return
    if min(share, 1 - share) < LEAST_SHARE:
        yield Finding("imbalance", "warning", _share_in_words("the whole", int(fake.sum()), len(fake)), 1)
    for column in _slices(manifest):
        yield from _in_slices(manifest, column, fake)


def _no_split(manifest: Manifest) -> Iterator[Finding]:

    columns = [name for name in ("split", "fold") if name in manifest]
    if not columns:
        message = (
            "there is no split yet, so leaks across one could not be looked for; 'mesoscope data split' makes one"
        )
        yield Finding("no-split", "note", message, len(manifest))
        return
    without = np.ones(len(manifest), bool)
    for name in columns:
        without &= pc.is_null(manifest.table.column(name)).to_numpy()
    if without.any():
        message = f"{plural(int(without.sum()), 'row stands', 'rows stand')} in no part of the split"
        yield Finding("no-split", "note", message, int(without.sum()))


def _slices(manifest: Manifest) -> list[str]:
    """Columns that part the set and that both classes have: what only fakes have (a generator) tells the label."""
    found = []
    for name in manifest.columns:
        column = manifest.table.column(name)
        few = name not in _NO_SLICES and (name == "fold" or column.type in (pa.string(), pa.bool_()))
        if few and 2 <= pc.count_distinct(column, mode="only_valid").as_py() <= FEW:
            filled = pc.is_valid(column)
            labels = pc.unique(manifest.table.column("label").filter(filled))
            found += [name] if len(labels) == len(LABELS) else []
    return found


def _in_slices(
    manifest: Manifest, column: str, fake: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Iterator[Finding]:
    """Values of a column of which one class is rare, or absent."""
    codes, values = manifest.codes(column)
    rows: Indices = np.bincount(codes[codes >= 0], minlength=len(values))
    fakes: Indices = np.bincount(codes[(codes >= 0) & fake], minlength=len(values))
    rarer = np.minimum(fakes, rows - fakes) / np.maximum(rows, 1)
    severity: Severity = "warning" if column in _WARN else "note"
    if column in ("split", "fold"):
        alone = np.flatnonzero((rarer == 0) & (rows > 0))
        if alone.size:
            words = [f"{values[index]} has only {LABELS[int(fakes[index] > 0)]} rows" for index in alone]
            yield Finding("one-class", "warning", f"{column}: {', '.join(words)}", int(alone.size))
    uneven = np.flatnonzero((rarer < LEAST_SHARE) & (rows >= _LEAST_ROWS))
    if uneven.size:
        uneven = uneven[np.argsort(-rows[uneven], kind="stable")]
        words = [_share_in_words(str(values[index]), int(fakes[index]), int(rows[index])) for index in uneven[:SHOWN]]
        of = f"in {uneven.size:,} of {plural(len(values), 'value', 'values')} of '{column}' one class is rare"
        more = ["…"] if uneven.size > SHOWN else []
        yield Finding("imbalance", severity, f"{of}: {', '.join(words + more)}", int(uneven.size))


def _share_in_words(what: str, fakes: int, rows: int) -> str:
    return f"{what} has {fakes:,} fake and {rows - fakes:,} real rows"
