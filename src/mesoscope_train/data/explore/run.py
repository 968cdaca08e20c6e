"""From a manifest, its measurements and its audit to a page and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import mesoscope
from mesoscope.atomic import make_directory
from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope.report.words import visible
from mesoscope_train.augment import Step
from mesoscope_train.augment.self_blend import SelfBlend
from mesoscope_train.data.audit.findings import Audit
from mesoscope_train.data.audit.run import Stage, silent
from mesoscope_train.data.explore.augmentation import augmentation_section
from mesoscope_train.data.explore.blending import blending_section
from mesoscope_train.data.explore.columns import slice_columns
from mesoscope_train.data.explore.content import Page, Section
from mesoscope_train.data.explore.examples import save_cases
from mesoscope_train.data.explore.from_audit import findings_section, shortcuts_section
from mesoscope_train.data.explore.from_manifest import (
    columns_section,
    groups_section,
    rows_section,
    slices_section,
)
from mesoscope_train.data.explore.from_measures import (
    files_section,
    unreadable_section,
)
from mesoscope_train.data.explore.page import write_page
from mesoscope_train.data.explore.samples import samples_section
from mesoscope_train.data.explore.sheets import draw_sheet, save_sheet
from mesoscope_train.data.explore.tallies import label_masks
from mesoscope_train.data.explore.telling import telling_chart
from mesoscope_train.data.explore.verdict import boxes, searched
from mesoscope_train.figures import save

INDEX, FIGURES = "index.html", "figures"
_NAMED = 8
"""More data sets are not listed by name at the top; the table of rows has them."""


@dataclass(frozen=True, slots=True)
class ExploreOptions:
    """What a page shows.

    Attributes:
        samples: pictures of each class; 0 for none.
        seed: of their draw.
        columns: shown as slices; empty for all that part the set.
        workers: files that are read at once.
        made: when, in words.
        command: that makes the page.
        source: the manifest's file, as it was named.
        recipe: whose augmentation is shown; empty for none.
        augment: its operations.
        blend: how it makes fakes of real faces; None where it does not.
    """

    samples: int = 24
    seed: int = 0
    columns: Sequence[str] = ()
    workers: int = 1
    made: str = ""
    command: str = ""
    source: str = ""
    recipe: str = ""
    augment: Sequence[Step] = ()
    blend: SelfBlend | None = None


def check(manifest: Manifest, options: ExploreOptions, out: Path) -> None:
    """Whether a page can be made so, before the long work.

    Raises:
        UsageError: the options contradict the manifest, or the directory cannot be written.
    """
    if options.samples < 0:
        raise UsageError(f"--samples must be 0 or more, not {options.samples}")
    slice_columns(manifest, options.columns)
    make_directory(out)
    make_directory(out / FIGURES)


def explore(
    manifest: Manifest,
    out: Path,
    options: ExploreOptions,
    *,
    measures: pa.Table | None = None,
    audit: Audit | None = None,
    progress: Stage = silent,
) -> Path:
    """Write the page and its figures.

    Args:
        manifest: the data set.
        out: directory, made if it is not there; ``index.html`` and ``figures/`` are written into it.
        options: what is shown.
        measures: of each row, in the manifest's order (`mesoscope_train.data.audit.measures`); None for a page
            without what files must be read for.
        audit: of the manifest; None for a page that says that there was none.
        progress: shows how far the work is.

    Returns:
        the page.

    Raises:
        UsageError: the options contradict the manifest, or the directory cannot be written.
    """
    check(manifest, options, out)
    if measures is not None and measures.num_rows != len(manifest):
        raise UsageError(f"the measurements are of {measures.num_rows:,} rows, the manifest has {len(manifest):,}")
    sections = [
        rows_section(manifest),
        samples_section(manifest, options.samples, seed=options.seed, workers=options.workers, progress=progress),
        _blending(manifest, options, progress),
        _augmentation(manifest, options, progress) if options.recipe else None,
        slices_section(manifest, options.columns),
        files_section(manifest, measures),
        unreadable_section(manifest, measures) if measures is not None else None,
        groups_section(manifest),
        *((_shortcuts(manifest, audit, measures), _findings(manifest, audit, options, progress)) if audit else ()),
        columns_section(manifest),
    ]
    page = _page(manifest, options, audit, [section for section in sections if section and _says_something(section)])
    _write_figures(page, out / FIGURES, progress)
    write_page(page, out / INDEX)
    return out / INDEX


def _augmentation(manifest: Manifest, options: ExploreOptions, progress: Stage) -> Section:
    return augmentation_section(manifest, options.augment, options.recipe, seed=options.seed, progress=progress)


def _blending(manifest: Manifest, options: ExploreOptions, progress: Stage) -> Section | None:
    if options.blend is None:
        return None
    return blending_section(manifest, options.blend, options.recipe, seed=options.seed, progress=progress)


def _says_something(section: Section) -> bool:
    return bool(section.text or section.charts or section.sheets or section.shown or section.tables)


def _shortcuts(manifest: Manifest, audit: Audit, measures: pa.Table | None) -> Section | None:
    return shortcuts_section(audit, telling_chart(manifest, measures) if measures is not None else None)


def _findings(manifest: Manifest, audit: Audit, options: ExploreOptions, progress: Stage) -> Section | None:
    with progress("reading the audit's examples", None):
        return findings_section(manifest, audit, workers=options.workers)


def _page(manifest: Manifest, options: ExploreOptions, audit: Audit | None, sections: Sequence[Section]) -> Page:
    names = sorted(manifest.codes("dataset")[1])
    title = ", ".join(visible(name) for name in names) if len(names) <= 3 else f"{len(names)} data sets"
    split = any(name in manifest for name in ("split", "fold"))
    facts = [
        ("Manifest", visible(options.source)),
        ("Files below", visible(str(manifest.root))),
        *([("Data sets", ", ".join(visible(name) for name in names))] if 3 < len(names) <= _NAMED else []),
        *([("Searched for", searched(audit, split=split))] if audit and (audit.leaks() or audit.warnings()) else []),
    ]
    return Page(
        title=title,
        facts=[fact for fact in facts if fact[1]],
        figures=_figures(manifest, audit),
        boxes=boxes(audit, split=split),
        sections=sections,
        commands=[visible(command) for command in (*manifest.history, options.command) if command],
        digest=manifest.digest(),
        made=options.made,
        program=mesoscope.__version__,
    )


def _figures(manifest: Manifest, audit: Audit | None) -> list[tuple[str, str]]:
    counts = {label: int(np.count_nonzero(mask)) for label, mask in label_masks(manifest).items()}
    numbers = [("rows", f"{len(manifest):,}"), *((label, f"{count:,}") for label, count in counts.items())]
    numbers.append(("groups", f"{pc.count_distinct(manifest.table.column('group')).as_py():,}"))
    if audit is not None and audit.readable < audit.rows:
        numbers.append(("unreadable", f"{audit.rows - audit.readable:,}"))
    return numbers


def _write_figures(page: Page, directory: Path, progress: Stage) -> None:
    charts = [chart for section in page.sections for chart in section.charts]
    sheets = [sheet for section in page.sections for sheet in section.sheets]
    shown = [finding for section in page.sections for finding in section.shown]
    with progress("drawing figures", len(charts) + len(sheets) + len(shown)) as step:
        for chart in charts:
            for suffix in (".png", ".svg"):
                save(chart.figure, directory / f"{chart.name}{suffix}")
            step()
        for sheet in sheets:
            save_sheet(draw_sheet(sheet.tiles), directory / f"{sheet.name}.png")
            step()
        for finding in shown:
            save_cases(finding.cases, directory / f"{finding.name}.png")
            step()
