import numpy as np
import pytest

from mesoscope.faces.boxes import resized, without_duplicates
from mesoscope.types import Box, FoundFace


def face(left, score, side=100.0, top=0.0):
    return FoundFace(Box(left, top, left + side, top + side), score)


def test_of_two_boxes_of_one_face_the_better_stays():
    weak, strong = face(0, 0.5), face(10, 0.9)
    assert without_duplicates([weak, strong], 0.3) == [strong]


def test_neighbours_stay_and_come_out_left_to_right():
    faces = [face(200, 0.9), face(0, 0.5), face(90, 0.7)]
    assert [kept.box.left for kept in without_duplicates(faces, 0.3)] == [0, 90, 200]


def test_order_does_not_depend_on_the_order_of_finding():
    faces = [face(0, 0.5), face(5, 0.5), face(300, 0.5), face(300, 0.5, top=300)]
    expected = without_duplicates(faces, 0.3)
    assert len(expected) == 3
    assert without_duplicates(faces[::-1], 0.3) == expected


def test_a_suppressed_face_suppresses_nothing():
    first, second, third = face(0, 0.9), face(45, 0.8), face(90, 0.7)  # neighbours overlap, first and third do not
    assert first.box.iou(second.box) > 0.3 > first.box.iou(third.box)
    assert without_duplicates([first, second, third], 0.3) == [first, third]


def test_faces_without_scores_give_way():
    scored, unscored = face(0, -3.0), FoundFace(Box(5, 0, 105, 100))
    assert without_duplicates([unscored, scored], 0.3) == [scored]


@pytest.mark.parametrize(("factor", "shape"), [(0.5, (10, 20, 3)), (2, (40, 80, 3)), (0.001, (1, 1, 3))])
def test_resized_gives_the_size_asked_for_but_never_none(factor, shape):
    assert resized(np.zeros((20, 40, 3), np.uint8), factor).shape == shape


def test_resized_averages_when_it_shrinks():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert abs(int(resized(stripes, 0.25)[8, 8, 0]) - 100) < 10


def test_the_same_size_is_the_same_picture():
    pixels = np.zeros((8, 8, 3), np.uint8)
    assert resized(pixels, 1.0) is pixels
