"""A whole run: manifest, audit, pictures, weights, stages, curves, result. What `mesoscope train` calls."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mesoscope.cli.console import remark
from mesoscope.errors import MesoscopeError, UsageError
from mesoscope.manifest import Manifest, read_manifest, write_manifest
from mesoscope.preprocess import Preprocess
from mesoscope_train.augment import Step
from mesoscope_train.augment.self_blend import SelfBlend
from mesoscope_train.data.audit.findings import Audit
from mesoscope_train.data.audit.gate import audited
from mesoscope_train.data.audit.run import cache_directory as measures_directory
from mesoscope_train.data.outlines import outlines_of
from mesoscope_train.data.splitting.merging import merge
from mesoscope_train.data.splitting.sources import Source
from mesoscope_train.detectors import Detector, parse_architecture
from mesoscope_train.detectors.architecture import Architecture
from mesoscope_train.detectors.svm import OPTION
from mesoscope_train.progress import progress
from mesoscope_train.recipes.settings import ALL, Model, Recipe
from mesoscope_train.svm.fitting import check_classes
from mesoscope_train.svm.step import Part, fit_svm, keep_network, keeps_network, kept_epoch
from mesoscope_train.training import run as runs
from mesoscope_train.training.curves import write_curves
from mesoscope_train.training.examples import Examples, examples_of, parts_of
from mesoscope_train.training.history import Epoch, read_history
from mesoscope_train.training.loop import Parts, run_stages
from mesoscope_train.training.pictures import Pictures, Twins
from mesoscope_train.training.pixels import PixelFile, cache_directory, pixel_file
from mesoscope_train.training.run import Run
from mesoscope_train.weights import WeightsRecord, load_weights, require_pretrained

FAST_ROWS = 256
"""Rows of each part in a smoke test."""

_NOT_READ = ("unreadable", "missing")
_ONE_CLASS = ("one-class", "imbalance")
"""No fault of a run that makes its fakes itself."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run stands on.

    Attributes:
        train, validation: rows.
        audit: of the whole manifest.
        unreadable: paths of rows that cannot be read and are left out.
    """

    train: Examples
    validation: Examples
    audit: Audit
    unreadable: frozenset[str]


def start(
    recipe: Recipe,
    out: Path,
    *,
    allow_leaks: Collection[str] = (),
    command: str = "",
    watch: Callable[[Epoch], None] | None = None,
) -> Run:
    """Begin a run and bring it to its end.

    Args:
        recipe: with at least one manifest.
        out: directory of the run, new or empty.
        allow_leaks: kinds of leaks that the user accepts by name.
        command: how it was called.
        watch: told of every epoch when it is over; what it raises ends the run.

    Raises:
        UsageError: settings, manifest or weights do not make a run; nothing was trained.
        LeakError: the manifest leaks between its splits.
        TrainingDiverged: a loss or gradient is not finite.
    """
    if not recipe.data.manifests:
        raise UsageError("no manifest: give --manifest M.parquet (mesoscope data import makes one)")
    if not _first_process():
        return _train(runs.Run(out), recipe)
    manifest = prepared_manifest(recipe)  # whatever is wrong with it is said before a directory is made
    run = runs.begin(out, recipe, command)
    try:
        write_manifest(manifest, run.manifest_file)
        return _train(run, recipe, allow_leaks, watch)
    except MesoscopeError:
        if not any(run.stages_directory.iterdir()):  # nothing was trained: the same command may be given again
            shutil.rmtree(run.path)
        raise


def resume(path: Path, *, allow_leaks: Collection[str] = (), command: str = "") -> Run:
    """Go on with a run where it was; a finished one stays as it is.

    Raises:
        UsageError: there is no run, or the data changed meanwhile.
    """
    run = runs.go_on(path, command) if _first_process() else runs.Run(path)
    recipe = run.recipe()
    if run.result_file.is_file():
        return run
    if not (run.manifest_file).is_file():
        write_manifest(prepared_manifest(recipe), run.manifest_file)
    return _train(run, recipe, allow_leaks or run.facts("data").get("allowed_leaks", ()))


def run_manifest(run: Run, root: Path | None = None) -> Manifest:
    """The manifest that a run keeps in its directory; its pictures below `root`, if not where it says.

    Raises:
        ManifestError: it is missing, or its pictures have moved.
    """
    return read_manifest(run.manifest_file, root=root)


def prepared_manifest(recipe: Recipe) -> Manifest:
    """The recipe's manifests as one.

    Raises:
        ManifestError: one cannot be read.
    """
    paths = recipe.data.manifests
    if len(paths) == 1:
        return read_manifest(paths[0])
    return merge([Source(str(path), read_manifest(path)) for path in paths]).manifest


def architecture_of(model: Model) -> tuple[Architecture, Preprocess]:
    """The detector at the recipe's size, with its preprocessing.

    Raises:
        UsageError: an unknown detector or option, or a size that it does not take.
    """
    architecture = parse_architecture(model.detector)
    architecture, own = architecture.at_size(model.size or architecture.preprocess.size)
    changes = {"resize": model.resize, "margin": model.margin}
    return architecture, own.model_copy(update={name: value for name, value in changes.items() if value is not None})


def detector_for(recipe: Recipe) -> tuple[Detector, WeightsRecord]:
    """A detector with its first weights, and the record of where they are from.

    Raises:
        UsageError: unknown detector; weights that are not of it; random ones where a stage is frozen.
    """
    architecture = architecture_of(recipe.model)[0]
    if architecture.svm:
        raise UsageError(
            f"{architecture}: an SVM is fitted, not trained; name the detector without {OPTION}=…, and give the "
            "recipe an SVM (--set 'svm={}')"
        )
    torch.manual_seed(recipe.loop.seed)
    detector = architecture.build()
    origin = load_weights(detector, recipe.model.weights)
    if any(stage.train != ALL for stage in recipe.stages):
        require_pretrained(origin)
    return detector, origin


def _train(
    run: Run, recipe: Recipe, allow_leaks: Collection[str] = (), watch: Callable[[Epoch], None] | None = None
) -> Run:
    prepared = _prepare(run, recipe, allow_leaks)
    if recipe.svm is not None:  # said before a network is trained for it
        check_classes(prepared.train.fake, prepared.train.groups)
    detector, origin = detector_for(recipe)
    if _first_process():
        remark(f"first weights: {origin}")
        run.write_facts("data", _data_facts(prepared, recipe, allow_leaks, asdict(origin)))
    if keeps_network(recipe, origin):
        keep_network(run, detector)
    else:
        run_stages(run, recipe, detector, replace(_parts(recipe, prepared), watch=watch))
    if _first_process():
        if recipe.svm is not None:
            fit_svm(run, recipe, detector, *(_clean(part, recipe) for part in (prepared.train, prepared.validation)))
        write_curves(run)
        run.write_facts("result", _result(run, recipe, detector))
    return run


def _clean(part: Examples, recipe: Recipe) -> Part:
    """Rows as they are judged later, without augmentation."""
    spec = architecture_of(recipe.model)[1]
    return Part(part, Pictures(part.files, part.fake, spec, (), _cache(part, recipe)))


def _prepare(run: Run, recipe: Recipe, allow_leaks: Collection[str]) -> Prepared:
    manifest = run_manifest(run)
    # one manifest: the audit that lies beside it is as good, and a new one is kept there for the next run
    manifests = recipe.data.manifests
    audit = audited(
        manifests[0] if len(manifests) == 1 else run.manifest_file,
        manifest,
        allow=allow_leaks,
        cache_dir=measures_directory(manifests[0]),
        workers=max(1, recipe.data.workers),
        progress=progress,
        remark=remark,
    )
    unreadable = set(audit.unreadable)
    train, validation = parts_of(manifest, recipe.data.fold, unreadable, blended=recipe.blend is not None)
    if recipe.blend and _first_process():
        remark(_how_blended(validation))
    if recipe.fast:
        train, validation = _some_of(train), _some_of(validation)
    return Prepared(train, validation, audit, frozenset(unreadable))


def _some_of(examples: Examples) -> Examples:
    """A few rows of both classes, for a smoke test."""
    chosen = [rows[: FAST_ROWS // 2] for rows in (np.flatnonzero(~examples.fake), np.flatnonzero(examples.fake))]
    return examples_of(examples.manifest.take(np.sort(np.concatenate(chosen))))


def _parts(recipe: Recipe, prepared: Prepared) -> Parts:
    architecture, spec = architecture_of(recipe.model)
    # the same network at another size; `at_size` refuses it where the network is built for one
    shown = spec.model_copy(update={"size": architecture.at_size(recipe.model.train_size or spec.size)[1].size})
    train, validation = prepared.train, prepared.validation
    caches = [_cache(part, recipe) for part in (train, validation)]
    return Parts(
        _pictures(train, shown, recipe.augment, caches[0], recipe.blend),
        _pictures(validation, spec, (), caches[1], recipe.blend),
        train,
    )


def _pictures(
    part: Examples, spec: Preprocess, augment: Sequence[Step], cache: PixelFile | None, blend: SelfBlend | None
) -> Pictures:
    """Pictures as labelled; where there are only reals to be blended, each with the fake that is made of it."""
    if blend is None or part.n_fake:
        return Pictures(part.files, part.fake, spec, augment, cache)
    outlines = outlines_of(part.manifest, blend.needs)
    return Twins(part.files, spec, augment, cache, blend=blend, points=outlines.points)


def _cache(examples: Examples, recipe: Recipe) -> PixelFile | None:
    if not recipe.data.cache:
        return None
    with progress("decoding pictures", len(examples)) as step:
        return pixel_file(examples.files, cache_directory(), step)


def _how_blended(validation: Examples) -> str:
    """What of the manifest is used, in a sentence."""
    checked = (
        f"validated on the {validation.n_fake:,} fakes of the validation part"
        if validation.n_fake
        else "the validation part has no fakes, so they are blended too: its figures are of self-blended images"
    )
    return f"fakes are blended of the training part's real faces, its own fakes are left out; {checked}"


def _blended_facts(prepared: Prepared, recipe: Recipe) -> dict[str, dict[str, int]]:
    """Of the parts whose fakes are blended of their reals: what was known of how many faces."""
    if recipe.blend is None:
        return {}
    parts = {"train": prepared.train, "validation": prepared.validation}
    return {
        name: outlines_of(part.manifest, recipe.blend.needs).known for name, part in parts.items() if not part.n_fake
    }


def _data_facts(
    prepared: Prepared, recipe: Recipe, allow_leaks: Collection[str], origin: dict[str, Any]
) -> dict[str, Any]:
    def counts(part: Examples) -> dict[str, int]:
        return {"real": part.n_real, "fake": part.n_fake, "groups": len(set(part.groups.tolist()))}

    # rows that cannot be read took no part: they are no fault of what was learned
    no_fault = _NOT_READ if recipe.blend is None else (*_NOT_READ, *_ONE_CLASS)
    return {
        "manifest_sha256": prepared.audit.manifest,
        "train": counts(prepared.train),
        "validation": counts(prepared.validation),
        "self_blended": _blended_facts(prepared, recipe),
        "unreadable_rows": sorted(prepared.unreadable),
        "allowed_leaks": sorted(allow_leaks),
        "leaks": [finding.message for finding in prepared.audit.leaks()],
        "warnings": [finding.message for finding in prepared.audit.warnings() if finding.kind not in no_fault],
        "first_weights": origin,
    }


def _result(run: Run, recipe: Recipe, detector: Detector) -> dict[str, Any]:
    """What came of it; validation figures are of the best epoch of the last stage, by what was monitored."""
    history = read_history(run.history_file)
    last = [epoch for epoch in history if epoch.stage == recipe.stages[-1].name] or [kept_epoch(run)]
    monitored = {"loss": lambda e: -e.val_loss, "auc": lambda e: e.val_auc, "accuracy": lambda e: e.val_accuracy}
    best = max(last, key=monitored[recipe.loop.monitor])
    return {
        "smoke_test": recipe.fast,
        "stage": best.stage,
        "epoch": best.epoch,
        "val_loss": best.val_loss,
        "val_accuracy": best.val_accuracy,
        "val_auc": best.val_auc,
        "parameters": sum(parameter.numel() for parameter in detector.parameters()),
        "seconds_per_epoch": float(np.mean([epoch.seconds for epoch in last])),
        "images_per_second": float(np.mean([epoch.images_per_second for epoch in last])),
        "epochs": len(history),
        **({"svm": run.facts("svm")["validation"]["svm"]} if recipe.svm is not None else {}),
    }


def _first_process() -> bool:
    """Of several processes, the one that writes."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0
