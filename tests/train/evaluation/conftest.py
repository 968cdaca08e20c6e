"""Small manifests of blended example pictures, and bundles of made-up weights, for evaluations that take a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.manifest import ManifestBuilder, Row, read_manifest, write_manifest

COUNT = 12
"""Pictures of each label."""


@pytest.fixture(scope="session")
def pictures(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """real/0.png … and fake/0.png …: windows of the example portraits, 64 to 86 pixels wide, no two alike."""
    root = tmp_path_factory.mktemp("pictures")
    for label, kind in (("real", "photo"), ("fake", "generated")):
        (root / label).mkdir()
        for index in range(COUNT):
            portrait = Image.open(examples / f"portrait-{kind}-{1 + index % 2}.jpg").convert("RGB").resize((360, 360))
            left, top, side = index % 4 * 90, index // 4 * 90, 64 + 2 * index
            portrait.crop((left, top, left + side, top + side)).save(root / label / f"{index}.png")
    (root / "broken.png").write_bytes((root / "real" / "0.png").read_bytes()[:300])
    return root


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    """Two pictures a group; the last third of each label is the test part."""
    return [
        Row(
            path=f"{label}/{index}.png",
            label=label,
            group=f"set:{label}:{index // 2}",
            dataset="set",
            split=("train", "validation", "test")[index // 4],
            extra={"sex": ("female", "male")[index % 2]},
        )
        for label in ("real", "fake")
        for index in range(COUNT)
    ]


@pytest.fixture
def written(pictures: Path, tmp_path: Path):
    """Function from rows (and a name) to a manifest's file."""

    def write(rows: list[Row], name: str = "m", root: Path | None = None) -> Path:
        builder = ManifestBuilder(root or pictures)
        for row in rows:
            builder.add(row)
        path = tmp_path / f"{name}.parquet"
        write_manifest(builder.build("made by hand"), path)
        return path

    return write


@pytest.fixture
def manifest(written, rows):
    """All rows, read."""
    return read_manifest(written(rows))


@pytest.fixture
def noise_picture():
    """(90, 120, 3) uint8 of smooth noise."""
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (9, 12, 3), np.uint8))
    return np.asarray(small.resize((120, 90), Image.Resampling.BICUBIC))
