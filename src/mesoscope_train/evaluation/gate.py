"""Whether a bundle may be judged by these rows: not by what it was trained on, unless that is allowed by name.

What a bundle was trained on is known by the digests of its training manifests, which its contract states, by the
manifests themselves where they are at hand (then groups, people and pictures are compared), and else by the names of
its data sets. What cannot be told is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from mesoscope.bundle import Bundle
from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest, read_manifest
from mesoscope.report.words import plural
from mesoscope_train.data.audit.findings import LEAKS, Audit, Finding
from mesoscope_train.data.audit.gate import cross_leaks
from mesoscope_train.data.audit.run import audit_file
from mesoscope_train.errors import LeakError
from mesoscope_train.evaluation.metrics_schema import Caution

TRAINED_ON = "trained-on"
KINDS = (TRAINED_ON, *LEAKS)
"""What ``--allow-leak`` takes: rows of the bundle's own training or validation part, and what two manifests share."""
_LEARNED = ("train", "validation")
Measures = Callable[[Manifest, Path], pa.Table | None]
"""From rows and their manifest's file to measurements of the pictures (`data.audit.measures.measure`)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows that a bundle is to be judged by.

    Attributes:
        name: of the manifest in this evaluation.
        path: its file.
        whole: all its rows.
        digest: of all its rows.
        rows: those that are judged.
    """

    name: str
    path: Path
    whole: Manifest
    digest: str
    rows: Manifest


@dataclass(frozen=True, slots=True)
class Training:
    """A manifest that a bundle was trained on.

    Attributes:
        path: its file.
        digest: of all its rows.
        learned: the rows that were trained and validated on.
    """

    path: Path
    digest: str
    learned: Manifest


def read_training(path: Path) -> Training:
    """Read a training manifest, or that of a run's directory.

    Raises:
        ManifestError: it cannot be read.
    """
    file = path / "manifest.parquet" if path.is_dir() else path
    return training_of(read_manifest(file), file)


def training_of(manifest: Manifest, path: Path, digest: str | None = None) -> Training:
    """A manifest as training data: without the rows of its test part, or those outside its folds."""
    return Training(path, digest or manifest.digest(), manifest.take(learned_rows(manifest)))


