"""From a bundle and pictures to its int8 copy, written only if the copy is good enough."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mesoscope.bundle import GRAPH_FILE, Bundle, Cost, Parity, Quantisation, Thresholds
from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope.pipeline.ahead import map_ahead
from mesoscope.preprocess import stack, to_input
from mesoscope.types import Float32Array
from mesoscope_train.calibration.card import with_section
from mesoscope_train.calibration.rows import VALIDATION, Source, shared_sets, trained_with
from mesoscope_train.errors import ExportError
from mesoscope_train.publishing import check_place, write_copy
from mesoscope_train.quantising.card import int8_section
from mesoscope_train.quantising.cost import ENGINES, Labels, compare, cost_of
from mesoscope_train.quantising.graph import int8_graph, method_in_words
from mesoscope_train.training.pixels import decoded

RANGES = 256
"""Pictures on which the ranges of the activations are found."""
MEASURED = 2000
"""Validation pictures the cost is measured on, at most."""
MAX_LOSS = 0.01
"""Of accuracy and of AUC, each, in either engine: beyond it no copy is written."""
MIN_MAP_CORRELATION = 0.9
"""Between maps before and after: below it the copy shows other evidence than its source."""
SUFFIX = "-int8"
TRAIN = "train"
CHUNK = 64
WORKERS = max(2, min(8, os.cpu_count() or 2))


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        source: the manifest.
        ranges, measured: how many pictures, at most.
        max_loss: of accuracy and of AUC.
        command: as typed, for the card.
    """

    source: Source
    ranges: int = RANGES
    measured: int = MEASURED
    max_loss: float = MAX_LOSS
    command: str = "mesoscope bundle quantise"


@dataclass(frozen=True, slots=True)
class Rows:
    """Pictures for the ranges and pictures for the measurement, no group in both; and where the former are from."""

    ranges: Manifest
    measured: Manifest
    part: str


