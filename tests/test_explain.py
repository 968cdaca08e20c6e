from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.explain import (
    OUTCOME_COLOURS,
    Mark,
    blend_maps,
    caption,
    colourise,
    draw_marks,
    measure,
    outline,
    overlay,
    with_legend,
)
from mesoscope.explain.colours import FAINT_OPACITY, OPACITY
from mesoscope.explain.marks import label_size, place_labels
from mesoscope.explain.overlay import upsample
from mesoscope.types import Box, JudgedFace, Outcome

FLOOR = 0.001
WHOLE = Box(0, 0, 64, 64)


def grey(side: int = 64) -> np.ndarray:
    return np.full((side, side, 3), 128, np.uint8)


def face(values: np.ndarray | None, square: Box = WHOLE, **changes: object) -> JudgedFace:
    settings = {"title": "face 1", "box": square, "outcome": Outcome.FAKE, "probability": 0.9} | changes
    return JudgedFace(square=square, map=values, **settings)


def lightness(rgb: np.ndarray) -> np.ndarray:
    """CIE L*, from its definition: not the space in which the colours are made."""
    encoded = rgb.astype(float) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_positive_is_warm_negative_is_cool_and_zero_is_transparent() -> None:
    fake, nothing, real = colourise(np.array([[1, 0, -1]], np.float32), 1.0)[0].astype(int)
    assert fake[0] > fake[2] + 60
    assert real[2] > real[0] + 60
    assert nothing[3] == 0
    assert fake[3] == real[3] == round(255 * OPACITY)


def test_strength_grows_evenly_and_alike_on_both_sides() -> None:
    values = np.linspace(-1, 1, 255, dtype=np.float32)[None]
    rgba = colourise(values, 1.0)[0].astype(int)
    assert (np.diff(rgba[127:, 3]) >= 0).all()
    assert np.array_equal(rgba[:, 3], rgba[::-1, 3])
    on_white = 255 + (rgba[:, :3] - 255) * rgba[:, 3:] / 255
    steps = np.diff(lightness(on_white)[127:])
    assert (steps < 0.05).all()  # never lighter again, rounding aside
    assert np.abs(lightness(on_white) - lightness(on_white)[::-1]).max() < 5


@pytest.mark.parametrize("missing", ["protan", "deutan"])
def test_the_ends_stay_apart_for_the_colour_blind(missing: str) -> None:
    # Viénot, Brettel, Mollon 1999: the plane of colours that a dichromat sees, in linear RGB
    seen = {
        "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    }[missing]
    ends = colourise(np.array([[1, -1]], np.float32), 1.0)[0, :, :3] / 255
    fake, real = (ends**2.2) @ np.array(seen).T
    assert np.abs(fake - real).max() > 0.25


def test_values_beyond_the_limit_saturate() -> None:
    colours = colourise(np.array([[1, 7, -7]], np.float32), 1.0)[0]
    assert np.array_equal(colours[0], colours[1])
    assert np.array_equal(colours[2], colourise(np.array([[-1]], np.float32), 1.0)[0, 0])


def test_a_map_of_nothing_leaves_the_picture_as_it_is(portrait: Path) -> None:
    pixels = np.asarray(Image.open(portrait).convert("RGB"))
    square = Box(100, 100, 400, 400)
    noise = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32) * 1e-6
    drawn = overlay(pixels, [face(noise, square)], 1.0, FLOOR, labels=False)
    assert np.abs(drawn.astype(int) - pixels).max() <= 1


def test_below_the_floor_a_map_is_faint_and_without_outlines() -> None:
    values = np.zeros((8, 8), np.float32)
    values[2:6, 2:6] = FLOOR * 0.99
    below = overlay(grey(), [face(values)], 1.0, FLOOR, labels=False)
    above = overlay(grey(), [face(values * 1.1)], 1.0, FLOOR, labels=False)
    change = np.abs(below.astype(int) - 128).max(), np.abs(above.astype(int) - 128)[24:40, 24:40].max()
    assert change[0] < change[1] * (FAINT_OPACITY / OPACITY) * 1.2
    assert (above == 255).all(axis=2).any()
    assert not (below == 255).all(axis=2).any()


