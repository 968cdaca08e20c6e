"""The sections that the audit gives: shortcuts, and findings with their examples."""

from __future__ import annotations

from mesoscope.manifest import Manifest
from mesoscope.report.words import plural, visible
from mesoscope_train.data.audit.findings import Audit
from mesoscope_train.data.explore.content import Chart, Section, Table
from mesoscope_train.data.explore.examples import show_findings
from mesoscope_train.data.explore.forest import draw_forest, family_name, interval


def shortcuts_section(audit: Audit, telling: Chart | None) -> Section | None:
    """How well trivial measurements alone tell the label; None where that was not measured.

    Args:
        audit: of the manifest.
        telling: the distributions of single measurements, to stand below.
    """
    if not audit.shortcuts:
        return None
    rows, groups = audit.shortcuts[0].rows, audit.shortcuts[0].groups
    forest = Chart(
        "shortcuts",
        draw_forest(audit.shortcuts, audit.bound),
        "How well trivial measurements alone tell the label: AUC of held-out scores, cross-validated by group, with "
        f"its 95 % interval ({plural(rows, 'row', 'rows')}, {plural(groups, 'group', 'groups')}). Diamonds are at or "
        "above the bound: a detector trained on this data may learn them instead of the forgery.",
    )
    explained = tuple(
        (family_name(found.family), interval(found), visible(found.explanation))
        for found in audit.shortcuts
        if found.explanation
    )
    table = Table(("measurements", "AUC (95 % interval)", "what tells the classes apart"), explained, numbers=(1,))
    charts = (forest, telling) if telling else (forest,)
    return Section("shortcuts", "Shortcuts", charts=charts, tables=(table,) if explained else ())


def findings_section(manifest: Manifest, audit: Audit, *, workers: int) -> Section | None:
    """The findings that have examples, with pictures; None where none has."""
    shown = show_findings(manifest, audit, workers=workers)
    return Section("findings", "Findings, with examples", shown=shown) if shown else None
