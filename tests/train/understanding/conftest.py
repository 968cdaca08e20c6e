"""A small bundle, small pictures of it, and landmarks that stand in the manifest, so that no model file is needed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mesoscope.manifest import ManifestBuilder, Row, write_manifest

LANDMARKS = "0.35,0.40 0.65,0.40 0.50,0.55 0.40,0.70 0.60,0.70"
"""A face that looks straight ahead."""
SHIFTED = "0.45,0.45 0.65,0.45 0.55,0.55 0.48,0.65 0.62,0.65"
"""The same face, smaller and elsewhere."""


@pytest.fixture(scope="session")
def subject(bundle_of):
    """CNN I at 32 pixels with made-up weights: two convolutions, a map of 28 x 28."""
    from mesoscope_train.understanding.subject import open_subject

    return open_subject(str(bundle_of("cnn-1:size=32").path))


@pytest.fixture
def faces(tmp_path):
    """Twelve noisy pictures of six groups: fakes have a bright left eye, half of the faces are smaller and elsewhere.

    The edited columns say so: of the fakes the left eye, of one the mouth instead.
    """
    root = tmp_path / "pictures"
    root.mkdir()
    chance = np.random.default_rng(0)
    builder = ManifestBuilder(root)
    for number in range(12):
        fake = number % 2 == 1
        landmarks = SHIFTED if number % 4 >= 2 else LANDMARKS
        pixels = chance.integers(60, 120, (64, 64, 3), dtype=np.uint8)
        if fake:
            x, y = (round(float(value) * 64) for value in landmarks.split()[0].split(","))
            pixels[y - 3 : y + 3, x - 3 : x + 3] = 255
        name = f"{number:02d}.png"
        Image.fromarray(pixels).save(root / name)
        edited = {
            "edited_left_eye": fake and number != 11,
            "edited_right_eye": False,
            "edited_nose": False,
            "edited_mouth": number == 11,
        }
        builder.add(
            Row(
                path=name,
                label="fake" if fake else "real",
                group=f"g{number // 2}",
                dataset="made-up",
                split="test" if number < 8 else "train",
                landmarks=landmarks,
                extra={"light": "dim" if number < 6 else "bright", **(edited if fake else {})},
            )
        )
    path = tmp_path / "faces.parquet"
    write_manifest(builder.build(), path)
    return path