def test_the_scale_never_stretches_below_the_floor() -> None:
    scale = measure([np.array([[-0.0001, 0.0004]], np.float32)], FLOOR)
    assert scale is not None
    assert scale.limit == FLOOR
    assert not scale.localised
    assert "no localised evidence (peak 0.0004, floor 0.001)" in caption(scale)


def test_the_scale_is_the_real_range_over_all_maps() -> None:
    maps = [np.array([[-0.02, 0.01]], np.float32), None, np.array([[0.03]], np.float32)]
    scale = measure(maps, FLOOR)
    assert scale is not None
    assert (scale.low, scale.high, scale.limit) == pytest.approx((-0.02, 0.03, 0.03))
    assert caption(scale) == "map from -0.02 to +0.03 logit units per cell (floor 0.001)"


def test_no_map_no_scale() -> None:
    assert measure([None], FLOOR) is None
    assert caption(None) == "no map for this picture"


@pytest.mark.parametrize("floor", [0.0, -1.0, float("nan")])
def test_a_floor_that_is_none_is_refused(floor: float) -> None:
    with pytest.raises(ValueError, match="floor must be above 0"):
        measure([], floor)


@pytest.mark.parametrize("values", [np.zeros((0, 4), np.float32), np.array([[np.nan]], np.float32)])
def test_a_map_that_is_none_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="empty or holds a value"):
        measure([values], FLOOR)


def test_a_hot_cell_colours_its_own_place_in_the_square() -> None:
    values = np.zeros((4, 4), np.float32)
    values[3, 0] = 0.05
    drawn = overlay(grey(100), [face(values, Box(20, 20, 60, 60))], 1.0, FLOOR, labels=False)
    changed = (drawn != 128).any(axis=2)
    assert changed[50:60, 20:30].all()
    assert not changed[:30].any()
    assert not changed[:, :20].any()
    assert not changed[:, 60:].any()
    assert not changed[60:].any()


def test_boxes_are_in_pixels_of_the_original() -> None:
    values = np.full((4, 4), 0.05, np.float32)
    drawn = overlay(grey(50), [face(values, Box(40, 40, 80, 80))], 0.5, FLOOR, labels=False)
    changed = (drawn != 128).any(axis=2)
    assert changed[20:40, 20:40].all()
    assert changed.sum() == 400


def test_a_square_over_the_edge_shows_the_part_inside() -> None:
    values = np.zeros((2, 2), np.float32)
    values[:, 1] = 0.05
    beyond = Box(-64, 0, 64, 64)
    inside = blend_maps(grey(), [(beyond, values)], measure([values], FLOOR))
    assert (inside[:, 40:] != 128).any(axis=2).all()
    wholly_outside = blend_maps(grey(), [(Box(70, 70, 90, 90), values)], measure([values], FLOOR))
    assert np.array_equal(wholly_outside, grey())


def test_a_part_of_an_area_is_upsampled_as_in_the_whole() -> None:
    values = np.random.default_rng(1).normal(size=(8, 8)).astype(np.float32)
    area = Box(0, 0, 80, 80)
    whole = upsample(values, area, (0, 0, 80, 80))
    part = upsample(values, area, (20, 30, 60, 80))
    assert np.allclose(part, whole[30:80, 20:60], atol=0.02)
    assert whole.min() >= values.min()
    assert whole.max() <= values.max()


def test_where_two_maps_overlap_the_stronger_is_shown() -> None:
    weak, strong = np.full((2, 2), -0.01, np.float32), np.full((2, 2), 0.05, np.float32)
    scale = measure([weak, strong], FLOOR)
    alone = blend_maps(grey(), [(WHOLE, strong)], scale)
    for maps in ([(WHOLE, weak), (WHOLE, strong)], [(WHOLE, strong), (WHOLE, weak)]):
        assert np.array_equal(blend_maps(grey(), maps, scale), alone)


