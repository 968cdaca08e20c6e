"""The parts of a face: they fill the picture, lie where landmarks are, and turn with the face."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope_train.understanding.regions import REGIONS, coverage

FACE = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.57], [0.4, 0.72], [0.6, 0.72]], np.float32)


def region_at(covered, x, y):
    height, width = covered.shape[1:]
    return REGIONS[int(covered[:, int(y * height), int(x * width)].argmax())]


def test_every_point_lies_in_one_region():
    covered = coverage([FACE, FACE * 0.5, FACE + 0.3], 7, 9)
    assert covered.shape == (3, len(REGIONS), 7, 9)
    np.testing.assert_allclose(covered.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "region"),
    [
        (0.35, 0.4, "left eye"),
        (0.65, 0.4, "right eye"),
        (0.5, 0.55, "nose"),
        (0.5, 0.72, "mouth"),
        (0.35, 0.6, "rest of the face"),
        (0.5, 0.02, "hair"),
        (0.5, 0.985, "neck"),
        (0.02, 0.7, "background"),
        (0.02, 0.2, "hair"),
    ],
)
def test_where_parts_lie(x, y, region):
    assert region_at(coverage([FACE], 64, 64)[0], x, y) == region


def test_regions_turn_with_the_face():
    upside_down = (1 - FACE).astype(np.float32)
    covered = coverage([FACE, upside_down], 48, 48)
    np.testing.assert_allclose(covered[0].numpy(), covered[1].numpy()[:, ::-1, ::-1], atol=1e-6)


def test_a_turned_face_keeps_its_size():
    """In profile eyes come together; the unit then comes from the distance of eyes and mouth."""
    profile = FACE.copy()
    profile[:2, 0] = 0.48, 0.52
    profile[3:, 0] = 0.48, 0.52
    covered = coverage([FACE, profile], 64, 64)
    sizes = covered[:, REGIONS.index("rest of the face") :].sum((2, 3))[:, 0]
    assert sizes[1] > 0.7 * sizes[0]
