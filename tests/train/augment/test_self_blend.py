"""Self-blended images: the two pictures of a pair differ where the mask says so and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError
from scipy.spatial import ConvexHull

from mesoscope.errors import ManifestError
from mesoscope_train.augment.outline import around, in_a_crop, in_box
from mesoscope_train.augment.self_blend import SelfBlend

FIVE = np.array([[0.36, 0.42], [0.64, 0.42], [0.5, 0.56], [0.39, 0.7], [0.61, 0.7]], np.float32)


@pytest.fixture(scope="module")
def face(portrait):
    return np.asarray(Image.open(portrait).convert("RGB").crop((96, 64, 416, 384)).resize((128, 96)))


def chance(seed=0):
    return np.random.default_rng(seed)


def pairs(face, count=12, **settings):
    return [SelfBlend(**settings).pair(face, FIVE, chance(seed)) for seed in range(count)]


def test_outside_the_mask_fake_and_real_are_one_picture(face):
    before = face.copy()
    for pair in pairs(face):
        assert pair.real.dtype == pair.fake.dtype == np.uint8
        assert pair.real.shape == pair.fake.shape == face.shape
        assert pair.mask.shape == face.shape[:2]
        assert pair.mask.min() >= 0 and pair.mask.max() <= 1
        outside = pair.mask == 0
        assert outside.mean() > 0.2
        assert np.array_equal(pair.fake[outside], pair.real[outside])
        inside = pair.mask > 0.2
        assert inside.any()
        assert not np.array_equal(pair.fake[inside], pair.real[inside])
    assert np.array_equal(face, before), "never in place"


def test_one_copy_is_the_picture_as_it_is_and_both_serve_as_real(face):
    untouched = [np.array_equal(pair.real, face) for pair in pairs(face, 24)]
    assert 4 < sum(untouched) < 20


def test_the_fake_is_the_weighted_sum_of_two_copies(face):
    """With nothing moved, deformed or coloured, blending by hand gives the same."""
    still = {"resize": (1, 1), "move": (0, 0), "hull": 0, "deform": 0, "soften": (0, 0), "ratios": (0.5,)}
    blend = SelfBlend(**still)
    pair = blend.pair(face, FIVE, chance(1))
    changed = blend.changed(face, chance(1))
    other = face if np.array_equal(pair.real, changed) else changed
    share = pair.mask[..., None]
    by_hand = np.rint(other * share + pair.real * (1 - share))
    assert np.abs(pair.fake.astype(int) - by_hand).max() <= 1
    canvas = Image.new("L", (128, 96))
    ImageDraw.Draw(canvas).polygon([tuple(corner) for corner in around(FIVE * [128, 96]).tolist()], fill=1)
    overlap = (np.asarray(canvas) > 0) == (pair.mask > 0.25)
    assert overlap.mean() > 0.97
    assert pair.mask.max() == pytest.approx(0.5)


def test_chance_can_be_repeated_and_makes_a_difference(face):
    first, again, other = (SelfBlend().pair(face, FIVE, chance(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.fake, again.fake)
    assert np.array_equal(first.real, again.real)
    assert not np.array_equal(first.mask, other.mask)


def test_all_blending_ratios_come_up_as_often_as_they_stand_there(face):
    largest = [round(float(pair.mask.max()), 2) for pair in pairs(face, 60)]
    assert set(largest) == {0.25, 0.5, 0.75, 1.0}
    assert 20 <= largest.count(1.0) <= 40, "three of the six"


def test_the_source_is_moved_by_what_is_asked(face):
    """A bright dot of the source appears in the fake where the moved source has it."""
    dotted = face.copy()
    dotted[46:50, 62:66] = 255
    dotted[:, :, 1][46:50, 62:66] = 0
    still = {"shift": 0, "colour": {"kind": "colour"}, "sharpen": (0, 0), "shrink": (1, 1), "ratios": (1.0,)}
    blend = SelfBlend(resize=(1, 1), move=(0.1, 0), hull=0, deform=0, soften=(0, 0), **still)
    places = set()
    for seed in range(6):
        fake = blend.pair(dotted, FIVE, chance(seed)).fake.astype(int)
        columns = np.flatnonzero((fake[48, :, 0] - fake[48, :, 1]) > 150)
        places.add(int(columns.mean()))
        assert abs(columns.mean() - 63.5) <= 0.1 * 128 + 1
    assert len(places) > 2


def test_deformation_keeps_the_mask_in_its_reach():
    mask = np.zeros((80, 80), np.float32)
    mask[20:60, 20:60] = 1
    bent = SelfBlend(deform=0.05).deformed(mask, chance())
    assert not np.array_equal(bent, mask)
    assert bent[:14].max() == bent[66:].max() == bent[:, :14].max() == 0
    assert bent[26:54, 26:54].min() == 1
    assert np.array_equal(SelfBlend(deform=0).deformed(mask, chance()), mask)


def test_softening_cuts_or_widens():
    mask = np.zeros((120, 120), np.float32)
    mask[30:90, 30:90] = 1
    sizes = []
    for seed in range(12):
        soft = SelfBlend().softened(mask, chance(seed))
        assert soft.max() == pytest.approx(1)
        assert np.unique(soft).size > 10, "its edge is soft"
        sizes.append((soft > 0.5).sum())
    assert min(sizes) < mask.sum() and len(set(sizes)) > 6
    assert SelfBlend().softened(np.zeros((40, 40), np.float32), chance()).max() == 0


def test_outlines():
    wide = around(FIVE * 100)
    assert (np.ptp(wide, axis=0) > np.ptp(FIVE * 100, axis=0)).all(), "the face is more than its five points"
    dense = np.random.default_rng(0).uniform(20, 80, (68, 2)).astype(np.float32)
    assert sorted(map(tuple, around(dense))) == sorted(map(tuple, dense[ConvexHull(dense).vertices]))
    tilted = (FIVE - 0.5) @ np.array([[0, 1], [-1, 0]], np.float32) + 0.5
    turned = (wide - 50) @ np.array([[0, 1], [-1, 0]], np.float32) + 50
    np.testing.assert_allclose(np.sort(around(tilted * 100), 0), np.sort(turned, 0), atol=1e-3)
    assert np.ptp(in_box(0.5, 0.5), axis=0) == pytest.approx([0.45, 0.5], abs=0.01)
    assert in_a_crop().mean(0) == pytest.approx([0.5, 0.5])


def test_a_profile_is_no_line():
    side = FIVE.copy()
    side[:, 0] = 0.5 + (side[:, 0] - 0.5) * 0.1
    width, height = np.ptp(around(side * 100), axis=0)
    assert width > 0.6 * height


@pytest.mark.parametrize("points", [np.full((5, 2), 0.5), np.linspace(0, 1, 20).reshape(10, 2)])
def test_landmarks_that_enclose_nothing(points):
    with pytest.raises(ManifestError, match=r"a\.jpg: the landmarks lie on one line"):
        around(points.astype(np.float32), "a.jpg")


@pytest.mark.parametrize(
    "broken",
    [{"ratios": ()}, {"ratios": (0.0, 1.0)}, {"ratios": (1.5,)}, {"move": (2, 0)}, {"soften": (0.2, 0.1)},
     {"needs": "eyes"}, {"shift": -1}, {"strength": 1}],
)  # fmt: skip
def test_what_is_refused(broken):
    with pytest.raises(ValidationError):
        SelfBlend(**broken)
