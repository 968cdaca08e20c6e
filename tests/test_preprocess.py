"""Cropping and resizing, against plain indexing and torch's own interpolation."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from mesoscope.preprocess import Preprocess, crop, square_around, stack, to_batch, to_input
from mesoscope.types import Box

SPEC = {"size": 64, "resize": "nearest", "margin": 0.0, "channel_order": "rgb"}
SPEC |= {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "min_face": 1}


def spec(**changes: object) -> Preprocess:
    return Preprocess.model_validate(SPEC | changes)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_square_keeps_the_centre_and_takes_the_longer_side() -> None:
    square = square_around(Box(10, 20, 30, 60), margin=0.5)
    assert square == Box(20 - 30, 40 - 30, 20 + 30, 40 + 30)


def test_crop_equals_clamped_indexing_everywhere() -> None:
    pixels = noise(20, 30)
    random = np.random.default_rng(1)
    for _ in range(500):
        left, top = random.uniform(-40, 40, 2)
        width, height = random.uniform(0.3, 50, 2)
        box = Box(left, top, left + width, top + height)
        columns = np.clip(np.arange(round(left), round(left) + max(1, round(box.width))), 0, 29)
        rows = np.clip(np.arange(round(top), round(top) + max(1, round(box.height))), 0, 19)
        assert np.array_equal(crop(pixels, box), pixels[rows[:, None], columns[None, :]])


def test_crop_does_not_share_memory_beyond_what_it_returns() -> None:
    assert crop(noise(20, 30), Box(2, 2, 8, 8)).flags["C_CONTIGUOUS"]


def test_same_size_is_scaled_and_normalised_only() -> None:
    pixels = noise(64, 64)
    got = to_input(pixels, spec(mean=[0.5, 0.4, 0.3], std=[0.25, 0.5, 0.1]))
    want = (pixels / 255 - [0.5, 0.4, 0.3]) / [0.25, 0.5, 0.1]
    np.testing.assert_allclose(got, want.transpose(2, 0, 1), atol=1e-5)
    assert got.dtype == np.float32


def test_bgr_turns_the_planes_round() -> None:
    pixels = noise(64, 64)
    np.testing.assert_array_equal(to_input(pixels, spec(channel_order="bgr")), to_input(pixels, spec())[::-1])


@pytest.mark.parametrize(("filter_", "mode"), [("bilinear", "bilinear"), ("bicubic", "bicubic")])
def test_shrinking_averages_as_torch_does_with_antialias(filter_: str, mode: str) -> None:
    pixels = 64 + noise(150, 150) // 2  # far from black and white, where Pillow clips between its two passes
    got = to_input(pixels, spec(resize=filter_))
    source = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    want = F.interpolate(source.float(), (64, 64), mode=mode, antialias=True, align_corners=False).clamp(0, 255)
    # and rounds to 8 bit there
    np.testing.assert_allclose(got * 255, want[0].numpy(), atol=1.6)


def test_nearest_takes_pixel_centres_as_the_published_mesonet_pipeline() -> None:
    pixels = noise(150, 150)
    at = ((np.arange(64) + 0.5) * 150 / 64).astype(int)
    want = pixels[at[:, None], at[None, :]].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(to_input(pixels, spec()), want, atol=1e-6)


def test_batches_of_any_length() -> None:
    assert to_batch([], spec()).shape == (0, 3, 64, 64)
    assert to_batch([noise(70, 80), noise(64, 64)], spec()).shape == (2, 3, 64, 64)
    assert stack([], spec()).dtype == np.float32


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 8},
        {"size": 64.0},
        {"resize": "magic"},
        {"margin": -0.1},
        {"channel_order": "gbr"},
        {"mean": [0.5, 0.5]},
        {"std": [0.5, 0.5, 0.0]},
        {"min_face": 0},
        {"unknown": 1},
    ],
)
def test_a_wrong_contract_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        spec(**wrong)
