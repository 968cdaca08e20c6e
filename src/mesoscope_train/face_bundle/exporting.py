"""From trained weights to the packaged bundle: size, calibration and thresholds from the validation split alone."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score

from mesoscope.bundle import Bundle, Licences, TrainingData
from mesoscope.engine import Judge
from mesoscope.media import open_picture
from mesoscope.preprocess import Preprocess, to_batch
from mesoscope_train.calibration.budgets import Origin
from mesoscope_train.calibration.deciding import Decided, decide
from mesoscope_train.calibration.sample import Sample
from mesoscope_train.detectors import Detector, build_detector, parse_architecture
from mesoscope_train.export import export_bundle
from mesoscope_train.face_bundle.measuring import Floats, as_markdown, data_sets, measure
from mesoscope_train.face_bundle.rows import Row, as_csv, read_rows

ARCHITECTURE = "slim-resnet"
NAME, VERSION = "mesoscope-face", "1"
SIZES = (128, 144, 160, 176, 192)
PARITY_INPUTS = 64
CHUNK = 256
LICENCES = Licences(
    code="Apache-2.0",
    data="research only (faces of the Deepfake Detection Challenge and of MesoNet's validation set)",
    weights="research and evaluation only, as the terms of the pictures it was trained on ask",
)
LIMITS = (
    "It was trained on face swaps and reenactments from videos of 2018 to 2020; other manipulations are not its "
    "subject.",
    "It does not recognise faces that were generated as a whole (GANs, diffusion models) or retouched by hand; "
    "'likely real' says nothing about them.",
    "Many answers are inconclusive by design; on pictures unlike those it saw, its error rates are not the stated "
    "ones.",
    "Strong compression, enlargement, filters and profile views move the score.",
    "The same actors may stand in training, validation and test data, because their names are not published; figures "
    "on the test groups are therefore hopeful.",
    "The calibrated probability assumes as many fakes as reals; where fakes are rare, it is too high.",
)


def logits_of(judge: Judge, data: Path, rows: Sequence[Row]) -> Floats:
    """Logits of whole crops through the product's reader, preprocessing and engine, (N,) float64."""
    spec = judge.bundle.contract.preprocess
    pieces = []
    for start in range(0, len(rows), CHUNK):
        crops = [open_picture(data / row.path).pixels for row in rows[start : start + CHUNK]]
        pieces.append(judge(to_batch(crops, spec))[0])
    return np.concatenate(pieces).astype(np.float64)


def export(data: Path, run: Path, out: Path, say: Callable[[str], None]) -> Bundle:
    """Choose, calibrate, measure and write the bundle; nothing is chosen on test data.

    Args:
        data: the data directory.
        run: of the training: manifest.csv and state.safetensors.
        out: will hold the bundle's directory.
        say: is told what was chosen.
    """
    rows = read_rows(data)
    manifest = as_csv(rows)
    if manifest != (run / "manifest.csv").read_text(encoding="utf-8"):
        raise ValueError("the data are not those that the run was trained on")
    module = build_detector(ARCHITECTURE)
    module.load_state_dict(load_file(run / "state.safetensors"))
    module.eval()
    validation = [row for row in rows if row.split == "validation"]
    spec = _best_size(module, data, validation, say)
    training_data = _training_data(rows, hashlib.sha256(manifest.encode()).hexdigest())
    parity_inputs = to_batch([open_picture(data / row.path).pixels for row in validation[:PARITY_INPUTS]], spec)

    def write(where: Path, card: str, decided: Decided | None) -> Bundle:
        return export_bundle(
            module,
            ARCHITECTURE,
            where,
            name=NAME,
            version=VERSION,
            judges="face",
            preprocess=spec,
            training_data=training_data,
            licences=LICENCES,
            limits=LIMITS,
            card=card,
            calibration=decided and decided.calibration,
            thresholds=decided and decided.thresholds,
            band=decided and decided.band,
            parity_inputs=parity_inputs,
            overwrite=True,
        )

    with tempfile.TemporaryDirectory() as workshop:
        raw = write(Path(workshop), "provisional\n", None)
        decided = _decide(raw, data, validation, training_data[0].manifest_sha256)
        say(f"calibration {decided.calibration}\nthresholds {decided.thresholds}\nband {decided.band}")
        provisional = write(Path(workshop), "provisional\n", decided)
        table = as_markdown(measure(str(provisional.path), data_sets(data), data))
        say(table)
        return write(out, _card(table, decided, training_data, spec), decided)


def _best_size(module: Detector, data: Path, rows: Sequence[Row], say: Callable[[str], None]) -> Preprocess:
    """The input size with the best validation AUC on ``dfdc-faces``; the network takes any."""
    own = [row for row in rows if row.dataset == "dfdc-faces"]
    fake = np.array([row.is_fake for row in own])
    pixels = [open_picture(data / row.path).pixels for row in own]
    found: dict[int, float] = {}
    for size in SIZES:
        spec = parse_architecture(ARCHITECTURE).at_size(size)[1]
        with torch.no_grad():
            logits = [
                module(torch.from_numpy(to_batch(pixels[start : start + CHUNK], spec)))
                for start in range(0, len(pixels), CHUNK)
            ]
        found[size] = float(roc_auc_score(fake, torch.cat(logits).numpy()))
    say(
        "validation AUC on dfdc-faces by input size: "
        + ", ".join(f"{size}: {auc:.4f}" for size, auc in found.items())
    )
    best = max(found, key=lambda size: found[size])
    return parse_architecture(ARCHITECTURE).at_size(best)[1]


def _decide(bundle: Bundle, data: Path, rows: Sequence[Row], manifest_sha256: str | None) -> Decided:
    """Calibration, thresholds and band from validation pictures, both sets together, each group weighing the same."""
    return decide(
        Sample(
            logits_of(Judge.open(bundle), data, rows),
            np.array([row.is_fake for row in rows]),
            np.unique([row.group for row in rows], return_inverse=True)[1],
        ),
        Origin("validation groups of dfdc-faces and mesonet-faces, each group weighing the same", manifest_sha256),
        method="platt",  # two parameters, as the card says
    )


def _training_data(rows: Sequence[Row], manifest_sha256: str) -> list[TrainingData]:
    def count(name: str, fake: bool) -> int:
        return sum(row.dataset == name and row.split == "train" and row.is_fake == fake for row in rows)

    return [
        TrainingData(
            name=name,
            terms="research only",
            n_real=count(name, False),
            n_fake=count(name, True),
            manifest_sha256=manifest_sha256,
        )
        for name in ("dfdc-faces", "mesonet-faces")
    ]


def _card(table: str, decided: Decided, training_data: Sequence[TrainingData], spec: Preprocess) -> str:
    thresholds, band = decided.thresholds, decided.band
    template = (resources.files("mesoscope_train.face_bundle") / "card.md").read_text(encoding="utf-8")
    saw = "\n".join(f"| {data.name} | {data.n_real} | {data.n_fake} | {data.terms} |" for data in training_data)
    budgets = "\n".join(
        f"| {budget.max_fpr:g} | {budget.threshold:.4f} | {budget.upper_95:.4f} |" for budget in thresholds.budgets
    )
    return template.format(
        identifier=f"{NAME}-{VERSION}",
        size=spec.size,
        min_face=spec.min_face,
        saw=saw,
        n_real=thresholds.n_real,
        n_fake=thresholds.n_fake,
        default=f"{thresholds.default:.4f}",
        lower=f"{band.lower:.4f}",
        budgets=budgets,
        table=table,
        limits="\n".join(f"* {limit}" for limit in LIMITS),
    )