def learned_rows(manifest: Manifest) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(N,) bool: rows that training and validation use; all where there is no split."""
    for column in ("split", "fold"):
        if column in manifest:
            values = manifest.values(column)
            wanted = [value in _LEARNED if column == "split" else value is not None for value in values]
            return np.array(wanted, bool)
    return np.ones(len(manifest), bool)


def check_kinds(allow: Collection[str]) -> None:
    """Refuse names that are no leak.

    Raises:
        UsageError: one is not of `KINDS`.
    """
    unknown = sorted(set(allow) - set(KINDS))
    if unknown:
        raise UsageError(f"--allow-leak {unknown[0]}: there is no such leak; there are {', '.join(KINDS)}")


def stated_manifests(bundle: Bundle) -> set[str]:
    """Digests of the manifests that a bundle was trained, or its thresholds were chosen on."""
    contract = bundle.contract
    stated = {data.manifest_sha256 for data in contract.training_data}
    if contract.thresholds is not None:
        stated.add(contract.thresholds.manifest_sha256)
    return {digest for digest in stated if digest is not None}


def trainings_of(bundles: Sequence[Bundle], given: Sequence[Training]) -> list[list[Training]]:
    """For each bundle the given manifests that it was trained on.

    A manifest belongs to the bundles that state its digest; where none does, to those that state no digest at all.

    Raises:
        UsageError: a manifest can be no bundle's.
    """
    stated = [stated_manifests(bundle) for bundle in bundles]
    found: list[list[Training]] = [[] for _ in bundles]
    for training in given:
        owners = [number for number, digests in enumerate(stated) if training.digest in digests]
        owners = owners or [number for number, digests in enumerate(stated) if not digests]
        if not owners:
            raise UsageError(
                f"{training.path} (sha256 {training.digest[:12]}…) is not what any of these bundles was trained on; "
                f"they state {', '.join(sorted(each[:12] + '…' for each in set().union(*stated)))}"
            )
        for number in owners:
            found[number].append(training)
    return found


def check(
    name: str,
    bundle: Bundle,
    judged: Judged,
    trainings: Sequence[Training],
    *,
    allow: Collection[str] = (),
    measures: Measures = lambda rows, path: None,
) -> list[Caution]:
    """What must be known when this bundle is judged by these rows.

    Args:
        name: of the bundle in this evaluation.
        bundle: that is judged.
        judged: the rows.
        trainings: manifests it was trained on, as far as they are at hand.
        allow: kinds of leaks that are meant, of `KINDS`.
        measures: of the pictures of some rows; None where pictures are not compared.

    Raises:
        LeakError: it was trained on such rows, and that is not allowed.
    """
    if judged.digest in stated_manifests(bundle):
        told = _own_rows(name, judged, allow)
        if told:
            return [told]
        trainings = [*trainings, training_of(judged.whole, judged.path, judged.digest)]
    if not trainings:
        return list(_by_name(name, bundle, judged))
    here = measures(judged.rows, judged.path)
    findings: list[Finding] = []
    seen: set[str] = set()
    for training in trainings:
        if training.digest not in seen and len(training.learned):
            there = None if here is None else measures(training.learned, training.path)
            shared = cross_leaks(training.learned, judged.rows, training_measures=there, judged_measures=here)
            findings += (finding for finding in shared if finding.severity == "leak")
        seen.add(training.digest)
    _refuse(name, judged, findings, allow)
    if findings:
        kinds = ", ".join(dict.fromkeys(finding.kind for finding in findings))
        told = "; ".join(finding.message for finding in findings)
        message = f"{name} is judged by what it was trained on, allowed by --allow-leak ({kinds}): {told}"
        return [_caution(TRAINED_ON, message, name, judged)]
    return list(_same_set(name, judged, trainings))


def audit_cautions(judged: Judged) -> list[Caution]:
    """The warnings of the audit that lies beside a manifest, where it is of this very manifest."""
    try:
        found = Audit.from_json(audit_file(judged.path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, UsageError):
        return []
    if found.manifest != judged.digest:
        return []
    warnings = [finding for finding in found.findings if finding.severity == "warning"]
    return [
        Caution(code="audit", message=f"the audit of {judged.name} warns: {finding.message}", manifest=judged.name)
        for finding in warnings
    ]


def _own_rows(name: str, judged: Judged, allow: Collection[str]) -> Caution | None:
    """The caution for rows of the bundle's own training and validation part.

    Raises:
        LeakError: there are such rows, and that is not allowed.
    """
    count = int(learned_rows(judged.rows).sum())
    if not count:
        return None
    told = (
        f"{name} was trained or tuned on this very manifest, and {count:,} of the {len(judged.rows):,} rows judged "
        "are of its training and validation part"
    )
    if TRAINED_ON not in allow:
        raise LeakError(
            f"{judged.name}: {told}: the numbers would say how well it remembers. Judge it by --split test, or by "
            f"data it never saw; where it is meant: --allow-leak {TRAINED_ON}"
        )
    return _caution(TRAINED_ON, f"{told} (allowed by --allow-leak {TRAINED_ON})", name, judged)


def _refuse(name: str, judged: Judged, findings: Sequence[Finding], allow: Collection[str]) -> None:
    stopped = [finding for finding in findings if finding.kind not in allow]
    if not stopped:
        return
    told = ". ".join(f"{finding.kind}: {finding.message}{_example(finding)}" for finding in stopped)
    allowing = " ".join(f"--allow-leak {kind}" for kind in dict.fromkeys(finding.kind for finding in stopped))
    raise LeakError(
        f"{name} was trained on what {judged.name} would judge it by. {told}. Take these rows out of the manifest; "
        f"where it is meant: {allowing}"
    )


def _example(finding: Finding) -> str:
    return f" (for example {', '.join(finding.examples[0])})" if finding.examples else ""


def _same_set(name: str, judged: Judged, trainings: Sequence[Training]) -> Iterator[Caution]:
    """What is to be said where training manifests are at hand and nothing is shared."""
    learned = {dataset for training in trainings for dataset in training.learned.values("dataset")}
    common = sorted(learned & set(judged.rows.values("dataset")))
    if common:
        yield _caution(
            "trained-on-set",
            f"{name} was trained on other groups of the same set ({', '.join(common)}): the numbers say nothing of "
            "other sets",
            name,
            judged,
        )


def _by_name(name: str, bundle: Bundle, judged: Judged) -> Iterator[Caution]:
    """What is to be said where no training manifest is at hand."""
    data = bundle.contract.training_data
    if not data:
        yield _caution(
            "training-unknown",
            f"{name} states no data it was trained on: these pictures may be among them",
            name,
            judged,
        )
        return
    common = sorted(
        {one.name for one in data for dataset in set(judged.rows.values("dataset")) if _alike(one.name, dataset)}
    )
    if common:
        yield _caution(
            "trained-on-set",
            f"{name} was trained on a part of this set ({', '.join(common)}); whether these very pictures are in it "
            "cannot be told without its training manifest (--training-manifest)",
            name,
            judged,
        )
    elif any(one.manifest_sha256 is None for one in data):
        yield _caution(
            "training-unknown",
            f"{name} names what it was trained on ({'; '.join(one.name for one in data)}), but no list of pictures "
            "exists: that these are not among them is only its word",
            name,
            judged,
        )


def _alike(stated: str, dataset: str) -> bool:
    """Whether one name is the other, or begins with it as a word: ``mesonet`` and ``mesonet-faces``."""
    short, long = sorted((stated.casefold(), dataset.casefold()), key=len)
    return long == short or (long.startswith(short) and not long[len(short)].isalnum())


def _caution(code: str, message: str, bundle: str, judged: Judged) -> Caution:
    return Caution(code=code, message=message, bundle=bundle, manifest=judged.name)


def compared_by_name(names: Sequence[str], bundles: Sequence[Bundle], known: Sequence[bool]) -> list[Caution]:
    """A sentence for each bundle that states training manifests which were not at hand.

    Args:
        names: of the bundles in this evaluation.
        bundles: in the same order.
        known: whether a training manifest of it was at hand.
    """
    return [
        Caution(
            code="training-by-name",
            message=(
                f"{name} states {plural(len(bundle.contract.training_data), 'training set', 'training sets')} "
                f"({', '.join(data.name for data in bundle.contract.training_data)}); pictures were not compared "
                "with them, names only (--training-manifest compares pictures)"
            ),
            bundle=name,
        )
        for name, bundle, at_hand in zip(names, bundles, known, strict=True)
        if not at_hand and stated_manifests(bundle)
    ]
