"""Synthetic people: a coloured body around each box, so that looks and places can be set apart."""

import numpy as np
import pytest
from PIL import Image

from mesoscope.faces.tracks import Tracker, looks_of
from mesoscope.types import Box, FoundFace

SIZE = (360, 1280)
RED, BLUE, GREEN = (190, 60, 50), (50, 70, 190), (60, 170, 60)
RNG = np.random.default_rng(5)


def person(x, colour, y=180, side=80):
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2), colour


class Clip:
    """Feeds a tracker frame by frame, half a second apart unless told otherwise."""

    def __init__(self):
        self.tracker, self.index, self.time = Tracker(), -1, 0.0

    def show(self, *people, after=0.5, light=1.0):
        pixels = np.full((*SIZE, 3), 120, np.uint8)
        for box, colour in people:
            around = [int(value) for value in (box.left - 40, box.top - 40, box.right + 40, box.bottom + 40)]
            left, top, right, bottom = (max(0, value) for value in around)
            patch = pixels[top:bottom, left:right]
            patch[...] = np.clip(np.array(colour) * light + RNG.normal(0, 6, patch.shape), 0, 255)
        self.index += 15
        self.time += after
        return self.tracker.update(self.index, self.time, [FoundFace(box, 1.0) for box, _ in people], pixels)


@pytest.fixture
def clip():
    return Clip()


def test_one_person_is_one_track(clip):
    assert [clip.show(person(300 + 10 * step, RED)) for step in range(8)] == [[1]] * 8
    assert clip.tracker.kept() == [1]


def test_two_people_side_by_side_are_two_tracks(clip):
    for step in range(8):
        assert clip.show(person(300 + 3 * step, RED), person(500 - 3 * step, BLUE)) == [1, 2]
    assert clip.tracker.kept() == [1, 2]


def test_two_people_who_look_alike_stay_apart_side_by_side(clip):
    for step in range(8):
        assert clip.show(person(300 + 5 * step, RED), person(450 - 2 * step, RED)) == [1, 2]


def test_numbers_follow_the_faces_not_their_order(clip):
    clip.show(person(300, RED), person(700, BLUE))
    assert clip.show(person(700, BLUE), person(300, RED)) == [2, 1]


def test_numbers_of_a_frame_go_from_left_to_right(clip):
    assert clip.show(person(700, BLUE), person(300, RED)) == [2, 1]


@pytest.mark.parametrize("speed", [10, 25, 50])
def test_people_who_cross(clip, speed):
    for step in range(500 // speed + 1):
        red, blue = person(300 + speed * step, RED), person(800 - speed * step, BLUE)
        if red[0].iou(blue[0]) > 0.3:  # one hides the other
            assert clip.show(blue) == [2]
        else:
            assert clip.show(red, blue) == [1, 2]
    assert clip.tracker.kept() == [1, 2]


def test_people_who_change_places_between_two_samples(clip):
    clip.show(person(300, RED), person(700, BLUE))
    assert clip.show(person(700, RED), person(300, BLUE), after=4) == [1, 2]


def test_missed_detections_are_bridged(clip):
    clip.show(person(300, RED), person(600, RED))
    for _ in range(2):
        assert clip.show() == []
    assert clip.show(person(310, RED), person(610, RED)) == [1, 2]


def test_a_person_who_leaves_and_comes_back_elsewhere(clip):
    clip.show(person(100, RED), person(700, BLUE))
    for _ in range(20):
        assert clip.show(person(700, BLUE)) == [2]
    assert clip.show(person(700, BLUE), person(1200, RED)) == [2, 1]


def test_another_person_who_comes_after_a_gap_is_another_track(clip):
    clip.show(person(300, RED))
    assert clip.show(person(300, GREEN), after=3) == [2]


def test_a_scene_cut_between_two_people_in_the_same_place_and_back(clip):
    seen = [clip.show(person(600, colour)) for colour in (RED, RED, BLUE, BLUE, RED, BLUE)]
    assert seen == [[1], [1], [2], [2], [1], [2]]


def test_slightly_changing_light_does_not_split_a_person(clip):
    for step in range(12):
        assert clip.show(person(600, RED), light=1 - 0.02 * step) == [1]


def test_someone_far_away_is_not_the_same_by_place_alone(clip):
    clip.show(person(100, RED), person(300, RED))  # alike, and seen together: looks cannot tell them apart
    clip.show()
    assert clip.show(person(1100, RED)) == [3]


def test_a_face_of_quite_another_size_is_not_the_same_by_place(clip):
    clip.show(person(300, RED, side=40), person(900, RED, side=40))
    assert clip.show(person(300, RED, side=160), person(900, RED, side=40)) == [3, 2]


@pytest.mark.parametrize("step", [0.03, 0.5, 4.0])
def test_samples_may_lie_close_or_far(clip, step):
    for count in range(6):
        move = min(40.0, 60 * step) * count
        assert clip.show(person(200 + move, RED), person(700 + move, BLUE), after=step) == [1, 2]


def test_a_single_false_find_among_many_is_passing(clip):
    for step in range(20):
        extra = [person(1100, GREEN)] if step == 7 else []
        clip.show(person(300, RED), *extra)
    assert clip.tracker.kept() == [1]


def test_a_second_person_for_a_while_counts(clip):
    for step in range(30):
        extra = [person(900, BLUE)] if 10 <= step < 13 else []
        clip.show(person(300, RED), *extra)
    assert clip.tracker.kept() == [1, 2]


def test_the_only_track_counts_however_short(clip):
    for _ in range(30):
        clip.show()
    clip.show(person(300, RED))
    assert clip.tracker.kept() == [1]


def test_in_a_short_sample_everyone_counts(clip):
    for step in range(8):
        clip.show(person(300, RED), *([person(900, BLUE)] if step == 3 else []))
    assert clip.tracker.kept() == [1, 2]


def test_nobody_at_all(clip):
    assert clip.show() == []
    assert clip.tracker.kept() == []


def test_frames_out_of_order_are_refused(clip):
    clip.show(person(300, RED))
    clip.index = -16
    with pytest.raises(ValueError, match="frame -1 comes after frame 14"):
        clip.show(person(300, RED))


def test_faces_over_the_edge_are_followed(clip):
    for x in (60, 30, 5, 30):
        assert clip.show(person(x, RED)) == [1]


def test_looks_are_a_unit_vector_that_halves_tell_apart():
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:50], pixels[50:] = RED, BLUE
    box = Box(25, 25, 75, 75)
    looks, upside_down = looks_of(pixels, box), looks_of(pixels[::-1], box)
    assert looks.shape == (432,)
    assert np.linalg.norm(looks) == pytest.approx(1, abs=1e-5)
    assert looks @ upside_down < 0.1
    assert looks_of(np.zeros((1, 1, 3), np.uint8), Box(0, 0, 0.3, 0.3)).shape == (432,)


def test_two_real_people_in_two_scenes_and_side_by_side(examples):
    pictures = [np.asarray(Image.open(examples / f"portrait-photo-{n}.jpg").convert("RGB")) for n in (1, 2)]
    face = Box(115, 170, 370, 425)
    scenes, beside = Tracker(), Tracker()
    seen = [scenes.update(n, n, [FoundFace(face)], pictures[n // 3 % 2]) for n in range(12)]
    assert seen == [[1]] * 3 + [[2]] * 3 + [[1]] * 3 + [[2]] * 3
    both = np.concatenate(pictures, axis=1)
    other = Box(face.left + 512, face.top, face.right + 512, face.bottom)
    for n in range(4):
        assert beside.update(n, n, [FoundFace(face), FoundFace(other)], both) == [1, 2]
