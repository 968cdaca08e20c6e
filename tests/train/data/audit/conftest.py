"""Small real pictures that resemble each other nowhere, and trees of them with what is to be found planted."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.manifest import ManifestBuilder, Row
from mesoscope_train.data.audit.run import conclude, examine
from mesoscope_train.data.audit.shortcuts import DEFAULT_BOUND, Shortcuts

SIDE = 112


@pytest.fixture(scope="session")
def tiles(examples: Path):
    """45 pictures: the ninths of the five example pictures, 112 px."""
    found = []
    for file in sorted(examples.glob("*.jpg")):
        picture = Image.open(file).convert("RGB")
        width, height = picture.width // 3, picture.height // 3
        for number in range(9):
            left, top = number % 3 * width, number // 3 * height
            found.append(picture.crop((left, top, left + width, top + height)).resize((SIDE, SIDE)))
    return found


@pytest.fixture(scope="session")
def resaved():
    """Function: a picture as it comes out of a file of this format and quality."""

    def make(picture: Image.Image, quality: int, format: str = "JPEG") -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, format, quality=quality)
        return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")

    return make


class Tree:
    """Pictures on disk and the rows that name them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: list[Row] = []

    def add(self, path: str, picture: Image.Image, label: str, group: str | None = None, **values) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        picture.save(self.root / path, **({"quality": 92} if path.endswith("jpg") else {}))
        self.row(path, label, group, **values)

    def row(self, path: str, label: str, group: str | None = None, **values) -> None:
        self.rows.append(Row(path=path, label=label, group=f"set:{group or path}", dataset="set", **values))

    def manifest(self):
        builder = ManifestBuilder(self.root)
        for row in self.rows:
            builder.add(row)
        return builder.build()

    def audit(self, manifest=None):
        """The audit without shortcuts, whose cross-validation takes its time."""
        manifest = manifest or self.manifest()
        examined = examine(manifest, cache_dir=self.root.parent / "cache", workers=0)
        return conclude(manifest, examined, Shortcuts((), ()), DEFAULT_BOUND)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "pictures")


@pytest.fixture
def clean(tree: Tree, tiles) -> Tree:
    """Twenty rows a class, every picture its own group, parts of the split in turn."""
    for index, tile in enumerate(tiles[:40]):
        label = ("real", "fake")[index // 2 % 2]
        tree.add(f"{label}/{index}.jpg", tile, label, split=("train", "test")[index % 2])
    return tree


@pytest.fixture
def brute_distances():
    """Function from (N, 64) and (M, 64) fingerprints to the bits by which all pairs differ: DCT's, gradient's."""

    def make(first, second):
        a, b = (np.unpackbits(each, axis=1).astype(np.float32) for each in (first, second))
        return tuple(a[:, part] @ (1 - b[:, part]).T + (1 - a[:, part]) @ b[:, part].T for part in _PARTS)

    return make


_PARTS = (slice(0, 256), slice(256, 512))
