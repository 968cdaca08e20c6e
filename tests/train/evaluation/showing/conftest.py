"""Made-up scores of two bundles on four manifests, measured by the product itself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mesoscope_train.evaluation.measuring import measure
from mesoscope_train.evaluation.metrics_schema import Caution, Settings, TierFacts
from mesoscope_train.evaluation.scores import Scores, ScoresFacts, score_schema

GOOD, BAD = "steady-1", "falling-1"
THRESHOLDS = {GOOD: (0.6, 0.4, True), BAD: (0.5, 0.5, False)}
SHIFTS = {(GOOD, "first"): 3.5, (BAD, "first"): 3.5, (GOOD, "second"): 3.0, (BAD, "second"): 0.4}
"""How far fakes lie above reals, in units of their spread."""
TIERS = {"clean": 0.0, "hard": 0.8, "jpeg-60": 0.3, "jpeg-30": 1.2}
"""And how much of that a tier takes away."""
COLUMNS = ("path", "label", "group", "dataset", "source_video", "gender")


def rows_of(manifest: str, count: int, labels: str, seed: int) -> list[dict[str, object]]:
    """One dictionary a picture, two pictures a group."""
    draw = np.random.default_rng(seed)
    return [
        {
            "manifest": manifest,
            "path": f"{index}.jpg",
            "label": labels if labels != "both" else ("real", "fake")[index // 2 % 2],
            "group": f"{manifest}:{index // 2}",
            "dataset": f"{manifest}-set",
            "source_video": f"{manifest}:{index // 2}" if manifest == "first" else None,
            "gender": ("female", "male")[int(draw.random() < 0.5)] if labels == "real" else None,
            "noise": draw.normal(),
            "width": 60 + index,
            "height": 60 + index,
            "brightness": float(draw.uniform(20, 230)),
        }
        for index in range(count)
    ]


def judged(row: dict[str, object], bundle: str, tier: str) -> dict[str, object]:
    """What a bundle says of a picture; a few get no answer."""
    threshold, lower, calibrated = THRESHOLDS[bundle]
    shift = SHIFTS.get((bundle, str(row["manifest"])), 1.0) - TIERS[tier]
    logit = float(row["noise"]) - 1.4 + (shift if row["label"] == "fake" else 2.2 * (row["gender"] == "male"))
    probability = 1 / (1 + np.exp(-logit))
    failed = {"3.jpg": ("error", "the file is cut off"), "8.jpg": ("not_applicable", "no face was found")}
    outcome, reason = failed.get(str(row["path"]), (None, None)) if row["manifest"] == "second" else (None, None)
    if outcome is None:
        outcome = "fake" if probability >= threshold else "real" if probability < lower else "inconclusive"
    else:
        logit = probability = None
    return {
        **row, "bundle": bundle, "bundle_sha256": "ab" * 32, "manifest_sha256": "cd" * 32, "tier": tier,
        "outcome": outcome, "probability": probability, "logit": logit, "reason": reason, "threshold": threshold,
        "lower": lower, "calibrated": calibrated,
    }  # fmt: skip


def scores_of(rows, bundles=(GOOD, BAD), tiers=("clean",), cautions=(), command="mesoscope evaluate --out page"):
    """Scores of rows, as the product keeps them."""
    schema = score_schema([pa.schema([(name, pa.string()) for name in COLUMNS])])
    said = [judged(row, bundle, tier) for bundle in bundles for tier in tiers for row in rows]
    table = pa.table({field.name: pa.array([one[field.name] for one in said], field.type) for field in schema})
    operations = {name: name.partition("-") for name in tiers}
    facts = ScoresFacts(
        mesoscope="0.1.0",
        command=command,
        date="2026-01-02T03:04:05+00:00",
        tiers=[
            TierFacts(
                name=name, operation=parts[0] if parts[1] else None, level=float(parts[2]) if parts[1] else None
            )
            for name, parts in operations.items()
        ],
        again=["second"],
        cautions=list(cautions),
    )
    return Scores(table.select(schema.names), facts)


@pytest.fixture(scope="session")
def make():
    """`rows_of` and `scores_of`, for tests that make their own."""
    return rows_of, scores_of


@pytest.fixture(scope="session")
def scores():
    """Two sets of both classes, one of reals only, one too small for anything."""
    rows = [
        *rows_of("first", 120, "both", 0),
        *rows_of("second", 120, "both", 1),
        *rows_of("people", 120, "real", 2),
        *rows_of("tiny", 4, "both", 3),
    ]
    cautions = [
        Caution(code="again", message="the test part of second was evaluated before", bundle=GOOD, manifest="second"),
        Caution(code="trained-on-set", message=f"{GOOD} saw other groups of it", bundle=GOOD, manifest="first"),
        Caution(code="trained-on", message=f"allowed: {GOOD} saw tiny", bundle=GOOD, manifest="tiny"),
        *(
            Caution(code="training-unknown", message=f"{BAD} states no data", bundle=BAD, manifest=name)
            for name in ("first", "second", "people", "tiny")
        ),
    ]
    return scores_of(rows, tiers=tuple(TIERS), cautions=cautions)


@pytest.fixture(scope="session")
def metrics(scores):
    """Everything measured of them."""
    return measure(scores, Settings(draws=100, minimum_n=20, slices=("gender", "size_quartile")))


@pytest.fixture(scope="session")
def answers(scores):
    """Function to what a bundle said of a manifest, clean and answered: truth (1 = fake), logit, probability."""

    def get(bundle: str, manifest: str, tier: str = "clean"):
        found = [
            row
            for row in scores.table.to_pylist()
            if (row["bundle"], row["manifest"], row["tier"]) == (bundle, manifest, tier) and row["logit"] is not None
        ]
        truth = np.array([row["label"] == "fake" for row in found], int)
        return truth, np.array([row["logit"] for row in found]), np.array([row["probability"] for row in found])

    return get


@pytest.fixture(scope="session")
def charts(metrics):
    """Every figure of these numbers, by name."""
    from mesoscope_train.evaluation.figures import draw_figures

    return {chart.name: chart for chart in draw_figures(metrics)}
