"""What ``mesoscope data audit`` prints for people."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from rich.table import Table
from rich.text import Text

from mesoscope.cli.console import printable, stdout
from mesoscope.manifest import SPLITS
from mesoscope.report.words import plural
from mesoscope_train.commands.data_output import table_of
from mesoscope_train.data.audit.findings import Audit, Finding, Shortcut

_EXAMPLES = 3
"""Examples that are shown of each finding; the JSON has more."""
_STYLES = {"leak": "bold red", "warning": "yellow", "note": "dim"}


def show_audit(audit: Audit, allow: Collection[str], out: Path) -> None:
    """Print an audit: counts, findings, shortcuts.

    Args:
        audit: what was found.
        allow: kinds of leaks that are meant.
        out: where it was written.
    """
    console = stdout()
    console.print(_counts(audit))
    unread = audit.rows - audit.readable
    left_out = f", {plural(unread, 'file', 'files')} not readable" if unread else ""
    console.print(f"{plural(audit.rows, 'row', 'rows')} in {plural(audit.groups, 'group', 'groups')}{left_out}\n")
    for finding in audit.findings:
        console.print(_told(finding, finding.kind in allow))
        for example in finding.examples[:_EXAMPLES]:
            console.print(Text(f"    {printable(' | '.join(example))}", "dim"))
    if not audit.findings:
        console.print("nothing found")
    if audit.shortcuts:
        console.print("\nHow well trivial measurements alone tell the label (0.5: not at all, 1: always)")
        console.print(_shortcuts(audit.shortcuts, audit.bound))
    console.print(Text(f"\nwritten: {printable(str(out))}"))


def _counts(audit: Audit) -> Table:
    """Rows by label and part of the split."""
    parts = {part for row in audit.counts.values() for part in row}
    order = [part for part in (*SPLITS, "none") if part in parts]
    headings = ["rows" if order == ["none"] else "no split" if part == "none" else part for part in order]
    rows = [(label, *(f"{row.get(part, 0):,}" for part in order)) for label, row in audit.counts.items()]
    return table_of(("label",), headings, rows)


def _told(finding: Finding, allowed: bool) -> Text:
    severity = "allowed leak" if finding.severity == "leak" and allowed else finding.severity
    style = _STYLES["warning" if allowed and finding.severity == "leak" else finding.severity]
    return Text.assemble((severity, style), f"  {finding.kind}: {printable(finding.message)}")


def _shortcuts(shortcuts: Collection[Shortcut], bound: float) -> Table:
    """Strongest first, those above the bound marked."""
    rows = [
        (
            shortcut.family,
            "warning" if shortcut.above_bound else "",
            f"{shortcut.auc:.2f}",
            f"{shortcut.low:.2f} to {shortcut.high:.2f}",
            f"{shortcut.rows:,}",
            f"{shortcut.groups:,}",
        )
        for shortcut in shortcuts
    ]
    return table_of(("measurement", f"bound {bound:g}"), ("AUC", "interval", "rows", "groups"), rows)
