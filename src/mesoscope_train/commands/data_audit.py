"""``mesoscope data audit``: whether a manifest can be trusted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesoscope.errors import UsageError

if TYPE_CHECKING:
    from mesoscope.manifest import Manifest
    from mesoscope_train.data.audit.run import Examined


def command(  # noqa: PLR0917 - each parameter is a flag
    manifest: Annotated[Path, typer.Argument(help="The manifest, .parquet or .csv.", metavar="MANIFEST")],
    out: Annotated[
        Path | None, typer.Option(help="Where the audit goes; default: NAME.audit.json beside it.", metavar="FILE")
    ] = None,
    allow_leak: Annotated[
        list[str] | None,
        typer.Option(
            help="A leak that is meant: group, identity, duplicate, near-duplicate; may be repeated.", metavar="KIND"
        ),
    ] = None,
    shortcut_bound: Annotated[
        float | None,
        typer.Option(
            help="AUC from which a trivial measurement that tells the label is a warning; default: 0.7.",
            metavar="AUC",
        ),
    ] = None,
    join_duplicates: Annotated[
        Path | None,
        typer.Option(
            help="Write a manifest whose groups are united over identical and nearly identical pictures.",
            metavar="FILE",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that measure pictures; 0: none but this one; default: one a core.", metavar="N"),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Where the files lie, if not where the manifest says.", metavar="DIR")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the cross-validation of shortcuts.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a manifest that is already there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The audit as JSON, for programs.")] = False,
) -> None:
    """Look for leaks between the parts of a split, and for shortcuts to the label.

    Reads every file once (what was measured is kept in .mesoscope beside the manifest) and tells:
    groups, people, identical and nearly identical pictures (saved anew, resized, mirrored) on both
    sides of a split; pictures that are called real in one place and fake in another; files that
    cannot be read; classes that are rare; and how well size, format, JPEG quality, sharpness,
    colour and spectrum alone tell the label, on groups they were not fitted to.

    Training and evaluation do the same and stop at a leak. Here, too, a leak that is not allowed by
    name ends with exit code 1; the audit is written all the same.

    [bold]Examples[/]

      mesoscope data audit split.parquet

      mesoscope data audit faces.parquet --join-duplicates joined.parquet

      mesoscope data audit celebdf.parquet --allow-leak identity --json

    [bold]Exit codes[/]  0 no leak, or only allowed ones; 1 a leak; 2 wrong usage
    """
    from mesoscope.cli.console import remark
    from mesoscope.manifest import read_manifest
    from mesoscope_train.commands.data_audit_answer import show_audit
    from mesoscope_train.commands.data_output import writable
    from mesoscope_train.data.audit.families import FAMILIES
    from mesoscope_train.data.audit.gate import check_allowed, refuse
    from mesoscope_train.data.audit.run import audit_file, cache_directory, conclude, examine
    from mesoscope_train.data.audit.shortcuts import DEFAULT_BOUND, find_shortcuts
    from mesoscope_train.progress import progress

    allow = allow_leak or []
    check_allowed(allow)
    bound = _checked_bound(DEFAULT_BOUND if shortcut_bound is None else shortcut_bound)
    joined = writable(join_duplicates, force) if join_duplicates else None
    found = read_manifest(manifest, root=root)
    examined = examine(
        found, cache_dir=cache_directory(manifest), workers=_workers(workers), progress=progress, remark=remark
    )
    with progress("looking for shortcuts", len(FAMILIES)) as step:
        shortcuts = find_shortcuts(found, examined.measures, bound=bound, seed=seed, progress=step)
    audit = conclude(found, examined, shortcuts, bound)
    target = out or audit_file(manifest)
    audit.write(target)
    if as_json:
        sys.stdout.write(audit.to_json())
    else:
        show_audit(audit, allow, target)
    if joined:
        _join(found, examined, joined)
    refuse(audit.leaks(), allow, str(manifest), brief=not as_json)


def _join(manifest: Manifest, examined: Examined, out: Path) -> None:
    from mesoscope.cli.console import remark
    from mesoscope.manifest import write_manifest
    from mesoscope.report.words import plural
    from mesoscope_train.commands.data_output import command_line
    from mesoscope_train.data.audit.duplicates import join_groups

    joined = join_groups(manifest, examined.duplicates)
    before, after = (len(each.codes("group")[1]) for each in (manifest, joined))
    write_manifest(joined.with_history(command_line()), out)
    parted = "; its split is as before: split it anew" if "split" in manifest or "fold" in manifest else ""
    remark(f"written: {out}, {plural(before, 'group', 'groups')} united to {after:,}{parted}")


def _checked_bound(bound: float) -> float:
    if not 0.5 <= bound <= 1.0:
        raise UsageError(f"--shortcut-bound {bound:g}: an AUC from 0.5 (tells nothing) to 1 is meant")
    return bound


def _workers(workers: int | None) -> int:
    import os

    if workers is not None and workers < 0:
        raise UsageError(f"--workers must be at least 0, not {workers}")
    return (os.cpu_count() or 1) if workers is None else workers
