"""The gate before training and evaluation: no leak passes unless it was allowed by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest, read_manifest
from mesoscope_train.data.audit.duplicates import find_duplicates
from mesoscope_train.data.audit.findings import LEAKS, Audit, Finding
from mesoscope_train.data.audit.leaks import leaks
from mesoscope_train.data.audit.run import Stage, audit, audit_file, cache_directory, silent
from mesoscope_train.data.audit.shortcuts import DEFAULT_BOUND
from mesoscope_train.data.audit.sides import Sides
from mesoscope_train.errors import LeakError

_COMPARED = ("path", "label", "group", "dataset", "identity", "source_identity")


def audited(
    path: Path,
    manifest: Manifest | None = None,
    *,
    allow: Collection[str] = (),
    cache_dir: Path | None = None,
    workers: int = 1,
    bound: float | None = None,
    seed: int = 0,
    progress: Stage = silent,
    remark: Callable[[str], None] = lambda sentence: None,
) -> Audit:
    """The audit of a manifest that may be used: the one beside it where its digest agrees, or else a new one.

    Its `warnings` belong to every result that is made from the manifest.

    Args:
        path: of the manifest; a new audit is written beside it (and a remark made where that is not possible).
        manifest: what `path` holds, where it is read already.
        allow: kinds of leaks that are meant, of `LEAKS`.
        cache_dir: of the measurements; None for `cache_directory`.
        workers: processes.
        bound: AUC from which a shortcut is a warning; None for that of the audit that is there, or the default.
        seed: of the cross-validation of shortcuts.
        progress: shows how far it is.
        remark: is told what should be known.

    Raises:
        LeakError: there is a leak that is not allowed.
        UsageError: `allow` names no leak, or the cache cannot be written.
        ManifestError: the manifest cannot be read.
    """
    check_allowed(allow)
    manifest = manifest or read_manifest(path)
    found = _earlier(audit_file(path), manifest.digest(), bound)
    if found is None:
        found = audit(
            manifest,
            cache_dir=cache_dir or cache_directory(path),
            workers=workers,
            bound=DEFAULT_BOUND if bound is None else bound,
            seed=seed,
            progress=progress,
            remark=remark,
        )
        try:
            found.write(audit_file(path))
        except UsageError as error:
            remark(f"the audit could not be kept: {error}")
    refuse(found.leaks(), allow, str(path))
    return found


def cross_leaks(
    training: Manifest,
    judged: Manifest,
    *,
    training_measures: pa.Table | None = None,
    judged_measures: pa.Table | None = None,
) -> tuple[Finding, ...]:
    """What two manifests share: groups, people, identical and nearly identical pictures.

    Args:
        training: rows a detector was (or will be) trained and tuned on; take them out of a split first.
        judged: rows it is judged by.
        training_measures: as of `measure`, of `training`; without both, pictures are not compared, names only.
        judged_measures: likewise of `judged`.

    Returns:
        Leaks, and notes; empty where nothing is shared.
    """
    tables = [
        manifest.table.select([name for name in _COMPARED if name in manifest]) for manifest in (training, judged)
    ]
    both = Manifest(pa.concat_tables(tables, promote_options="default"), training.root)
    sides = Sides("manifest", ("training", "judged"), np.repeat(np.arange(2), [len(training), len(judged)]))
    duplicates = None
    if training_measures is not None and judged_measures is not None:
        columns = ["pixels", "fingerprint"]
        measures = pa.concat_tables([training_measures.select(columns), judged_measures.select(columns)])
        duplicates = find_duplicates(measures, both.codes("group")[0])
    return tuple(leaks(both, duplicates, sides))


def check_allowed(allow: Collection[str]) -> None:
    """Refuse names that are no leak.

    Raises:
        UsageError: one is not of `LEAKS`.
    """
    unknown = sorted(set(allow) - set(LEAKS))
    if unknown:
        raise UsageError(f"--allow-leak {unknown[0]}: there is no such leak; there are {', '.join(LEAKS)}")


def refuse(findings: Iterable[Finding], allow: Collection[str], what: str, *, brief: bool = False) -> None:
    """Stop at leaks that are not allowed.

    Args:
        findings: those that are no leaks are passed over.
        allow: kinds of leaks that are meant.
        what: the manifest, or the two that were compared.
        brief: name the kinds only, where all else was told already.

    Raises:
        LeakError: with every such leak, its numbers and examples, and how to allow it.
    """
    stopped = [finding for finding in findings if finding.severity == "leak" and finding.kind not in allow]
    if not stopped:
        return
    kinds = list(dict.fromkeys(finding.kind for finding in stopped))
    told = "" if brief else "".join(f". {finding.kind}: {finding.message}{_example(finding)}" for finding in stopped)
    advice = "split it anew by whole groups"
    if any("duplicate" in kind for kind in kinds):
        advice = "unite the groups of copies (mesoscope data audit --join-duplicates) and split the result anew"
    allowing = " ".join(f"--allow-leak {kind}" for kind in kinds)
    raise LeakError(f"{what} leaks ({', '.join(kinds)}){told}. To mend it, {advice}; where it is meant: {allowing}")


def _example(finding: Finding) -> str:
    return f" (for example {', '.join(finding.examples[0])})" if finding.examples else ""


def _earlier(file: Path, digest: str, bound: float | None) -> Audit | None:
    """The audit that is there, if it is of this very manifest and was made with this bound."""
    try:
        found = Audit.from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, UsageError):
        return None
    return found if found.manifest == digest and bound in (None, found.bound) else None
