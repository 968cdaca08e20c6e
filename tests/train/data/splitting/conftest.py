"""Manifests from a few words: what is split need not exist as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mesoscope.manifest import Manifest, ManifestBuilder, Row


@pytest.fixture
def manifest_of(tmp_path: Path):
    """Function from columns to a manifest; what is not given is made up (every row a group of its own, all real)."""

    def make(root: Path = tmp_path, /, **columns: list) -> Manifest:
        number = len(next(iter(columns.values())))
        made = {
            "path": [f"{index:05d}.jpg" for index in range(number)],
            "label": ["real"] * number,
            "group": [f"g{index}" for index in range(number)],
            "dataset": ["d"] * number,
            **columns,
        }
        builder = ManifestBuilder(root)
        for values in zip(*made.values(), strict=True):
            builder.add(Row.of(dict(zip(made, values, strict=True))))
        return builder.build()

    return make


@pytest.fixture
def skewed(manifest_of):
    """Function from a seed to a manifest of groups whose sizes differ by hundreds, mostly of one label each."""

    def make(seed: int, groups: int = 120, datasets: int = 2, largest: int = 150) -> Manifest:
        rng = np.random.default_rng(seed)
        sizes = np.minimum(rng.pareto(1.2, groups) * 4 + 1, largest).astype(int)
        group = np.repeat(np.arange(groups), sizes)
        dataset = rng.integers(0, datasets, groups)[group]
        fake = rng.random(groups)[group] < 0.4
        fake ^= rng.random(len(group)) < 0.1
        return manifest_of(
            label=np.where(fake, "fake", "real").tolist(),
            group=[f"g{index}" for index in group],
            dataset=[f"d{index}" for index in dataset],
        )

    return make
