"""The common frame: eyes meet, whatever was turned, scaled or shifted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mesoscope.types import Box, FoundFace
from mesoscope_train.understanding.landmarks import common_eyes, landmarks_of, to_common_frame, warp

COMMON = np.array([[0.35, 0.4], [0.65, 0.4]])


def turned(angle, scale, shift):
    """A face of the common frame after a similarity."""
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    face = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.4, 0.7], [0.6, 0.7]])
    return ((face - 0.5) @ turn.T + 0.5 + shift).astype(np.float32)


def test_the_frame_takes_every_point_back():
    face = turned(0.4, 0.6, (0.05, -0.1))
    transform = to_common_frame(face, COMMON)
    common = turned(0, 1, (0, 0))
    np.testing.assert_allclose(common @ transform[:, :2].T + transform[:, 2], face, atol=1e-6)


def test_a_mark_on_the_eye_lands_on_the_common_eye():
    face = turned(-0.3, 0.7, (0.04, 0.06))
    side = 64
    y, x = np.mgrid[:side, :side]
    marks = np.stack(
        [np.exp(-(((x + 0.5) / side - px) ** 2 + ((y + 0.5) / side - py) ** 2) / 0.002) for px, py in face[:2]]
    )
    warped, inside = warp(
        torch.from_numpy(marks[None].astype(np.float32)), torch.from_numpy(to_common_frame(face, COMMON))[None]
    )
    for plane, (px, py) in zip(warped[0].numpy(), COMMON, strict=True):
        row, column = np.unravel_index(plane.argmax(), plane.shape)
        assert abs((column + 0.5) / side - px) < 1 / side and abs((row + 0.5) / side - py) < 1 / side
    assert inside.shape == (1, 1, side, side)


def test_nothing_is_made_up_beyond_the_picture():
    face = turned(0, 1, (0.3, 0))
    warped, inside = warp(torch.ones(1, 1, 10, 10), torch.from_numpy(to_common_frame(face, COMMON))[None])
    assert inside[0, 0, :, :7].all() and not inside[0, 0, :, 7:].any()
    assert not warped[0, 0, :, 7:].any()


def test_common_eyes_are_level_and_symmetric():
    eyes = common_eyes([turned(0.2, 0.8, (0.1, 0)), turned(-0.1, 0.8, (0, 0)), turned(0.1, 0.8, (0, 0.2))])
    assert eyes[0, 1] == eyes[1, 1]
    assert eyes[:, 0].sum() == pytest.approx(1)
    assert 0.2 < eyes[1, 0] - eyes[0, 0] < 0.3


def test_the_largest_face_counts():
    small, large = turned(0, 0.3, (0, 0)) * 100, turned(0, 0.9, (0, 0)) * 100

    def finder(_pixels):
        return [FoundFace(Box(0, 0, 20, 20), 1.0, small), FoundFace(Box(0, 0, 80, 80), 0.8, large)]

    found = landmarks_of(np.zeros((100, 200, 3), np.uint8), finder)
    np.testing.assert_allclose(found, large / [200, 100])
    assert landmarks_of(np.zeros((100, 200, 3), np.uint8), lambda _pixels: []) is None
    assert landmarks_of(np.zeros((9, 9, 3), np.uint8), lambda _p: [FoundFace(Box(0, 0, 9, 9))]) is None