def quantise(
    bundle: Bundle,
    request: Request,
    out: Path,
    *,
    overwrite: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Bundle:
    """Write ``out/name-int8-version``.

    Args:
        bundle: float32; stays as it is.
        request: on what, how good.
        out: made where it is missing.
        overwrite: replace a bundle that is already there.
        step: called after each picture that was measured on.

    Raises:
        UsageError: the bundle is int8 already, or no convolutional network; rows are missing; the place is taken.
        MediaError: a picture cannot be read.
        ExportError: the copy loses more than is allowed.
    """
    contract = bundle.contract
    if contract.quantisation is not None:
        raise UsageError(f"bundle {contract.identifier} is int8 already; quantise {contract.quantisation.source}")
    identifier = f"{contract.name}{SUFFIX}-{contract.version}"
    check_place(out / identifier, overwrite)
    rows = choose_rows(request.source, request.ranges, request.measured)
    graph = int8_graph(bundle.graph, np.concatenate(list(_batches(rows.ranges, bundle))))
    costs, largest_map = _measured(bundle, graph, rows.measured, step)
    check(contract.identifier, costs, request.max_loss)
    quantisation = _facts(bundle, len(graph), rows, request, costs)
    changes = {
        "name": f"{contract.name}{SUFFIX}",
        "parity": Parity(
            against="float32",
            inputs=len(rows.measured),
            openvino_logit=costs["openvino"].largest_logit,
            onnxruntime_logit=costs["onnxruntime"].largest_logit,
            map=largest_map,
        ).model_dump(),
        "quantisation": quantisation.model_dump(),
        "limits": [*contract.limits, _limit(quantisation, calibrated=contract.thresholds is not None)],
        "thresholds": contract.thresholds and _without_promises(contract.thresholds).model_dump(),
    }
    section = int8_section(quantisation, rows.part, request.command, _caution(bundle, request.source, rows.measured))
    card = with_section(bundle.card, section, identifier=identifier, earlier=contract.identifier)
    return write_copy(
        bundle, out, changes, card, write_graph=lambda path: path.write_bytes(graph), overwrite=overwrite
    )


def choose_rows(source: Source, ranges: int, measured: int) -> Rows:
    """Pictures for the ranges from the training part, and for the measurement from the validation part.

    Where there is no training part, the former are validation pictures too, and their groups are not measured on.

    Raises:
        UsageError: there is no validation part, or what is left to measure on has one class.
    """
    validation = source.rows([VALIDATION])
    train = np.array([part == TRAIN for part in source.manifest.values("split")], bool)
    if train.any():
        for_ranges, part, rest = _spread(source.manifest.take(train), ranges), TRAIN, validation
    else:
        for_ranges, part = _spread(validation, min(ranges, len(validation) // 3)), VALIDATION
        taken = set(for_ranges.values("group"))
        rest = validation.take(np.array([group not in taken for group in validation.values("group")], bool))
    labels = set(rest.values("label"))
    if labels != {"real", "fake"}:
        only = f"only {labels.pop()} pictures" if labels else "no picture"
        raise UsageError(
            f"to measure what int8 costs, the validation part must have both classes; it has {only} left"
        )
    return Rows(for_ranges, _spread(rest, measured), part)


def check(name: str, costs: Mapping[str, Cost], max_loss: float) -> None:
    """Refuse a copy that is much worse than its source.

    Raises:
        ExportError: it loses accuracy or AUC, or shows other evidence.
    """
    for engine, cost in costs.items():
        for what in ("accuracy", "auc"):
            before, after = getattr(cost.before, what), getattr(cost.after, what)
            if before - after > max_loss:
                raise ExportError(
                    f"no int8 copy of {name} was written: in {engine} its {what} falls from {before:.4f} to "
                    f"{after:.4f}, by more than {max_loss:g} (--max-loss)"
                )
        if cost.map_correlation < MIN_MAP_CORRELATION:
            raise ExportError(
                f"no int8 copy of {name} was written: in {engine} its maps correlate with the float32 graph's by "
                f"{cost.map_correlation:.2f} only, so that it would show other evidence (at least "
                f"{MIN_MAP_CORRELATION:g} is asked for)"
            )


def _measured(
    bundle: Bundle, graph: bytes, rows: Manifest, step: Callable[[], None]
) -> tuple[dict[str, Cost], float]:
    """The cost in each engine, and the largest absolute change of a map's value in either."""
    labels = Labels(
        np.array([label == "fake" for label in rows.values("label")], bool),
        np.unique(rows.values("group"), return_inverse=True)[1],
    )
    with tempfile.TemporaryDirectory() as workshop:
        after = Path(workshop) / GRAPH_FILE
        after.write_bytes(graph)
        found, speed = compare(bundle.graph, after, _batches(rows, bundle, step))
    costs = {engine: cost_of(found[engine], speed[engine], labels, bundle.contract) for engine in ENGINES}
    return costs, float(max(np.concatenate(found[engine].map_change).max() for engine in ENGINES))


def _batches(rows: Manifest, bundle: Bundle, step: Callable[[], None] = lambda: None) -> Iterator[Float32Array]:
    """Pictures as the network takes them, (n, 3, S, S) float32, read ahead by threads."""
    spec = bundle.contract.preprocess
    files = [rows.file(path) for path in rows.values("path")]
    pending: list[Float32Array] = []
    for one in map_ahead(lambda file: to_input(decoded(file), spec), files, workers=WORKERS, ahead=CHUNK):
        pending.append(one)
        step()
        if len(pending) == CHUNK:
            yield stack(pending, spec)
            pending = []
    if pending:
        yield stack(pending, spec)


def _spread(rows: Manifest, count: int) -> Manifest:
    """So many rows from all over, both labels in their shares."""
    if len(rows) <= count:
        return rows
    order = np.lexsort((rows.values("path"), rows.values("group"), rows.values("label")))
    places = np.linspace(0, len(rows) - 1, max(count, 1)).round().astype(np.int64)
    return rows.take(np.sort(order[places]))


def _facts(bundle: Bundle, size: int, rows: Rows, request: Request, costs: Mapping[str, Cost]) -> Quantisation:
    labels = rows.measured.values("label")
    return Quantisation(
        method=method_in_words(),
        source=bundle.contract.identifier,
        source_sha256=bundle.sha256,
        manifest_sha256=request.source.digest,
        n_ranges=len(rows.ranges),
        n_real=labels.count("real"),
        n_fake=labels.count("fake"),
        n_groups=len(set(rows.measured.values("group"))),
        bytes_before=bundle.graph.stat().st_size,
        bytes_after=size,
        openvino=costs["openvino"],
        onnxruntime=costs["onnxruntime"],
    )


def _without_promises(thresholds: Thresholds) -> Thresholds:
    """The same thresholds; what they promised was about other logits."""
    budgets = [budget.model_copy(update={"upper_95": None}) for budget in thresholds.budgets]
    return thresholds.model_copy(update={"budgets": budgets})


def _caution(bundle: Bundle, source: Source, rows: Manifest) -> str:
    shared = [] if trained_with(bundle, source) else shared_sets(bundle, rows)
    if not shared:
        return ""
    return (
        f"The bundle was trained on {', '.join(shared)}, listed in another manifest: some of these pictures may have "
        "been among them, so that accuracy and AUC are flattered, before and after alike. "
    )


def _limit(quantisation: Quantisation, *, calibrated: bool) -> str:
    changed = 1 - min(quantisation.openvino.same_outcome, quantisation.onnxruntime.same_outcome)
    thresholds = (
        " Its thresholds are those of its source and promise nothing of their own; 'mesoscope calibrate' makes a "
        "version that does."
        if calibrated
        else ""
    )
    return (
        f"It is an int8 copy of {quantisation.source}: on validation pictures {changed:.1%} of the outcomes differ."
        f"{thresholds}"
    )
