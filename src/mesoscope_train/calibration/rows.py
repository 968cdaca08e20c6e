"""Rows that may choose a bundle's probabilities and thresholds: no test rows, none that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mesoscope.bundle import Bundle
from mesoscope.errors import UsageError
from mesoscope.manifest import SPLITS, Manifest

VALIDATION = "validation"
_MAKE_ONE = "mesoscope data split M.parquet --out S.parquet"


@dataclass(frozen=True, slots=True)
class Source:
    """A manifest as a bundle is calibrated or measured with it.

    Attributes:
        manifest: all its rows.
        digest: of all its rows (`Manifest.digest`).
    """

    manifest: Manifest
    digest: str

    def rows(self, parts: Sequence[str]) -> Manifest:
        """The rows of these parts.

        Raises:
            UsageError: the manifest has no split, or no row in them.
        """
        if "split" not in self.manifest:
            raise UsageError(f"the manifest has no split, so nothing in it is known to be validation: {_MAKE_ONE}")
        wanted = np.array([value in parts for value in self.manifest.values("split")], bool)
        if not wanted.any():
            raise UsageError(f"the manifest has no row in its {' and '.join(parts)} part; {_MAKE_ONE} makes one")
        return self.manifest.take(wanted)


def choosable(source: Source, parts: Sequence[str], bundle: Bundle, *, unseen: bool = False) -> Manifest:
    """The rows of these parts, if something of this bundle may be chosen on them.

    Args:
        source: the manifest.
        parts: ``validation`` and, for a bundle that was trained elsewhere, ``train``.
        bundle: whose.
        unseen: somebody vouches that the bundle was not trained on these rows; taken where it cannot be told.

    Raises:
        UsageError: the test part, or a part there is not; rows that the bundle was trained on, or may have been.
    """
    for part in parts:
        if part not in SPLITS:
            raise UsageError(f"--split {part}: name {VALIDATION}, or train for a bundle that was trained elsewhere")
    if not parts or "test" in parts:
        raise UsageError(
            "nothing is chosen on a test part: what is measured on it afterwards would be flattered; use --split "
            + VALIDATION
        )
    if trained_with(bundle, source):
        if "train" in parts:
            raise UsageError(
                f"bundle {bundle.contract.identifier} was trained on the train part of this very manifest, on which "
                f"its scores are better than elsewhere; use --split {VALIDATION}"
            )
        return source.rows(parts)
    rows = source.rows(parts)
    shared = shared_sets(bundle, rows)
    if shared and not unseen:
        raise UsageError(
            f"bundle {bundle.contract.identifier} was trained on rows of {', '.join(shared)}, listed in another "
            "manifest than this one, so that these rows may be among them: use the manifest it was trained with, or "
            "say --unseen if you know that they are not"
        )
    return rows


def trained_with(bundle: Bundle, source: Source) -> bool:
    """Whether the bundle states that it was trained with this very manifest."""
    return source.digest in {data.manifest_sha256 for data in bundle.contract.training_data}


def shared_sets(bundle: Bundle, rows: Manifest) -> list[str]:
    """Data sets that the bundle was trained on, by name, and that these rows are of."""
    return sorted({data.name for data in bundle.contract.training_data} & set(rows.values("dataset")))