def test_outlines_tell_fake_from_real_without_colour() -> None:
    values = np.zeros((8, 8), np.float32)
    values[2:6, 2:6] = 0.05
    fake, real = (overlay(grey(), [face(sign * values)], 1.0, FLOOR, labels=False) for sign in (1, -1))
    solid, dotted = ((drawn == 255).all(axis=2) for drawn in (fake, real))
    assert solid.sum() > 80
    assert 0.3 < dotted.sum() / solid.sum() < 0.7
    assert not (dotted & ~solid).any()


def test_the_input_is_left_alone() -> None:
    pixels = grey()
    pixels.setflags(write=False)
    values = np.full((2, 2), 0.1, np.float32)
    for drawn in (
        overlay(pixels, [face(values)], 1.0, FLOOR),
        outline(pixels, [face(None)], 1.0),
        draw_marks(pixels, []),
    ):
        assert drawn is not pixels
        assert drawn.shape == pixels.shape
    assert (pixels == 128).all()


def marks(boxes: list[Box]) -> list[Mark]:
    colour = OUTCOME_COLOURS[Outcome.INCONCLUSIVE]
    return [
        Mark(box, colour, (f"face {n} · inconclusive 0.55", f"{n} · inconclusive 0.55", f"{n} · 0.55"))
        for n, box in enumerate(boxes, start=1)
    ]


@pytest.mark.parametrize(
    ("width", "height", "boxes"),
    [
        (200, 200, [Box(20, 20, 180, 190)]),
        (200, 200, [Box(0, 0, 200, 200)]),
        (4000, 3000, [Box(300 * n + 40, 1400, 300 * n + 290, 1700) for n in range(12)]),
        (800, 400, [Box(150 * n + 10, 120, 150 * n + 140, 260) for n in range(5)]),
        (600, 460, [Box(60 * n, 150 + 20 * (n % 2), 60 * n + 90, 250 + 20 * (n % 2)) for n in range(8)]),
    ],
)
def test_labels_stay_inside_and_apart(width: int, height: int, boxes: list[Box]) -> None:
    labels = [label.area for label in place_labels(marks(boxes), width, height, label_size(width, height), 2)]
    assert len(labels) == len(boxes)
    for label in labels:
        assert label.left >= 0
        assert label.top >= 0
        assert label.right <= width
        assert label.bottom <= height
    assert all(one.iou(other) == 0 for n, one in enumerate(labels) for other in labels[:n])


def test_letters_are_readable_on_crops_and_in_proportion_on_photos() -> None:
    assert label_size(200, 200) >= 11
    assert label_size(4000, 3000) >= 80
    assert label_size(20_000, 20_000) <= 96


@pytest.mark.parametrize("side", [1, 8, 16])
def test_pictures_smaller_than_a_label_can_be_marked(side: int) -> None:
    assert draw_marks(grey(side), marks([Box(0, 0, side, side)])).shape == (side, side, 3)


def test_a_face_far_outside_the_picture_does_no_harm() -> None:
    assert draw_marks(grey(), marks([Box(-500, -500, -400, -400)])).shape == (64, 64, 3)


def test_boxes_take_the_colour_of_the_outcome() -> None:
    pixels = grey(400)
    seen = {}
    for outcome, colour in OUTCOME_COLOURS.items():
        probability = None if outcome in (Outcome.NOT_APPLICABLE, Outcome.ERROR) else 0.5
        drawn = outline(pixels, [face(None, Box(150, 150, 250, 250), outcome=outcome, probability=probability)], 1.0)
        wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert (drawn == wanted).all(axis=2).sum() > 300
        seen[outcome] = drawn.tobytes()
    assert len(set(seen.values())) == len(OUTCOME_COLOURS)


@pytest.mark.parametrize("width", [40, 200, 1000])
def test_a_legend_goes_below_the_picture_and_changes_nothing_in_it(width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (60, width, 3), np.uint8)
    drawn = with_legend(pixels, measure([np.array([[0.1]], np.float32)], FLOOR), "bundle " + "x" * 400)
    left = (drawn.shape[1] - width) // 2
    assert drawn.shape[1] == max(320, width)
    assert np.array_equal(drawn[:60, left : left + width], pixels)
    assert (drawn[60:] != 255).any()
    without = with_legend(pixels, None, "bundle")
    assert 60 < without.shape[0] < drawn.shape[0]
