"""AUC of bundles on the test part of a manifest, with an interval bootstrapped by group.

    python benchmarks/test_part.py split.parquet bundles/mine-1 bundles/mesonet-meso4-df-1

Whole pictures are judged by the product's own preprocessing and engine.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from mesoscope.bundle import load_bundle
from mesoscope.engine import Judge
from mesoscope.manifest import read_manifest
from mesoscope.media import open_picture
from mesoscope.preprocess import to_batch

DRAWS, CHUNK = 1000, 64


def main() -> None:
    """Judge and print a line a bundle."""
    whole = read_manifest(Path(sys.argv[1]))
    part = whole.take(np.array([split == "test" for split in whole.values("split")]))
    files = [part.file(path) for path in part.values("path")]
    fake = np.array([label == "fake" for label in part.values("label")])
    codes, names = part.codes("group")
    rows = [np.flatnonzero(codes == group) for group in range(len(names))]
    for path in sys.argv[2:]:
        judge = Judge.open(load_bundle(Path(path)))
        spec = judge.bundle.contract.preprocess
        chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
        logits = np.concatenate(
            [judge(to_batch([open_picture(f).pixels for f in chunk], spec))[0] for chunk in chunks]
        )
        random, drawn = np.random.default_rng(0), []
        while len(drawn) < DRAWS:
            some = np.concatenate([rows[group] for group in random.integers(len(rows), size=len(rows))])
            if 0 < fake[some].sum() < len(some):
                drawn.append(roc_auc_score(fake[some], logits[some]))
        low, high = np.percentile(drawn, [2.5, 97.5])
        auc = roc_auc_score(fake, logits)
        print(f"{Path(path).name}: AUC {auc:.3f} ({low:.3f} to {high:.3f}), {len(fake)} pictures, {len(rows)} groups")


if __name__ == "__main__":
    main()
