from __future__ import annotations

import hashlib
import math
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.bundle import LABELS, Bundle, BundleContract
from mesoscope.calibrate import Verdict, verdict_for
from mesoscope.types import (
    Box,
    Detection,
    Evidence,
    FaceResult,
    FileResult,
    FrameMap,
    FrameResult,
    JudgedFace,
    Outcome,
    Scene,
    TrackResult,
)

CARD = """# A card

Text with **weight**, <script>alert(1)</script>, ![spy](https://example.org/spy.png) and
[a bad link](javascript:alert(2)).

| data | AUC |
|---|---|
| test groups | 0.78 |

1. first
   - nested

```
mesoscope detect photo.jpg
```
"""
BUNDLE_SHA = "ab" * 32


def logit(probability: float | None) -> float | None:
    return None if probability is None else math.log(probability / (1 - probability))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path = tmp_path_factory.mktemp("bundle")
    (path / "card.md").write_text(CARD, encoding="utf-8")
    contract = BundleContract.model_validate(
        {
            "schema_version": 2,
            "name": "test-face",
            "version": "1.2",
            "architecture": "meso4",
            "judges": "face",
            "labels": LABELS,
            "preprocess": {
                "size": 256,
                "resize": "nearest",
                "margin": 0.3,
                "channel_order": "rgb",
                "mean": [0.0, 0.0, 0.0],
                "std": [1.0, 1.0, 1.0],
                "min_face": 40,
            },
            "calibration": {"method": "platt", "slope": 1.0, "intercept": 0.0},
            "thresholds": {
                "default": 0.87,
                "budgets": [
                    {"max_fpr": 0.01, "threshold": 0.95, "upper_95": 0.02},
                    {"max_fpr": 0.05, "threshold": 0.9, "upper_95": 0.07},
                ],
                "chosen_on": "validation groups",
                "manifest_sha256": None,
                "n_real": 1200,
                "n_fake": 1100,
                "n_real_groups": 300,
                "n_fake_groups": 300,
            },
            "band": {"lower": 0.4, "upper": 0.87, "max_missed": 0.1},
            "explanation": {"method": "grad-cam", "layer": "conv4", "floor": 0.001},
            "training_data": [],
            "licences": {"code": "Apache-2.0", "data": "none", "weights": "none"},
            "parity": {"against": "torch", "inputs": 1, "openvino_logit": 0.0, "onnxruntime_logit": 0.0, "map": 0.0},
            "quantisation": None,
            "limits": ["It knows <b>nothing</b> of drawings."],
            "files": dict.fromkeys(("model.onnx", "weights.safetensors", "card.md"), "0" * 64),
        }
    )
    return Bundle(path, contract, BUNDLE_SHA)


@pytest.fixture(scope="session")
def verdict(bundle: Bundle) -> Verdict:
    return verdict_for(bundle.contract)


def result(path: str, outcome: Outcome, probability: float | None, **changes: object) -> FileResult:
    failed = probability is None
    settings: dict[str, object] = {
        "path": path,
        "sha256": hashlib.sha256(path.encode("utf-8")).hexdigest(),
        "kind": "picture",
        "width": 512,
        "height": 512,
        "outcome": outcome,
        "probability": probability,
        "logit": logit(probability),
        "threshold": None if failed else 0.87,
        "error": "no face was found" if failed else None,
        "bundle": "test-face-1.2",
        "bundle_sha256": BUNDLE_SHA,
        "mesoscope": "0.1.0",
    }
    return FileResult.model_validate(settings | changes)


@pytest.fixture(scope="session")
def make_result() -> Callable[..., FileResult]:
    return result


@pytest.fixture
def full_disk() -> Callable[[], AbstractContextManager[None]]:
    """The nearest thing to a full disk: within the context no file may grow beyond 2,000 bytes."""

    @contextmanager
    def limited() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


MakeDetection = Callable[..., Detection]


@pytest.fixture(scope="session")
def portrait_pixels(portrait: Path) -> np.ndarray:
    return np.asarray(Image.open(portrait).convert("RGB").resize((256, 256)))


@pytest.fixture(scope="session")
def picture(portrait_pixels: np.ndarray, verdict: Verdict) -> MakeDetection:
    """Detections of a picture of 512 px, kept at 256, with one face for each probability given."""

    def make(
        path: str = "photo.jpg", probabilities: tuple[float | None, ...] = (0.93,), peak: float = 0.03
    ) -> Detection:
        faces, judged = [], []
        for place, probability in enumerate(probabilities, start=1):
            outcome = Outcome.NOT_APPLICABLE if probability is None else verdict.outcome(probability)
            reason = "the face is 31 pixels wide; this bundle needs 40" if probability is None else None
            left = 40.0 + 60 * (place - 1)
            box, square = Box(left, 120, left + 200, 320), Box(left - 30, 90, left + 230, 350)
            values = np.random.default_rng(place).normal(size=(8, 8)).astype(np.float32)
            values *= peak / np.abs(values).max()
            faces.append(
                FaceResult(
                    box=box.as_tuple(),
                    finder_score=1.5,
                    outcome=outcome,
                    probability=probability,
                    logit=logit(probability),
                    reason=reason,
                )
            )
            map_ = None if probability is None else values
            judged.append(JudgedFace(f"face {place}", box, square, map_, outcome, probability, reason))
        best = max(judged, key=lambda face: face.probability or -1)
        answer = result(path, best.outcome, best.probability, faces=faces, decided_by=best.title)
        return Detection(answer, Evidence([Scene(portrait_pixels, 0.5, judged)]))

    return make


@pytest.fixture(scope="session")
def video(portrait_pixels: np.ndarray) -> Detection:
    """A video of 2 s at 256 px: track 1 walks to the right, track 2 vanishes for a while, track 3 has no answer."""
    frames = [
        FrameResult(
            frame=10 * n,
            time=0.4 * n,
            box=(20.0 + 20 * n, 60.0, 84.0 + 20 * n, 124.0),
            probability=0.9 + 0.01 * n,
            logit=2.0,
            finder_score=1.0,
        )
        for n in range(6)
    ]
    other = [frame.model_copy(update={"box": (10.0, 170.0, 70.0, 230.0), "probability": 0.1}) for frame in frames]
    tracks = [
        TrackResult(
            id=1, start=0, end=2, frames=frames, decided_by=[50, 30], outcome="fake", probability=0.92, logit=2.4
        ),
        TrackResult(
            id=2,
            start=0,
            end=2,
            frames=[*other[:2], *other[5:]],
            decided_by=[0],
            outcome="real",
            probability=0.1,
            logit=-2,
        ),
        TrackResult(
            id=3,
            start=1,
            end=1,
            frames=[],
            decided_by=[],
            outcome="not_applicable",
            probability=None,
            logit=None,
            reason="the face is too small on every frame",
        ),
    ]
    maps = [FrameMap(frame.frame, Box(*frame.box), np.full((4, 4), 0.02, np.float32)) for frame in frames]
    scenes = [
        Scene(
            portrait_pixels,
            1.0,
            [JudgedFace("track 1", Box(*frame.box), Box(*frame.box), maps[n].map, Outcome.FAKE, frame.probability)],
            frame.frame,
            frame.time,
        )
        for n, frame in ((3, frames[3]), (5, frames[5]))
    ]
    answer = result(
        "clip.mp4", Outcome.FAKE, 0.92, kind="video", width=256, height=256, tracks=tracks, decided_by="track 1"
    )
    return Detection(answer, Evidence(tracks={1: scenes}, maps={1: maps}))
