"""An SVM on a detector's features beside its own output layer, on the test part of a manifest: Study 3's claim.

    python benchmarks/svm_head.py bundles/mesonet-mesoinception4-df-1 split.parquet features.npz

The first argument is a bundle or a run. Features and logits of the training and test rows are computed once, by
OpenVINO on one thread, and kept in the last argument. C and gamma are chosen by groups in the training part, as
`mesoscope train --recipe mesoinception-svm` does. A dense layer fitted anew to the same features and pictures
(logistic regression) stands beside it: where the network was trained elsewhere, its own layer never saw them and the
SVM did. Intervals are bootstrapped by group, differences on the same draws; accuracy is at a logit of zero.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import openvino
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mesoscope.bundle import load_bundle
from mesoscope.manifest import Manifest, read_manifest
from mesoscope.preprocess import Preprocess, to_batch
from mesoscope_train.detectors import Detector
from mesoscope_train.export import load_module
from mesoscope_train.recipes.settings import Svm
from mesoscope_train.svm.fitting import choose, fit
from mesoscope_train.training.examples import examples_of
from mesoscope_train.training.exporting import load_run
from mesoscope_train.training.pixels import decoded
from mesoscope_train.training.run import Run
from mesoscope_train.training.session import architecture_of

DRAWS, CHUNK = 1000, 16
Rows = dict[str, np.ndarray]


class WithFeatures(torch.nn.Module):
    """Features and logit of a detector."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, S, S) to (B, D) and (B,)."""
        features = self.detector.features(batch)
        return features, self.detector.logit_of(features)


def opened(place: Path) -> tuple[Detector, Preprocess]:
    """A detector in eval mode and its preprocessing, of a run or a bundle."""
    if (place / "recipe.yaml").is_file():
        run = Run(place)
        return load_run(run, run.recipe()), architecture_of(run.recipe().model)[1]
    bundle = load_bundle(place)
    return load_module(bundle), bundle.contract.preprocess


def measured(place: Path, manifest: Manifest) -> Rows:
    """Features, logits, labels, groups and splits of the training and test rows."""
    detector, spec = opened(place)
    manifest = manifest.take(np.array([split in ("train", "test") for split in manifest.values("split")]))
    rows = examples_of(manifest)
    with tempfile.TemporaryDirectory() as directory:
        graph = Path(directory) / "features.onnx"
        example = (torch.zeros(2, 3, spec.size, spec.size),)
        torch.onnx.export(
            WithFeatures(detector).eval(), example, graph, dynamo=True, opset_version=18, verbose=False,
            dynamic_shapes={"batch": {0: torch.export.Dim.DYNAMIC}},
        )  # fmt: skip
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        network = openvino.Core().compile_model(graph, "CPU", settings)
    found = []
    for start in range(0, len(rows), CHUNK):
        batch = network(to_batch([decoded(file) for file in rows.files[start : start + CHUNK]], spec))
        found.append((batch[0].copy(), batch[1].copy()))
    features, logits = (np.concatenate(part) for part in zip(*found, strict=True))
    splits = np.array(manifest.values("split"))
    return {"features": features, "logits": logits, "fake": rows.fake, "groups": rows.groups, "split": splits}


def heads_of(rows: Rows) -> Rows:
    """Decision values of the three heads on the test part, and what was chosen."""
    train, test = rows["split"] == "train", rows["split"] == "test"
    features, fake = rows["features"][train], rows["fake"][train]
    how, started = Svm(), time.process_time()
    best, tried = choose(features, fake, rows["groups"][train], how, workers=1)
    machine = fit(features, fake, how, c=best.c, gamma=best.gamma)
    print(
        f"SVM: C {best.c:g}, gamma {best.gamma:g} / {features.shape[1]} of {len(tried)} pairs, "
        f"{len(machine.vectors):,} vectors on {len(features):,} pictures, "
        f"{time.process_time() - started:.0f} CPU seconds"
    )
    dense = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features, fake)
    shown = rows["features"][test]
    return {
        "its own output layer": rows["logits"][test].astype(float),
        "dense layer fitted anew": dense.decision_function(shown),
        "SVM": machine.decide(shown),
    }


def figures(fake: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """(accuracy at zero, AUC)."""
    return ((values > 0) == fake).mean(), roc_auc_score(fake, values)


def main() -> None:
    """Measure and print."""
    place, path, cache = (Path(argument) for argument in sys.argv[1:])
    if not cache.is_file():
        np.savez(cache, **measured(place, read_manifest(path)))
    rows = dict(np.load(cache))
    values = heads_of(rows)
    test = rows["split"] == "test"
    fake, groups = rows["fake"][test], rows["groups"][test]
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    random, drawn = np.random.default_rng(0), []
    while len(drawn) < DRAWS:
        some = np.concatenate([members[index] for index in random.integers(len(members), size=len(members))])
        if 0 < fake[some].sum() < len(some):
            drawn.append([figures(fake[some], each[some]) for each in values.values()])
    drawn, found = np.array(drawn), np.array([figures(fake, each) for each in values.values()])
    print(f"{len(fake):,} test pictures of {len(members):,} groups, {fake.sum():,} fake")
    for index, name in enumerate(values):
        tell(name, found[index], drawn[:, index])
    for index, name in enumerate(list(values)[:-1]):
        tell(f"SVM minus {name}", found[-1] - found[index], drawn[:, -1] - drawn[:, index])


def tell(name: str, found: np.ndarray, drawn: np.ndarray) -> None:
    """A line: accuracy and AUC with their intervals."""
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    texts = [f"{found[at]:+.4f} ({low[at]:+.4f} to {high[at]:+.4f})" for at in (0, 1)]
    print(f"{name:40s} accuracy {texts[0]}  AUC {texts[1]}")


if __name__ == "__main__":
    main()
