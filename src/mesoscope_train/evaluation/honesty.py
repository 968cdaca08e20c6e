"""What keeps an evaluation honest, put together: the registers of test parts, and the gate before training data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

import mesoscope
from mesoscope.atomic import make_directory
from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope.report.words import plural
from mesoscope_train.data.audit.measures import measure
from mesoscope_train.data.audit.run import Stage, cache_directory, measures_file
from mesoscope_train.evaluation import gate
from mesoscope_train.evaluation.inputs import Inputs, Request
from mesoscope_train.evaluation.metrics_schema import Caution
from mesoscope_train.evaluation.register import (
    FILE,
    Entry,
    add_to_register,
    earlier,
    read_register,
    rows_digest,
    siblings,
    user_register,
)

Remark = Callable[[str], None]
Seen = tuple[Entry, Entry]
"""What is wanted, and the latest earlier evaluation of it."""


def entries_of(inputs: Inputs, request: Request, id_: str, date: str) -> list[Entry]:
    """What the registers will say of each bundle on each manifest."""
    return [
        Entry(
            id=id_,
            date=date,
            bundle=loaded.name,
            bundle_sha256=loaded.bundle.sha256,
            manifest=one.judged.name,
            manifest_sha256=one.judged.digest,
            part=one.part,
            test_sha256=rows_digest(one.judged.rows),
            rows=len(one.judged.rows),
            out=str(request.out.resolve()),
            again=request.again,
            mesoscope=mesoscope.__version__,
        )
        for one in inputs.wanted
        for loaded in inputs.bundles
    ]


def _known(out: Path) -> list[Entry]:
    return [*read_register(out / FILE), *read_register(user_register())]


def looked_at(request: Request, entries: Sequence[Entry]) -> list[Seen]:
    """What is wanted that was evaluated before, with the latest such evaluation."""
    known = _known(request.out)
    found = [(entry, earlier(known, entry)) for entry in entries]
    return [(entry, before[-1]) for entry, before in found if before]


def register_cautions(again: Sequence[Seen], entries: Sequence[Entry], out: Path) -> Iterator[Caution]:
    """What must be said of test parts that were looked at before, with these bundles or with others of their name."""
    for entry, before in again:
        yield Caution(
            code="again",
            message=(
                f"the test part of {entry.manifest} was evaluated with {entry.bundle} before, on {before.date[:10]}: "
                "whatever was chosen since makes these numbers hopeful"
            ),
            bundle=entry.bundle,
            manifest=entry.manifest,
        )
    known = _known(out)
    for entry in entries:
        tries = siblings(known, entry)
        if tries:
            yield Caution(
                code="test-used",
                message=(
                    f"the test part of {entry.manifest} was looked at with "
                    f"{plural(len(tries), 'other bundle', 'other bundles')} of the name "
                    f"{entry.bundle.rpartition('-')[0]}: "
                    "if the best of them was chosen by it, its numbers are hopeful"
                ),
                bundle=entry.bundle,
                manifest=entry.manifest,
            )


def enter(entries: Sequence[Entry], out: Path, remark: Remark) -> None:
    """Enter the evaluation before anybody can see its numbers."""
    add_to_register(out / FILE, entries)
    try:
        add_to_register(user_register(), entries)
    except UsageError as error:
        remark(f"the evaluation is entered in {out / FILE} only: {error}")


def pass_gate(inputs: Inputs, request: Request, workers: int, progress: Stage, remark: Remark) -> list[Caution]:
    """What must be known of bundles and manifests together.

    Raises:
        LeakError: a bundle was trained on what it would be judged by.
    """
    bundles = [loaded.bundle for loaded in inputs.bundles]
    names = [loaded.name for loaded in inputs.bundles]
    trainings = gate.trainings_of(bundles, [gate.read_training(path) for path in request.trainings])
    cautions: list[Caution] = []
    with ExitStack() as stack:
        measures = _measures(stack, workers, progress, remark)
        for one in inputs.wanted:
            cautions += gate.audit_cautions(one.judged)
            for name, bundle, known in zip(names, bundles, trainings, strict=True):
                cautions += gate.check(name, bundle, one.judged, known, allow=request.allow_leaks, measures=measures)
    digests = {one.judged.digest for one in inputs.wanted}
    at_hand = [
        bool(known) or bool(digests & gate.stated_manifests(bundle))
        for bundle, known in zip(bundles, trainings, strict=True)
    ]
    return [*cautions, *gate.compared_by_name(names, bundles, at_hand)]


def _measures(stack: ExitStack, workers: int, progress: Stage, remark: Remark) -> gate.Measures:
    """Measurements of pictures, kept beside their manifest where that can be written."""
    known: dict[tuple[str, Path], pa.Table] = {}

    def measured(rows: Manifest, path: Path) -> pa.Table:
        key = (rows.digest(), rows.root)
        if key not in known:
            directory = cache_directory(path)
            try:
                make_directory(directory)
            except UsageError:
                directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            with progress("comparing pictures with those trained on", len(rows)) as step:
                known[key] = measure(
                    rows, measures_file(rows, directory), workers=workers, progress=step, remark=remark
                )
        return known[key]

    return measured
