"""What a manifest knows of its faces: landmarks, a box in the crop, or nothing; and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope.manifest import Manifest, ManifestBuilder, Row
from mesoscope_train.augment.outline import in_a_crop, in_box
from mesoscope_train.data.outlines import outlines_of

BOX = {"box_left": 100.0, "box_right": 200.0, "box_top": 50.0, "box_bottom": 130.0}
CROP = {"original_width": 125, "original_height": 125}
FIVE = "0.36,0.42 0.64,0.42 0.5,0.56 0.39,0.7 0.61,0.7"


def manifest(tmp_path: Path, *rows: dict[str, object]) -> Manifest:
    builder = ManifestBuilder(tmp_path)
    for number, values in enumerate(rows):
        builder.add(
            Row.of({"path": f"{number}.png", "label": "real", "group": f"{number}", "dataset": "d", **values})
        )
    return builder.build()


def test_the_best_that_is_known(tmp_path: Path) -> None:
    found = outlines_of(
        manifest(
            tmp_path,
            {"landmarks": FIVE},
            {**BOX, **CROP, "finder": "dlib"},
            {},
            BOX,
            {**BOX, **CROP, "finder": "none"},
        ),
        "crop",
    )
    assert found.known == {"landmarks": 1, "box": 1, "crop": 3}
    assert found.points[0].shape == (5, 2)
    np.testing.assert_allclose(found.points[1], in_box(0.8, 0.64))
    for points in found.points[2:]:
        np.testing.assert_array_equal(points, in_a_crop())


def test_faces_that_lack_what_is_needed(tmp_path: Path) -> None:
    made = manifest(tmp_path, {"landmarks": FIVE}, {**BOX, **CROP}, {})
    with pytest.raises(
        UsageError, match=r"2 of 3 real faces have no landmarks, the first is 1\.png: .*--finder yunet"
    ):
        outlines_of(made, "landmarks")
    with pytest.raises(UsageError, match=r"1 of 3 real faces have no landmarks or box, the first is 2\.png"):
        outlines_of(made, "box")
    assert outlines_of(made.take([0, 1]), "box").known == {"landmarks": 1, "box": 1}


def test_landmarks_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"0\.png: landmarks are 3 or more pairs"):
        outlines_of(manifest(tmp_path, {"landmarks": "left eye"}), "crop")
    with pytest.raises(ManifestError, match=r"0\.png: the landmarks lie on one line"):
        outlines_of(manifest(tmp_path, {"landmarks": "0.1,0.1 0.2,0.2 0.3,0.3"}), "crop")
