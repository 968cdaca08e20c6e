"""The rows a search may see: training and validation, cut out before anything else happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest, read_manifest, write_manifest

SEEN = ("train", "validation")


def without_test(manifest: Manifest, fold: int | None) -> Manifest:
    """The training and validation rows alone.

    Args:
        manifest: with a column ``split``, or ``fold`` where a fold is asked for.
        fold: of a manifest with folds; rows of the split ``test`` and rows without a fold are left out.

    Raises:
        UsageError: there is no split, or no row is left.
    """
    splits = manifest.values("split") if "split" in manifest else [None] * len(manifest)
    if fold is not None:
        folds = manifest.values("fold") if "fold" in manifest else [None] * len(manifest)
        seen = [given is not None and split != "test" for given, split in zip(folds, splits, strict=True)]
    else:
        seen = [split in SEEN for split in splits]
    if not any(seen):
        raise UsageError(
            "the manifest has no training and validation rows; make a split: "
            "mesoscope data split M.parquet --fractions 70:20:10 --out S.parquet"
        )
    return manifest.take(np.array(seen, bool))


def keep(manifest: Manifest, path: Path) -> Manifest:
    """Write the rows of a search, or read those of the search that is gone on with.

    Raises:
        UsageError: the search in this directory had other rows.
    """
    if not path.is_file():
        write_manifest(manifest, path)
        return read_manifest(path)
    kept = read_manifest(path)
    if kept.digest() != manifest.digest():
        raise UsageError(f"{path.parent} holds a search on other data; choose another --out, or give its manifest")
    return kept
