"""What was asked for becomes opened manifests, parts and bundles, checked before any picture is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mesoscope.bundle import Bundle, load_bundle, sha256_of
from mesoscope.calibrate import Verdict, verdict_for
from mesoscope.engine import DEFAULT_ENGINE, Judge, engines
from mesoscope.errors import UsageError
from mesoscope.faces import FINDER_NAMES, NO_FINDER, FaceFinder, finders, open_finder
from mesoscope.manifest import SPLITS, Manifest, read_manifest
from mesoscope.pipeline.answers import Asked
from mesoscope_train.evaluation.gate import Judged, check_kinds
from mesoscope_train.evaluation.scoring import Opened
from mesoscope_train.evaluation.tiers import Tier, chosen_tiers

_Value = TypeVar("_Value")
ALL = "all"
ALL_ROWS = "all rows"
_WITH_MODEL = "yunet"
"""The face finder that takes a model file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for, as typed. Of the tuples with "each", one value holds for all manifests.

    Attributes:
        bundles: names or directories.
        manifests: files.
        out: where everything goes.
        roots: where the pictures lie, each; empty for where the manifests say.
        faces: how faces are found, each; empty for ``none``.
        face_models: the finder's model file, each.
        splits: the part that is judged, each: ``test``, ``validation``, ``train`` or ``all``; empty for the test
            part, or all rows where there is no split.
        max_fpr: false-positive budget, or None for the bundles' default thresholds.
        tiers, sweeps: names.
        allow_leaks: kinds of `gate.KINDS`.
        trainings: manifests (or runs) that bundles were trained on.
        again: whether a test part may be looked at once more.
        engine, threads: of inference.
        frames: sampled of a video.
    """

    bundles: tuple[str, ...]
    manifests: tuple[Path, ...]
    out: Path
    roots: tuple[Path, ...] = ()
    faces: tuple[str, ...] = ()
    face_models: tuple[Path, ...] = ()
    splits: tuple[str, ...] = ()
    max_fpr: float | None = None
    tiers: tuple[str, ...] = ()
    sweeps: tuple[str, ...] = ()
    allow_leaks: tuple[str, ...] = ()
    trainings: tuple[Path, ...] = ()
    again: bool = False
    engine: str = DEFAULT_ENGINE
    threads: int = 0
    frames: int = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """A manifest with the rows that are judged.

    Attributes:
        judged: its rows.
        part: which they are, in words: ``test``, ``all rows`` …
        faces: name of the face finder, ``none`` for none; `face_model`: its file, or None.
    """

    judged: Judged
    part: str
    faces: str = NO_FINDER
    face_model: Path | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bundle that was read, with its rule.

    Attributes:
        name: name-version, with the beginning of its hash where two bundles share that.
        bundle: read and verified.
        verdict: at the budget that was asked for.
    """

    name: str
    bundle: Bundle
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Inputs:
    """All of it.

    Attributes:
        bundles: in the order given.
        wanted: manifests, in the order given.
        tiers: `tiers.CLEAN` first.
        finders: (faces, model) to the opened finder; None for `NO_FINDER`.
    """

    bundles: tuple[Loaded, ...]
    wanted: tuple[Wanted, ...]
    tiers: tuple[Tier, ...]
    finders: dict[tuple[str, Path | None], FaceFinder | None] = field(default_factory=dict)

    def finder_of(self, wanted: Wanted) -> FaceFinder | None:
        """The opened finder of a manifest."""
        return self.finders[wanted.faces, wanted.face_model]

    def settings(self, request: Request) -> dict[str, Any]:
        """All that scores depend on, as JSON has it."""
        return {
            "bundles": {loaded.name: loaded.bundle.sha256 for loaded in self.bundles},
            "manifests": [[one.judged.name, one.judged.digest, one.part] for one in self.wanted],
            "faces": [[one.faces, sha256_of(one.face_model) if one.face_model else None] for one in self.wanted],
            "tiers": [tier.name for tier in self.tiers],
            "max_fpr": request.max_fpr,
            "engine": request.engine,
            "frames": request.frames,
        }


def prepare(request: Request) -> Inputs:
    """Read and check everything.

    Raises:
        UsageError: something that was asked for cannot be.
        ManifestError: a manifest cannot be read.
        BundleError: a bundle cannot be read or trusted.
        NotCalibrated: a budget was asked of a bundle without thresholds.
    """
    check_kinds(request.allow_leaks)
    if request.engine not in engines:
        raise UsageError(f"--engine {request.engine}: there is no such engine; there are {', '.join(engines)}")
    tiers = chosen_tiers(request.tiers, request.sweeps)
    bundles = _bundles(request)
    wanted = _manifests(request)
    opened: dict[tuple[str, Path | None], FaceFinder | None] = {}
    for one in wanted:
        if (one.faces, one.face_model) not in opened:
            finder = None if one.faces == NO_FINDER else open_finder(one.faces, one.face_model)
            opened[one.faces, one.face_model] = finder
    return Inputs(bundles, wanted, tiers, opened)


