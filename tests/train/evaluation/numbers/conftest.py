"""Scores made up by a seed, in the form of ``scores.parquet``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mesoscope_train.evaluation.metrics_schema import Settings, TierFacts
from mesoscope_train.evaluation.scores import Scores, ScoresFacts, score_rows, score_schema

Rows = list[dict[str, Any]]
QUICK = Settings(draws=100, minimum_n=10)


@pytest.fixture(scope="session")
def quick() -> Settings:
    """Few draws, small slices."""
    return QUICK


def make_rows(count: int = 120, *, frames: int = 3, seed: int = 0) -> Rows:
    """Pictures of videos of so many frames, half of the videos fake."""
    random = np.random.default_rng(seed)
    return [
        {
            "path": f"{index}.png",
            "label": "fake" if index // frames % 2 else "real",
            "group": f"g{index // frames}",
            "dataset": "set",
            "sex": ("female", "male")[int(random.integers(2))],
            "age": int(random.integers(80)),
            "width": int(random.integers(40, 400)),
            "brightness": float(random.uniform(0, 255)),
        }
        for index in range(count)
    ]


@pytest.fixture(scope="session")
def rows() -> Callable[..., Rows]:
    return make_rows


def answers(rows: Rows, *, seed: int = 0, shift: float = 1.0) -> np.ndarray:
    """Logits (N,) float64: one part of the video, one of the picture, one of the label."""
    random = np.random.default_rng(seed)
    groups = {row["group"]: random.normal() for row in rows}
    of_label = np.array([shift * (1 if row["label"] == "fake" else -1) for row in rows])
    return of_label + random.normal(size=len(rows)) + np.array([groups[row["group"]] for row in rows])


@pytest.fixture(scope="session")
def logits_of() -> Callable[..., np.ndarray]:
    return answers


def table_of(
    rows: Rows,
    logits: Sequence[float | None],
    *,
    bundle: str = "b-1",
    manifest: str = "m",
    tier: str = "clean",
    threshold: float = 0.5,
    lower: float = 0.5,
    slope: float = 1.0,
    outcome: str = "not_applicable",
    schema: pa.Schema | None = None,
) -> pa.Table:
    """Rows of one bundle, manifest and tier; a logit of None is an `outcome` without a score."""
    table = pa.table({
        name: [row.get(name) for row in rows]
        for name in dict.fromkeys(name for row in rows for name in row)
        if name not in ("width", "brightness")
    })  # fmt: skip
    p = [None if one is None else float(1 / (1 + np.exp(-slope * one))) for one in logits]
    said = [
        outcome if one is None else "fake" if one >= threshold else "real" if one < lower else "inconclusive"
        for one in p
    ]
    return score_rows(
        schema or score_schema([table.schema]),
        table,
        {
            "bundle": bundle,
            "bundle_sha256": "0" * 64,
            "manifest": manifest,
            "manifest_sha256": "1" * 64,
            "tier": tier,
        },
        {
            "width": [row.get("width", 100) for row in rows],
            "height": [row.get("width", 100) for row in rows],
            "brightness": [row.get("brightness", 100.0) for row in rows],
            "outcome": said,
            "probability": p,
            "logit": [None if one is None else float(one) for one in logits],
            "reason": ["no face found" if one is None else None for one in logits],
            "threshold": [threshold] * len(rows),
            "lower": [lower] * len(rows),
            "calibrated": [slope != 1.0] * len(rows),
        },
    )


@pytest.fixture(scope="session")
def table() -> Callable[..., pa.Table]:
    return table_of


def scores_of(*tables: pa.Table, **facts: Any) -> Scores:
    joined = pa.concat_tables(tables, promote_options="default")
    tiers = dict.fromkeys(joined.column("tier").to_pylist())
    told = {
        "mesoscope": "0.1.0",
        "command": "mesoscope evaluate …",
        "date": "2026-01-01T00:00:00Z",
        "tiers": [_tier(name) for name in tiers],
        **facts,
    }
    return Scores(joined, ScoresFacts(**told))


def _tier(name: str) -> TierFacts:
    operation, _, level = name.partition("-")
    return TierFacts(name=name, operation=operation, level=float(level)) if level else TierFacts(name=name)


@pytest.fixture(scope="session")
def scores() -> Callable[..., Scores]:
    return scores_of
