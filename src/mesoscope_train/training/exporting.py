"""From a finished run to a bundle: calibration, thresholds and band from validation rows, parity on real pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from mesoscope.bundle import Bundle, Licences, TrainingData
from mesoscope.errors import UsageError
from mesoscope.pipeline.ahead import map_ahead
from mesoscope.preprocess import Preprocess, to_batch
from mesoscope_train.calibration.budgets import Origin
from mesoscope_train.calibration.deciding import Decided
from mesoscope_train.calibration.deciding import decide as decide_on
from mesoscope_train.calibration.sample import Sample
from mesoscope_train.detectors import Detector
from mesoscope_train.errors import CalibrationError, WeightsError
from mesoscope_train.export import export_bundle
from mesoscope_train.memory import keep_freed_memory
from mesoscope_train.recipes.settings import Recipe
from mesoscope_train.svm.fitting import Floats
from mesoscope_train.svm.step import load_head, reference_of
from mesoscope_train.training.card import card_of, limits_of
from mesoscope_train.training.examples import Examples, examples_of, parts_of
from mesoscope_train.training.pixels import decoded
from mesoscope_train.training.run import Run
from mesoscope_train.training.session import architecture_of, run_manifest

PARITY_INPUTS = 64
_CHUNK = 64
NOT_STATED = "not stated; ask whoever trained it"


def export_run(
    run: Run,
    out: Path,
    *,
    name: str,
    version: str = "1",
    terms: Mapping[str, str] | None = None,
    weights_licence: str = NOT_STATED,
    root: Path | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Write a run's best weights as a bundle.

    Calibration, thresholds and band are chosen on the validation rows, each group weighing the same. Where those
    cannot calibrate (too few groups, a network that learned nothing), the bundle is written without, and says why.

    Args:
        run: a finished one.
        out: will hold the bundle's directory.
        name: of the bundle, lower case.
        version: numbers with dots.
        terms: data set to the terms of its pictures.
        weights_licence: under which the weights are given away.
        root: where the pictures lie, if not where the run's manifest says, as after the run was copied.
        overwrite: replace a bundle that is already there.

    Raises:
        UsageError: the run is not finished, or something is already at the place.
        ExportError: the graph differs from the network on the validation pictures.
        MediaError: a validation picture cannot be read.
    """
    recipe = run.recipe()
    if not run.result_file.is_file():
        raise UsageError(f"{run.path} is not finished: go on with it by 'mesoscope train --resume {run.path}'")
    train, validation = _parts(run, recipe, root)
    stated = _terms(train, terms or {})
    detector = load_run(run, recipe)
    architecture, spec = architecture_of(recipe.model)
    shown, expected = validation, None
    if detector.svm is not None:
        architecture = architecture.with_svm(len(detector.svm.vectors))
        shown, expected = _by_scikit_learn(run, validation)
    logits = logits_of(detector, validation, spec)
    decided = decide(logits, validation, run.facts("data")["manifest_sha256"])
    failed = decided if isinstance(decided, str) else None
    training_data = _training_data(run, train, terms or {})
    return export_bundle(
        detector,
        str(architecture),
        out,
        name=name,
        version=version,
        judges=recipe.model.judges,
        preprocess=spec,
        training_data=training_data,
        licences=Licences(code="Apache-2.0", data="; ".join(stated), weights=weights_licence),
        limits=limits_of(run, recipe, failed),
        card=card_of(run, recipe, f"{name}-{version}", decided, training_data),
        calibration=None if isinstance(decided, str) else decided.calibration,
        thresholds=None if isinstance(decided, str) else decided.thresholds,
        band=None if isinstance(decided, str) else decided.band,
        parity_inputs=_some_inputs(shown, spec),
        expected=expected,
        overwrite=overwrite,
    )


def load_run(run: Run, recipe: Recipe) -> Detector:
    """The run's best network, in eval mode on the CPU.

    Raises:
        WeightsError: the weights are not of the recipe's detector.
    """
    detector = architecture_of(recipe.model)[0].build()
    try:
        detector.load_state_dict(load_file(run.weights_file))
    except (RuntimeError, OSError) as error:
        raise WeightsError(f"{run.weights_file} does not fit {recipe.model.detector}: {error}") from error
    if recipe.svm is not None:
        detector.svm = load_head(run)
    return detector.eval()


def logits_of(
    detector: Detector, examples: Examples, spec: Preprocess
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Logits of whole pictures through the product's own preprocessing, (N,) float64."""

    def batch_from(start: int) -> torch.Tensor:
        batch = to_batch([decoded(file) for file in examples.files[start : start + _CHUNK]], spec)
        return torch.from_numpy(batch).contiguous(memory_format=torch.channels_last)  # faster on a processor

    keep_freed_memory()
    pieces = []
    for batch in map_ahead(batch_from, range(0, len(examples), _CHUNK), workers=1, ahead=1):
        with torch.inference_mode():
            pieces.append(detector(batch).double().numpy())
    return np.concatenate(pieces)


def decide(
    logits: np.ndarray[tuple[int], np.dtype[np.float64]], validation: Examples, manifest_sha256: str
) -> Decided | str:
    """Calibration, thresholds and band from validation logits, or the reason why they cannot be had."""
    sets = ", ".join(sorted(set(validation.manifest.values("dataset"))))
    try:
        return decide_on(
            Sample(logits, validation.fake, validation.groups),
            Origin(f"validation groups of {sets}, each group weighing the same", manifest_sha256),
        )
    except CalibrationError as error:
        return str(error)


def _parts(run: Run, recipe: Recipe, root: Path | None) -> tuple[Examples, Examples]:
    unreadable = set(run.facts("data").get("unreadable_rows", ()))
    return parts_of(run_manifest(run, root), recipe.data.fold, unreadable, blended=recipe.blend is not None)


def _some_inputs(examples: Examples, spec: Preprocess) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Pictures from all over the validation part, both labels among them."""
    return to_batch([decoded(examples.files[row]) for row in _some_rows(examples)], spec)


def _some_rows(examples: Examples) -> list[int]:
    rows = np.linspace(0, len(examples) - 1, min(PARITY_INPUTS, len(examples))).round()
    return [int(row) for row in rows]


def _by_scikit_learn(run: Run, validation: Examples) -> tuple[Examples, Floats]:
    """Validation pictures that scikit-learn's machine decided on, and its values where parity is tried."""
    known = reference_of(run)
    manifest = validation.manifest
    shown = examples_of(manifest.take(np.array([path in known for path in manifest.values("path")], bool)))
    paths = shown.manifest.values("path")
    return shown, np.array([known[paths[row]] for row in _some_rows(shown)])


def _terms(train: Examples, terms: Mapping[str, str]) -> list[str]:
    sets = sorted(set(train.manifest.values("dataset")))
    unknown = sorted(set(terms) - set(sets))
    if unknown:
        raise UsageError(f"terms are given for {', '.join(unknown)}; the run was trained on {', '.join(sets)}")
    return [f"{name}: {terms.get(name, NOT_STATED)}" for name in sets]


def _training_data(run: Run, train: Examples, terms: Mapping[str, str]) -> list[TrainingData]:
    labels, sets = train.manifest.values("label"), train.manifest.values("dataset")
    counts = Counter(zip(sets, labels, strict=True))
    digest = run.facts("data")["manifest_sha256"]
    return [
        TrainingData(
            name=name,
            terms=terms.get(name, NOT_STATED),
            n_real=counts[name, "real"],
            n_fake=counts[name, "fake"],
            manifest_sha256=digest,
        )
        for name in sorted(set(sets))
    ]
