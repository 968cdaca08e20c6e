"""Where maps and feature maps lie on faces, by regions, with intervals by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mesoscope.manifest import Manifest
from mesoscope_train.understanding.intervals import Measured, combined, mean_of
from mesoscope_train.understanding.means.gathering import MEASURES, Gathered
from mesoscope_train.understanding.regions import EYES, REGIONS

SHOWN = ("eyes", *(region for region in REGIONS if region not in EYES))
"""Both eyes as one."""
Numbers = Mapping[tuple[str, str, str], Measured]


@dataclass(frozen=True, slots=True)
class Shares:
    """What is known by regions.

    Attributes:
        mass: (measure, label, region) to share of mass over share of area: 1 is chance.
        lit: (layer, label, region) to the mean of standardised feature maps: 0 is the picture's own average;
            the label ``fake - real`` is the difference.
        massless: measure to the number of pictures whose map has no such part.
    """

    mass: Numbers
    lit: Numbers
    massless: Mapping[str, int]


def shares(gathered: Gathered, manifest: Manifest, layers: Sequence[str]) -> Shares:
    """Measure what was gathered of aligned faces."""
    groups = manifest.codes("group")[0][gathered.rows]
    labels = np.array(manifest.values("label"))[gathered.rows]
    area, mass = _joined(gathered.area), _joined(gathered.mass)
    is_label = {label: labels == label for label in ("real", "fake") if (labels == label).any()}
    over = {
        (measure, label, region): _over_chance(mass[mine, m, r], area[mine, r], groups[mine])
        for m, measure in enumerate(MEASURES)
        for label, mine in is_label.items()
        for r, region in enumerate(SHOWN)
    }
    lit: dict[tuple[str, str, str], Measured] = {}
    for number, layer in enumerate(layers):
        values = _mean_lit(gathered.lit[:, number], gathered.area)
        for r, region in enumerate(SHOWN):
            parts = {label: (values[mine, r].astype(np.float64), groups[mine]) for label, mine in is_label.items()}
            lit |= {(layer, label, region): mean_of(*part) for label, part in parts.items()}
            if len(parts) == 2:
                lit[layer, "fake - real", region] = _apart(parts)
    massless = {measure: int(np.isnan(mass[:, m, 0]).sum()) for m, measure in enumerate(MEASURES)}
    return Shares(over, lit, massless)


def _joined(by_region: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Shares of (..., all regions) to (..., `SHOWN`)."""
    eyes = [REGIONS.index(name) for name in EYES]
    others = [number for number in range(len(REGIONS)) if number not in eyes]
    both = by_region[..., eyes].sum(-1, keepdims=True)
    return np.concatenate([both, by_region[..., others]], -1).astype(np.float64)


def _mean_lit(lit: npt.NDArray[np.float32], area: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Means of (N, all regions) to (N, `SHOWN`), eyes weighted by their areas."""
    joined, size = _joined(np.nan_to_num(lit) * area), _joined(area)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(size > 0, joined / size, np.nan)


def _over_chance(
    mass: npt.NDArray[np.float64], area: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]
) -> Measured:
    """The mean share of mass over the mean share of area, of pictures that have mass."""
    known = np.isfinite(mass)
    samples = [(mass[known], groups[known]), (area[known], groups[known])]
    found = combined(lambda means: np.where(means[:, 1] > 0, means[:, 0] / means[:, 1], np.nan), samples)
    return Measured(found.value, found.low, found.high, int(known.sum()), found.groups)


def _apart(parts: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]) -> Measured:
    known = []
    for label in ("fake", "real"):
        values, groups = parts[label]
        there = np.isfinite(values)
        known.append((values[there], groups[there]))
    return combined(lambda means: means[:, 0] - means[:, 1], known)
