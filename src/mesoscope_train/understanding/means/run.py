"""From a manifest and a bundle to the page of means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mesoscope.engine import Judge
from mesoscope.errors import UsageError
from mesoscope.faces import FaceFinder
from mesoscope.manifest import Manifest
from mesoscope_train.data.audit.run import Stage, silent
from mesoscope_train.understanding.layers import Layer, chosen_layers, convolutions
from mesoscope_train.understanding.means.cells import Grouping, groupings
from mesoscope_train.understanding.means.content import page_of
from mesoscope_train.understanding.means.figures import difference
from mesoscope_train.understanding.means.gathering import MEASURES, Gathered, gather
from mesoscope_train.understanding.means.shares import Shares, shares
from mesoscope_train.understanding.page import prepare, write_arrays, write_json, write_page
from mesoscope_train.understanding.seen import Reader, chosen_rows
from mesoscope_train.understanding.subject import Subject, map_shape

NUMBERS, ARRAYS = "means.json", "means.npz"
MOST_LAYERS = 12
"""Unless layers are named, this many of a deep network are shown, spread evenly from the first to the last."""


@dataclass(frozen=True, slots=True)
class MeansOptions:
    """What is averaged.

    Attributes:
        by: ``label``, ``outcome``, columns of the manifest.
        split: only this part; None for all.
        pictures: at most so many, drawn by chance; None for all.
        layers: names of convolutions; empty for all, or for `MOST_LAYERS` of a deep network.
        channels: of each layer that are shown apart.
        maps_only: no feature maps; the runtime's engine computes the maps.
        align: lay faces over each other by their eyes.
        seed: of draws.
        made: when, in words.
        command: that makes the page.
        source: the manifest's file, as it was named.
    """

    by: Sequence[str] = ("label", "outcome")
    split: str | None = None
    pictures: int | None = None
    layers: Sequence[str] = ()
    channels: int = 16
    maps_only: bool = False
    align: bool = True
    seed: int = 0
    made: str = ""
    command: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What was checked before the long work: rows in order, ways to part them, layers."""

    rows: npt.NDArray[np.int64]
    groupings: tuple[Grouping, ...]
    layers: tuple[Layer, ...]


def check(subject: Subject, manifest: Manifest, options: MeansOptions, out: Path) -> Plan:
    """Whether it can be done, before the long work.

    Raises:
        UsageError: no such layer, column or split, a detector without a spatial map, or a directory that cannot be
            written.
    """
    if options.maps_only and options.layers:
        raise UsageError("--maps-only leaves out feature maps, and --layers names some; choose one")
    if options.channels < 1:
        raise UsageError(f"--channels must be 1 or more, not {options.channels}")
    rows = chosen_rows(manifest, options.split, options.pictures, options.seed)
    ways = groupings(manifest, options.by, rows.tolist())
    map_shape(subject)
    layers: tuple[Layer, ...] = ()
    if not options.maps_only:
        layers = chosen_layers(convolutions(subject.module, subject.spec.size), options.layers)
        if not options.layers and len(layers) > MOST_LAYERS:
            layers = tuple(layers[int(n)] for n in np.linspace(0, len(layers) - 1, MOST_LAYERS).round())
    prepare(out)
    return Plan(rows, ways, layers)


def mean_maps(
    subject: Subject,
    manifest: Manifest,
    finder: FaceFinder | None,
    out: Path,
    options: MeansOptions,
    *,
    progress: Stage = silent,
) -> tuple[Path, Gathered]:
    """Write the page, its figures and its numbers.

    Args:
        subject: whose maps.
        manifest: of what.
        finder: gives landmarks of faces for which the manifest has none.
        out: directory of ``index.html``, ``figures/``, ``means.json`` and ``means.npz``.
        options: what is averaged.
        progress: shows how far the work is.

    Returns:
        the page, and what was gathered.

    Raises:
        UsageError: see `check`; or nothing could be looked at.
    """
    plan = check(subject, manifest, options, out)
    judge = Judge.open(subject.bundle) if options.maps_only else None
    with progress("looking at pictures", len(plan.rows)) as step:
        gathered = gather(
            subject,
            Reader(manifest, subject.spec, finder),
            plan.rows,
            plan.groupings,
            layers=plan.layers,
            channels=options.channels,
            judge=judge,
            align=options.align,
            progress=step,
        )
    by_region = shares(gathered, manifest, [layer.name for layer in plan.layers]) if gathered.aligned else None
    page = page_of(
        subject,
        manifest,
        gathered,
        ways=plan.groupings,
        layers=plan.layers,
        by_region=by_region,
        options=options,
    )
    with progress("drawing figures", sum(len(section.charts) for section in page.sections)) as step:
        index = write_page(page, out, step)
    write_json(_numbers(subject, manifest, gathered, plan, by_region=by_region, options=options), out / NUMBERS)
    write_arrays(_arrays(gathered), out / ARRAYS)
    return index, gathered


def _numbers(
    subject: Subject,
    manifest: Manifest,
    gathered: Gathered,
    plan: Plan,
    *,
    by_region: Shares | None,
    options: MeansOptions,
) -> dict[str, Any]:
    return {
        "schema": 1,
        "bundle": subject.name,
        "bundle_sha256": subject.bundle.sha256,
        "map_layer": subject.map_layer,
        "manifest_sha256": manifest.digest(),
        "split": options.split,
        "command": options.command,
        "aligned": gathered.aligned,
        "eyes_at": None if gathered.common is None else gathered.common.tolist(),
        "pictures": len(gathered.rows),
        "left_out": dict(gathered.left_out),
        "seconds": gathered.seconds,
        "cells": [
            {"by": by, "cell": cell, "pictures": found.pictures} for (by, cell), found in gathered.cells.items()
        ],
        "differences": [
            {
                "by": way.by,
                "first": first,
                "second": second,
                "groups_of_the_smaller": found.groups,
                "cells_beyond_noise": int(found.beyond.sum()),
                "cells_of_map": int(found.beyond.size),
            }
            for way in plan.groupings
            for first, second in way.pairs()
            if (way.by, first) in gathered.cells and (way.by, second) in gathered.cells
            for found in (difference(gathered.cells[way.by, first], gathered.cells[way.by, second]),)
        ],
        "regions": None if by_region is None else _regions(by_region),
    }


def _regions(by_region: Shares) -> dict[str, Any]:
    mass, lit = by_region.mass, by_region.lit
    return {
        "mass_over_area": [
            {"part": measure, "label": label, "region": region, **number.to_json()}
            for (measure, label, region), number in mass.items()
        ],
        "standardised_features": [
            {"layer": layer, "label": label, "region": region, **number.to_json()}
            for (layer, label, region), number in lit.items()
        ],
        "pictures_without_mass": {measure: by_region.massless[measure] for measure in MEASURES},
    }


def _arrays(gathered: Gathered) -> dict[str, npt.NDArray[Any]]:
    """Every mean and spread, by ``GROUPING/CELL/WHAT``."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for (by, name), cell in gathered.cells.items():
        key = f"{by}/{name}"
        arrays[f"{key}/face_mean"] = cell.face.mean.astype(np.float32)
        arrays[f"{key}/map_mean"] = cell.map.mean
        arrays[f"{key}/map_standard_error"] = cell.map.standard_error
        arrays[f"{key}/map_std"] = cell.spread.std[0]
        for layer, moments in cell.layers.items():
            arrays[f"{key}/{layer}/mean"] = moments.mean.astype(np.float32)
            arrays[f"{key}/{layer}/std"] = moments.std.astype(np.float32)
    return arrays
