"""What stands where a number cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Undefined:
    """There is no such number here.

    Attributes:
        reason: why, as a clause: "there is no fake among the answered".
    """

    reason: str


Number = float | Undefined

NO_REAL = Undefined("there is no real among the answered")
NO_FAKE = Undefined("there is no fake among the answered")
NOTHING = Undefined("nothing was answered")
ALL_EQUAL = Undefined("all scores are equal: they rank nothing")


def unfit(fake: Bools, scores: Floats) -> Undefined | None:
    """Why nothing can be computed of these labels and scores at all, or None.

    Raises:
        ValueError: the arrays do not belong together (a mistake of the caller, not of the data).
    """
    if fake.dtype != bool or fake.ndim != 1 or fake.shape != scores.shape:
        raise ValueError(f"labels {fake.dtype}{fake.shape} and scores {scores.shape} are not two arrays (N,)")
    bad = int(np.count_nonzero(~np.isfinite(scores)))
    if bad:
        return Undefined(f"{bad} of {scores.size} scores are not finite numbers")
    return None if scores.size else NOTHING


def one_class(fake: Bools) -> Undefined | None:
    """Why the two classes cannot be set against each other, or None."""
    if not fake.any():
        return NO_FAKE
    return NO_REAL if fake.all() else None


def group_codes(groups: Any) -> tuple[Ints, int]:  # noqa: ANN401 - any array of labels
    """Groups as codes without holes, (N,) int64 from 0, and how many there are."""
    names, codes = np.unique(np.asarray(groups), return_inverse=True)
    return np.asarray(codes.reshape(-1), np.int64), int(names.size)
