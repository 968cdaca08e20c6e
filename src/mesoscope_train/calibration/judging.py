"""Logits of a manifest's rows, as `mesoscope detect` and `mesoscope evaluate` give them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mesoscope.bundle import Bundle
from mesoscope.calibrate import verdict_for
from mesoscope.engine import DEFAULT_ENGINE, Judge
from mesoscope.faces import FaceFinder
from mesoscope.manifest import Manifest
from mesoscope.pipeline.answers import Asked
from mesoscope_train.calibration.sample import Sample
from mesoscope_train.errors import CalibrationError
from mesoscope_train.evaluation.scores import score_schema
from mesoscope_train.evaluation.scoring import Opened, Part, Scorer
from mesoscope_train.evaluation.tiers import AS_IT_IS


@dataclass(frozen=True, slots=True)
class Judged:
    """What a bundle says of some rows.

    Attributes:
        sample: of those with a score.
        without: outcome (``error``, ``not_applicable``) to how many rows ended so; they take no part.
        first_reason: of the first of them, for a message; None where there is none.
    """

    sample: Sample
    without: dict[str, int]
    first_reason: str | None


def judge_rows(
    bundle: Bundle,
    rows: Manifest,
    digest: str,
    *,
    finder: FaceFinder | None = None,
    engine: str = DEFAULT_ENGINE,
    step: Callable[[], None] = lambda: None,
) -> Judged:
    """Score rows with a bundle.

    Args:
        bundle: that judges.
        rows: of a manifest.
        digest: of the whole manifest.
        finder: of faces; None where the pictures are what is judged.
        engine: that runs the graph.
        step: called after each row.

    Raises:
        CalibrationError: no row has a score.
    """
    opened = Opened(
        bundle.contract.identifier, Judge.open(bundle, engine), Asked(bundle, verdict_for(bundle.contract))
    )
    scorer = Scorer([opened], [AS_IT_IS])
    part = Part("manifest", rows, digest, finder)
    schema = score_schema([rows.table.schema])
    table = pa.concat_tables(
        scorer.score(part, start, start + scorer.at_once, schema, step)
        for start in range(0, len(rows), scorer.at_once)
    )
    return judged_of(table)


def judged_of(table: pa.Table) -> Judged:
    """From a table of scores (`mesoscope_train.evaluation.scores`), of one bundle at one tier.

    Raises:
        CalibrationError: no row has a score.
    """
    logits = table.column("logit").to_pylist()
    there = np.array([logit is not None for logit in logits], bool)
    outcomes, reasons = table.column("outcome").to_pylist(), table.column("reason").to_pylist()
    silent = np.flatnonzero(~there)
    without = Counter(outcomes[row] for row in silent)
    first_reason = reasons[silent[0]] if silent.size else None
    if not there.any():
        raise CalibrationError(f"none of {len(logits):,} rows has a score; the first: {first_reason}")
    groups = np.unique(table.column("group").to_pylist(), return_inverse=True)[1]
    fake = np.array([label == "fake" for label in table.column("label").to_pylist()], bool)
    numbers = np.array([np.nan if logit is None else logit for logit in logits], np.float64)
    return Judged(Sample(numbers[there], fake[there], groups[there]), dict(without), first_reason)
