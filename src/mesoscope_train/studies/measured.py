"""Claims beside what was measured: each looked up in the evaluation that its study's step made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.metrics_schema import Metric, Metrics, Reading
from mesoscope_train.studies.plan import Claim, Looked
from mesoscope_train.studies.running import Record


@dataclass(frozen=True, slots=True)
class Row:
    """One claim with its answer.

    Attributes:
        claim: what the study says.
        value, low, high: measured; None where it was not.
        n, n_groups: pictures and groups it was measured on; 0 where it was not.
        answer: as text, with the interval, or why there is none.
    """

    claim: Claim
    value: float | None
    low: float | None
    high: float | None
    n: int
    n_groups: int
    answer: str


def measure(claim: Claim, records: Mapping[str, Record], out: Path) -> Row:
    """Look a claim's number up.

    Args:
        claim: of the study.
        records: what became of its steps.
        out: the study's directory.
    """
    where = claim.measured
    if where is None:
        return Row(claim, None, None, None, 0, 0, claim.finding or "not looked at")
    record = records[where.step]
    if not record.there:
        return _none(claim, f"not run here: {record.reason or record.state}")
    try:
        metrics = Metrics.from_json((out / where.metrics).read_text(encoding="utf-8"))
    except (OSError, UsageError) as error:
        return _none(claim, f"{where.metrics} cannot be read ({error})")
    reading = _reading(metrics, where)
    if reading is None:
        return _none(claim, f"not run here: {where.bundle} was not evaluated on {where.manifest}")
    found = reading.metrics.get(where.metric)
    if not isinstance(found, Metric):
        return _none(claim, found.absent if found is not None else "not among the metrics")
    interval = f" ({found.low:.3f}–{found.high:.3f})" if found.low is not None else ""
    answer = f"{found.value:.3f}{interval}, {found.n:,} pictures in {found.n_groups:,} groups"
    return Row(claim, found.value, found.low, found.high, found.n, found.n_groups, answer)


def _none(claim: Claim, why: str) -> Row:
    return Row(claim, None, None, None, 0, 0, why)


def _reading(metrics: Metrics, where: Looked) -> Reading | None:
    for reading in metrics.find(manifest=where.manifest, tier="clean", unit="picture"):
        part = None if reading.slice is None else (reading.slice.column, reading.slice.value)
        if reading.bundle.rpartition("-")[0] == where.bundle and part == where.slice:
            return reading
    return None
