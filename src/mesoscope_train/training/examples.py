"""From manifests to the rows a run learns from and the rows it is validated on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest

Bools = np.ndarray[Any, np.dtype[np.bool_]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of one part.

    Attributes:
        manifest: those rows only, in order.
        files: where each lies.
        fake: (N,) bool.
        groups: (N,) int64, equal numbers are one group.
    """

    manifest: Manifest
    files: tuple[Path, ...]
    fake: Bools
    groups: Ints

    def __len__(self) -> int:
        return len(self.files)

    @property
    def n_fake(self) -> int:
        """Fakes among them."""
        return int(self.fake.sum())

    @property
    def n_real(self) -> int:
        """Reals among them."""
        return len(self) - self.n_fake


def examples_of(manifest: Manifest) -> Examples:
    """All rows of a manifest."""
    return Examples(
        manifest,
        tuple(manifest.file(path) for path in manifest.values("path")),
        np.array([label == "fake" for label in manifest.values("label")], bool),
        manifest.codes("group")[0],
    )


def parts_of(
    manifest: Manifest, fold: int | None, unreadable: set[str], *, blended: bool = False
) -> tuple[Examples, Examples]:
    """The training and the validation part; test rows are in neither.

    Args:
        manifest: with a column ``split`` (train, validation), or ``fold`` where `fold` is given.
        fold: the fold that is validation; all others are training, rows without a fold are in neither.
        unreadable: paths that are left out of both.
        blended: real faces are enough, for fakes are blended of them: the training part's fakes are left out, and the
            validation part may have none.

    Raises:
        UsageError: there is no split, a part is empty or has one class only (with `blended`: no reals).
    """
    if fold is not None:
        folds = np.array([-1 if value is None else value for value in manifest.values("fold")])
        if not (folds == fold).any():
            raise UsageError(f"the manifest has no fold {fold}; it has {sorted(set(folds[folds >= 0].tolist()))}")
        masks = {"train": (folds >= 0) & (folds != fold), "validation": folds == fold}
    elif "split" in manifest:
        splits = np.array([value or "" for value in manifest.values("split")])
        masks = {name: splits == name for name in ("train", "validation")}
    else:
        raise UsageError("the manifest has no split; make one: mesoscope data split M.parquet --out S.parquet")
    readable = np.array([path not in unreadable for path in manifest.values("path")], bool)
    if blended:
        masks["train"] &= np.array([label == "real" for label in manifest.values("label")], bool)
    parts = [examples_of(_some(manifest, mask & readable, name)) for name, mask in masks.items()]
    for name, part in zip(masks, parts, strict=True):
        if not part.n_real or not (part.n_fake or blended):
            needed = "real ones" if blended else "both classes"
            raise UsageError(
                f"the {name} part has {part.n_real:,} real and {part.n_fake:,} fake pictures; {needed} are needed"
            )
    return parts[0], parts[1]


def _some(manifest: Manifest, mask: Bools, name: str) -> Manifest:
    if not mask.any():
        raise UsageError(
            f"the manifest has no readable row in its {name} part; "
            "'mesoscope data split M.parquet --out S.parquet --fractions 70:20:10' makes one"
        )
    return manifest.take(mask)
