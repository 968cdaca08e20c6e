"""What int8 costs: the float32 graph and the int8 graph on the same pictures, in both engines."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mesoscope.bundle import BundleContract, Cost, Reading
from mesoscope.calibrate import Verdict, verdict_for
from mesoscope.engine import BATCH, Session, engines
from mesoscope.metrics import Estimate, Intervals, Sample, estimate_all
from mesoscope.types import Float32Array

ENGINES = ("openvino", "onnxruntime")
TIMED = 30
"""Runs with one input and one thread, of which the fastest is taken: what else the machine does only ever adds."""
_WARM_UP = 3
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Of the pictures that are measured on: (N,) bool, and (N,) int64 codes of groups from 0."""

    fake: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]


@dataclass(slots=True)
class Compared:
    """Both graphs in one engine, batch by batch.

    Attributes:
        before, after: logits so far, in pieces.
        map_change: largest absolute change of each picture's map.
        map_peak: largest absolute value of each picture's float32 map.
        map_correlation: of each picture's two maps over their cells.
    """

    before: list[Float32Array] = field(default_factory=list)
    after: list[Float32Array] = field(default_factory=list)
    map_change: list[Floats] = field(default_factory=list)
    map_peak: list[Floats] = field(default_factory=list)
    map_correlation: list[Floats] = field(default_factory=list)

    def add(self, before: Sequence[Float32Array], after: Sequence[Float32Array]) -> None:
        """Take the outputs (logit, map) of a batch."""
        self.before.append(before[0])
        self.after.append(after[0])
        first, second = (outputs[1].reshape(len(outputs[1]), -1).astype(np.float64) for outputs in (before, after))
        self.map_change.append(np.abs(first - second).max(axis=1))
        self.map_peak.append(np.abs(first).max(axis=1))
        self.map_correlation.append(_correlations(first, second))


def compare(
    before: Path, after: Path, batches: Iterable[Float32Array]
) -> tuple[dict[str, Compared], dict[str, tuple[float, float]]]:
    """Run both graphs in both engines over the same inputs.

    Args:
        before: the float32 graph.
        after: the int8 graph.
        batches: (n, 3, S, S) float32; at least one.

    Returns:
        engine to what was seen, and engine to milliseconds an input takes before and after.
    """
    found = {engine: Compared() for engine in ENGINES}
    opened = {engine: [engines[engine](graph, 0) for graph in (before, after)] for engine in ENGINES}
    first: Float32Array | None = None
    for batch in batches:
        first = batch[:1] if first is None else first
        for start in range(0, len(batch), BATCH):
            piece = batch[start : start + BATCH]
            for engine, sessions in opened.items():
                found[engine].add(*(session(piece) for session in sessions))
    assert first is not None  # noqa: S101 - asked of the caller
    speed = {engine: _speeds([engines[engine](graph, 1) for graph in (before, after)], first) for engine in ENGINES}
    return found, speed


def cost_of(found: Compared, speed: tuple[float, float], labels: Labels, contract: BundleContract) -> Cost:
    """The cost in one engine, as the contract states it."""
    verdict = verdict_for(contract)
    before, after = np.concatenate(found.before), np.concatenate(found.after)
    change = np.abs(before.astype(np.float64) - after)
    same = [
        verdict.outcome(verdict.probability(float(one))) is verdict.outcome(verdict.probability(float(other)))
        for one, other in zip(before, after, strict=True)
    ]
    return Cost(
        before=_reading(before, labels, verdict, speed[0]),
        after=_reading(after, labels, verdict, speed[1]),
        largest_logit=float(change.max()),
        mean_logit=float(change.mean()),
        largest_map=float(np.concatenate(found.map_change).max() / max(np.concatenate(found.map_peak).max(), 1e-30)),
        map_correlation=float(np.median(np.concatenate(found.map_correlation))),
        same_outcome=float(np.mean(same)),
    )


def _reading(logits: npt.NDArray[Any], labels: Labels, verdict: Verdict, milliseconds: float) -> Reading:
    count = int(labels.groups.max()) + 1
    sample = Sample(
        fake=labels.fake,
        logit=logits.astype(np.float64),
        probability=np.array([verdict.probability(float(logit)) for logit in logits]),
        group=labels.groups,
        groups=count,
        threshold=verdict.threshold,
        lower=verdict.lower,
        silent=np.zeros(count, np.int64),
    )
    found = estimate_all(sample, Intervals(), ("auc", "balanced_accuracy"))
    auc, accuracy = found["auc"], found["balanced_accuracy"]
    assert isinstance(auc, Estimate) and isinstance(accuracy, Estimate)  # noqa: S101 - both classes are there
    return Reading(
        accuracy=accuracy.value, auc=auc.value, auc_low=auc.low, auc_high=auc.high, milliseconds=milliseconds
    )


def _speeds(sessions: Sequence[Session], one: Float32Array) -> tuple[float, float]:
    """Milliseconds before and after: the fastest of runs that take turns, so that a busy machine is fair to both."""
    taken: list[list[float]] = [[] for _ in sessions]
    order = list(enumerate(sessions))
    for _ in range(_WARM_UP + TIMED):
        # not always the same one first: on a busy machine the second is the one that is interrupted
        order.reverse()
        for number, session in order:
            start = time.perf_counter()
            session(one)
            taken[number].append(time.perf_counter() - start)
    before, after = (float(min(times[_WARM_UP:])) * 1000 for times in taken)
    return before, after


def _correlations(first: Floats, second: Floats) -> Floats:
    """Pearson's, row by row; 1 where both rows are flat, 0 where one is."""
    a, b = (maps - maps.mean(axis=1, keepdims=True) for maps in (first, second))
    norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    flat = (np.ptp(first, axis=1) == 0) & (np.ptp(second, axis=1) == 0)
    products = np.divide((a * b).sum(axis=1), norms, out=np.zeros_like(norms), where=norms > 0)
    return np.where(flat, 1.0, np.clip(products, -1, 1))
