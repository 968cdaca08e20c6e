"""Two questions about a bundle's maps on faces whose edited parts are known, answered with intervals.

1. *Against area.* What share of the map's mass falls on the edited parts, over the share of the picture that they
   take? 1 is a map that knows nothing.
2. *Against the same part, not edited.* Faces draw the eye of any network to eyes and mouth. So for each part the
   density (share of mass over share of area) on faces where it was edited is compared with that on faces where it was
   not; the difference is averaged over parts, each weighing as often as it was edited. 0 is a map that does not care.

The first alone is no evidence that a map shows edits: a map that always marks eyes would pass it. The comparison with
other fakes (some other part was edited) asks whether the map knows *which* part; that with real faces also whether
it knows *that* something was edited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope.types import Float32Array
from mesoscope_train.understanding.intervals import Measured, combined
from mesoscope_train.understanding.regions import REGIONS, coverage

PARTS = ("left eye", "right eye", "nose", "mouth")
COLUMNS: Mapping[str, str] = {
    "left eye": "edited_left_eye",
    "right eye": "edited_right_eye",
    "nose": "edited_nose",
    "mouth": "edited_mouth",
}
"""Left and right as the viewer sees them, which is how the publisher names them: of 46 crops with one edited eye that
were looked at, it is the eye on that side that is out of place."""
MASSES = ("for fake", "either way")
"""The map's positive part, and its absolute value."""
_PLACES = [REGIONS.index(part) for part in PARTS]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """What was seen of N faces.

    Attributes:
        fake: (N,) bool.
        edited: (N, 4) bool, by `PARTS`; all False for real faces.
        group: (N,) int.
        area: (N, 4) share of the picture.
        mass: (N, 2, 4) share of the map's mass, by `MASSES`; NaN where a map has none of that kind.
        weak: (N,) bool: the map's peak is below the bundle's floor.
    """

    fake: Bools
    edited: Bools
    group: npt.NDArray[np.int64]
    area: Floats
    mass: Floats
    weak: Bools


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answers for one bundle and one kind of mass; see the module.

    Attributes:
        share: of the mass on edited parts.
        area: share of the picture that edited parts take.
        against_area: share over area; 1 is chance.
        against_unedited: mean difference of density to other fakes in which the part was not edited; 0 is chance.
        against_real: the same to real faces.
        parts: part to its density where edited, in other fakes, and in real faces.
        without_mass: faces whose map has no such mass; they do not count.
    """

    share: Measured
    area: Measured
    against_area: Measured
    against_unedited: Measured
    against_real: Measured
    parts: Mapping[str, tuple[Measured, Measured, Measured]]
    without_mass: int

    @property
    def verdict(self) -> tuple[str, str]:
        """A level (``clear`` or ``note``) and one plain sentence."""
        which, whether = self.against_unedited.beyond(0), self.against_real.beyond(0)
        area = self.against_area.beyond(1)
        if not np.isfinite(self.against_unedited.low):
            return "note", "There are too few faces for an answer."
        if which > 0:
            more = " and than on the same parts of real faces" if whether > 0 else ""
            return (
                "clear",
                f"More of the map lies on parts that were edited than on the same parts of other fakes{more}.",
            )
        less = "LESS of the map lies on parts that were edited" if which < 0 else "No better than chance"
        beside = {
            1: "; these parts hold more of the map than their area, but they do so whether edited or not",
            -1: "; these parts hold less of the map than their area",
            0: "; these parts hold no more of the map than their area either",
        }[area]
        if which < 0:
            return "note", f"{less} than on the same parts of other fakes{beside}."
        return "note", f"{less}: the map does not tell which parts were edited{beside}."


def edited_parts(manifest: Manifest) -> Bools:
    """(N, 4) which parts of each row are edited, by `PARTS`.

    Raises:
        UsageError: the manifest does not say, or no row is edited.
    """
    missing = [column for column in COLUMNS.values() if column not in manifest]
    if missing:
        raise UsageError(
            f"the manifest does not say which parts were edited: it lacks {', '.join(missing)}; "
            "'mesoscope data import --format ciplab' makes one that does"
        )
    edited = np.array([[value is True for value in manifest.values(COLUMNS[part])] for part in PARTS]).T
    if not edited.any():
        raise UsageError("no row of the manifest has an edited part")
    return np.asarray(edited, bool)


def shares_of(maps: torch.Tensor, landmarks: Sequence[Float32Array]) -> tuple[Floats, Floats]:
    """Shares of area (B, 4) and of mass (B, 2, 4) of each part.

    Args:
        maps: (B, h, w).
        landmarks: (5, 2) of each.
    """
    covered = coverage(landmarks, *maps.shape[1:])[:, _PLACES]
    kinds = torch.stack([maps.clamp_min(0), maps.abs()], 1).double()
    whole = kinds.sum((2, 3))[..., None]
    inside = torch.einsum("bmhw,brhw->bmr", kinds, covered.double())
    mass = torch.where(whole > 0, inside / whole, torch.nan)
    return covered.mean((2, 3)).double().numpy(), mass.numpy()


def weigh(faces: Faces, kind: int) -> Evidence:
    """The answers for one kind of mass, an index into `MASSES`."""
    mass = faces.mass[:, kind]
    known = np.isfinite(mass[:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        density = np.where(faces.area > 0, mass / faces.area, np.nan)
    forged = known & faces.edited.any(1)
    on_edited = (np.nan_to_num(mass) * faces.edited).sum(1)[forged]
    area = (faces.area * faces.edited).sum(1)[forged]
    group = faces.group[forged]

    def samples(which: Bools, part: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        rows = which & np.isfinite(density[:, part])
        return density[rows, part], faces.group[rows]

    edited = [samples(faces.edited[:, part], part) for part in range(len(PARTS))]
    others = [samples(faces.fake & ~faces.edited[:, part], part) for part in range(len(PARTS))]
    real = [samples(~faces.fake, part) for part in range(len(PARTS))]
    return Evidence(
        share=_mean((on_edited, group)),
        area=_mean((area, group)),
        against_area=combined(lambda means: means[:, 0] / means[:, 1], [(on_edited, group), (area, group)]),
        against_unedited=_contrast(edited, others),
        against_real=_contrast(edited, real),
        parts={
            part: (_mean(edited[number]), _mean(others[number]), _mean(real[number]))
            for number, part in enumerate(PARTS)
        },
        without_mass=int((~known).sum()),
    )


Sample = tuple[Floats, npt.NDArray[np.int64]]


def _mean(sample: Sample) -> Measured:
    return combined(lambda means: means[:, 0], [sample])


def _contrast(edited: Sequence[Sample], others: Sequence[Sample]) -> Measured:
    """Mean difference of density over parts, each weighing as often as it was edited; parts lacking are left out."""
    both = [(mine, other) for mine, other in zip(edited, others, strict=True) if len(mine[0]) and len(other[0])]
    weights = np.array([len(mine[0]) for mine, _ in both], np.float64)
    if not both:
        return Measured(np.nan, np.nan, np.nan, 0, 0)
    count = len(both)

    def difference(means: Floats) -> Floats:
        result: Floats = (means[:, :count] - means[:, count:]) @ (weights / weights.sum())
        return result

    return combined(difference, [*(mine for mine, _ in both), *(other for _, other in both)])
