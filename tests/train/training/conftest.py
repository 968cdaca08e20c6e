"""A tiny set of real pictures with a split, and the settings of a tiny run."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from mesoscope.manifest import Manifest, ManifestBuilder, Row, write_manifest


@pytest.fixture(scope="session")
def tiny_manifest(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 pictures of 64 px of four portraits, each turned a little differently; groups hold one real and one fake."""
    root = tmp_path_factory.mktemp("tiny")
    portraits = [Image.open(path).convert("RGB").resize((72, 72)) for path in sorted(examples.glob("portrait*.jpg"))]
    builder = ManifestBuilder(root)
    for number in range(48):
        fake = number % 2 == 1
        picture = portraits[number % 4].rotate(7 * (number // 4), Image.Resampling.BICUBIC).crop((4, 4, 68, 68))
        picture = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if fake else picture
        picture.save(root / f"{number:02}.png")
        builder.add(
            Row(
                path=f"{number:02}.png",
                label="fake" if fake else "real",
                group=f"tiny:{number // 2}",
                dataset="tiny",
                split="train" if number < 32 else "validation",
            )
        )
    path = root / "tiny.parquet"
    write_manifest(builder.build(), path)
    return path


@pytest.fixture(scope="session")
def tiny(tiny_manifest: Path) -> Manifest:
    from mesoscope.manifest import read_manifest

    return read_manifest(tiny_manifest)
