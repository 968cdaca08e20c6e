"""The whole audit of a manifest, and where its files lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.atomic import make_directory
from mesoscope.manifest import Manifest
from mesoscope_train.data.audit.balance import balance, counts
from mesoscope_train.data.audit.contents import contents
from mesoscope_train.data.audit.duplicates import Duplicates, find_duplicates
from mesoscope_train.data.audit.families import FAMILIES
from mesoscope_train.data.audit.findings import Audit, Finding, Severity, Shortcut
from mesoscope_train.data.audit.leaks import leaks
from mesoscope_train.data.audit.measures import measure
from mesoscope_train.data.audit.near_pairs import passes
from mesoscope_train.data.audit.shortcuts import DEFAULT_BOUND, Shortcuts, find_shortcuts
from mesoscope_train.data.audit.sides import sides_of

_ORDER: tuple[Severity, ...] = ("leak", "warning", "note")

Step = Callable[..., None]
Stage = Callable[[str, int | None], AbstractContextManager[Step]]
"""Shows how far a piece of work is: `mesoscope_train.progress.progress`, or `silent`."""


@contextmanager
def silent(what: str, total: int | None = None) -> Iterator[Step]:
    """A `Stage` that shows nothing."""

    def step(count: int = 1) -> None:
        pass

    yield step


def audit_file(manifest: Path) -> Path:
    """Where the audit of a manifest lies: ``M.audit.json`` beside ``M.parquet``."""
    return manifest.with_name(f"{manifest.stem}.audit.json")


def cache_directory(manifest: Path) -> Path:
    """Where measurements are kept: ``.mesoscope`` beside the manifest, so that a split of it finds them again."""
    return manifest.parent / ".mesoscope"


def measures_file(manifest: Manifest, cache_dir: Path) -> Path:
    """The cache of `measure` for this manifest's files: one for each root."""
    name = hashlib.sha256(str(manifest.root.resolve()).encode()).hexdigest()[:12]
    return cache_dir / f"measures-{name}.parquet"


@dataclass(frozen=True, slots=True)
class Examined:
    """What was seen of a manifest's files.

    Attributes:
        measures: as of `measure`, in the manifest's order.
        duplicates: of these rows.
    """

    measures: pa.Table
    duplicates: Duplicates


def examine(
    manifest: Manifest,
    *,
    cache_dir: Path,
    workers: int = 1,
    progress: Stage = silent,
    remark: Callable[[str], None] = lambda sentence: None,
) -> Examined:
    """Measure every file (or take from the cache what was measured before) and search for duplicates.

    Args:
        manifest: its paths and groups.
        cache_dir: directory of the measurements; made if it is not there.
        workers: processes.
        progress: shows how far it is.
        remark: is told of a cache that could not be used.

    Raises:
        UsageError: the cache cannot be written.
    """
    make_directory(cache_dir)
    cache = measures_file(manifest, cache_dir)
    with progress("measuring pictures", len(manifest)) as step:
        measures = measure(manifest, cache, workers=workers, progress=step, remark=remark)
    with progress("searching for copies", passes()) as step:
        return Examined(measures, find_duplicates(measures, manifest.codes("group")[0], step))


def conclude(manifest: Manifest, examined: Examined, shortcuts: Shortcuts, bound: float) -> Audit:
    """The audit of what was seen."""
    sides = sides_of(manifest)
    found = [finding for each in sides for finding in leaks(manifest, examined.duplicates, each)]
    found += contents(manifest, examined.measures, examined.duplicates, sides)
    found += (_finding(shortcut) for shortcut in shortcuts.found if shortcut.above_bound)
    found += shortcuts.notes
    found += balance(manifest)
    return Audit(
        manifest=manifest.digest(),
        rows=len(manifest),
        readable=examined.measures.column("error").null_count,
        counts=counts(manifest),
        groups=len(manifest.codes("group")[1]),
        findings=tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity))),
        shortcuts=shortcuts.found,
        bound=bound,
        unreadable=_unreadable(manifest, examined.measures),
    )


def audit(
    manifest: Manifest,
    *,
    cache_dir: Path,
    workers: int = 1,
    bound: float = DEFAULT_BOUND,
    seed: int = 0,
    progress: Stage = silent,
    remark: Callable[[str], None] = lambda sentence: None,
) -> Audit:
    """Audit a manifest: `examine`, look for shortcuts, `conclude`.

    Args:
        manifest: what is audited.
        cache_dir: see `examine`.
        workers: processes.
        bound: AUC from which a shortcut is a warning.
        seed: of the cross-validation; the same seed gives the same audit.
        progress: shows how far it is.
        remark: is told of a cache that could not be used.

    Raises:
        UsageError: the cache cannot be written.
    """
    examined = examine(manifest, cache_dir=cache_dir, workers=workers, progress=progress, remark=remark)
    with progress("looking for shortcuts", len(FAMILIES)) as step:
        shortcuts = find_shortcuts(manifest, examined.measures, bound=bound, seed=seed, progress=step)
    return conclude(manifest, examined, shortcuts, bound)


def _unreadable(manifest: Manifest, measures: pa.Table) -> tuple[str, ...]:
    failed = pc.is_valid(measures.column("error"))
    return tuple(manifest.table.column("path").filter(failed).to_pylist())


def _finding(shortcut: Shortcut) -> Finding:
    told = f": {shortcut.explanation}" if shortcut.explanation else ""
    message = (
        f"{shortcut.family} alone tells the label with an AUC of {shortcut.auc:.2f} "
        f"({shortcut.low:.2f} to {shortcut.high:.2f}){told}"
    )
    return Finding("shortcut", "warning", message, shortcut.rows)