def open_bundles(bundles: Sequence[Loaded], engine: str, threads: int) -> list[Opened]:
    """Open the graphs.

    Raises:
        EngineError: one cannot be opened.
    """
    return [
        Opened(one.name, Judge.open(one.bundle, engine, threads), Asked(one.bundle, one.verdict)) for one in bundles
    ]


def select(manifest: Manifest, split: str | None, name: str) -> tuple[Manifest, str]:
    """The rows that are judged, and which they are in words.

    Args:
        manifest: all rows.
        split: ``test``, ``validation``, ``train``, ``all``; None for the test part, or all where there is no split.
        name: of the manifest, for messages.

    Raises:
        UsageError: there is no such part.
    """
    has_split = "split" in manifest
    if split == ALL or (split is None and not has_split):
        return manifest, ALL_ROWS
    part = split or "test"
    if part not in SPLITS:
        raise UsageError(f"--split {part}: there is none of that name; there are {', '.join((*SPLITS, ALL))}")
    if not has_split:
        raise UsageError(f"{name} has no split, so there is no {part} part; --split {ALL} judges all rows")
    rows = np.array([value == part for value in manifest.values("split")], bool)
    if not rows.any():
        there = [one for one in SPLITS if one in set(manifest.values("split"))]
        raise UsageError(
            f"the split of {name} has no {part} part (it has: {', '.join(there)}); choose one with --split, or "
            f"--split {ALL}"
        )
    return manifest.take(rows), part


def _bundles(request: Request) -> tuple[Loaded, ...]:
    if not request.bundles:
        raise UsageError("name at least one bundle: --bundle B")
    read = [load_bundle(name) for name in request.bundles]
    shas = [bundle.sha256 for bundle in read]
    for number, sha in enumerate(shas):
        if sha in shas[:number]:
            raise UsageError(f"--bundle {request.bundles[number]}: the same bundle was named before")
    names = [bundle.contract.identifier for bundle in read]
    return tuple(
        Loaded(
            name if names.count(name) == 1 else f"{name}@{bundle.sha256[:8]}",
            bundle,
            verdict_for(bundle.contract, request.max_fpr),
        )
        for name, bundle in zip(names, read, strict=True)
    )


def _manifests(request: Request) -> tuple[Wanted, ...]:
    paths = request.manifests
    if not paths:
        raise UsageError("name at least one manifest: --manifest M.parquet")
    count = len(paths)
    roots = _each(request.roots, count, "--root")
    splits = _each(request.splits, count, "--split")
    faces = [name or NO_FINDER for name in _each(request.faces, count, "--faces")]
    for name in faces:
        if name not in FINDER_NAMES:
            raise UsageError(f"--faces {name}: there is no such face finder; there are {', '.join(FINDER_NAMES)}")
    models = _models(request.face_models, faces)
    wanted = []
    for number, name in enumerate(_unique([path.stem for path in paths])):
        manifest = read_manifest(paths[number], root=roots[number])
        rows, part = select(manifest, splits[number], name)
        judged = Judged(name, paths[number], manifest, manifest.digest(), rows)
        if any(one.judged.digest == judged.digest and one.part == part for one in wanted):
            raise UsageError(f"--manifest {paths[number]}: the same rows were named before")
        wanted.append(Wanted(judged, part, faces[number], models[number]))
    return tuple(wanted)


def _models(given: tuple[Path, ...], faces: Sequence[str]) -> list[Path | None]:
    if not given:
        return [None] * len(faces)
    if len(given) > 1:
        return [
            None if name == NO_FINDER else model
            for model, name in zip(_each(given, len(faces), "--face-model"), faces, strict=True)
        ]
    if _WITH_MODEL not in faces:
        raise UsageError(
            f"--face-model {given[0]}: no face finder that takes a model file was asked for (--faces {_WITH_MODEL}; "
            f"there are {', '.join(finders)})"
        )
    return [given[0] if name == _WITH_MODEL else None for name in faces]


def _each(given: tuple[_Value, ...], count: int, flag: str) -> list[_Value | None]:
    """A value for each manifest: none, one for all, or one each."""
    if len(given) in (0, 1):
        return [*given] * count if given else [None] * count
    if len(given) != count:
        raise UsageError(f"{flag} was given {len(given)} times for {count} manifests; give it once, or once for each")
    return list(given)


def _unique(stems: Sequence[str]) -> list[str]:
    names: list[str] = []
    for stem in stems:
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem}-{number}"
        names.append(name)
    return names
