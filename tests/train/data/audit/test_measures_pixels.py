"""Sharpness, colour and spectrum against computations by hand and by other libraries."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from mesoscope_train.data.audit.measures.colour import colour_statistics
from mesoscope_train.data.audit.measures.schema import COLOURS, RINGS
from mesoscope_train.data.audit.measures.sharpness import (
    edge_ratio,
    gradient_energy,
    laplacian_variance,
    luminance,
    middle,
)
from mesoscope_train.data.audit.measures.spectrum import SMALLEST, radial_spectrum


@pytest.fixture
def pixels(portrait):
    """(90, 120, 3) uint8."""
    return np.asarray(Image.open(portrait).convert("RGB").resize((120, 90)))


def test_luminance_is_pillows_grey(pixels):
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float32)
    np.testing.assert_allclose(luminance(pixels), grey, atol=0.51)


def test_laplacian_by_hand():
    luma = np.zeros((4, 3), np.float32)
    luma[1, 1] = 2  # its Laplacian is -8, that of the pixel below 2: their variance is 25
    assert laplacian_variance(luma) == 25


def test_laplacian_is_scipys(pixels):
    luma = luminance(pixels)
    assert laplacian_variance(luma) == pytest.approx(ndimage.laplace(luma)[1:-1, 1:-1].var(), rel=1e-4)


def test_gradient_by_hand():
    luma = np.array([[0, 3, 3], [4, 3, 3], [9, 9, 9]], np.float32)
    # the four pixels with a right and a lower neighbour: 9 + 16, 0 + 0, 1 + 25, 0 + 36
    assert gradient_energy(luma) == (25 + 0 + 26 + 36) / 4


def test_a_blurred_border_lowers_the_edge_ratio(pixels):
    luma = luminance(pixels)
    blurred = ndimage.gaussian_filter(luma, 3)
    blurred[22:68, 30:90] = luma[22:68, 30:90]
    assert edge_ratio(blurred) < edge_ratio(luma) - 0.3
    assert edge_ratio(np.full((20, 20), 7, np.float32)) == 0


@pytest.mark.parametrize(
    ("measure", "least"),
    [(laplacian_variance, 3), (gradient_energy, 2), (edge_ratio, 8), (radial_spectrum, SMALLEST)],
)
def test_too_small_is_no_number(measure, least):
    assert measure(np.zeros((least - 1, 200), np.float32)) is None
    assert measure(np.zeros((least, 200), np.float32)) is not None


def test_the_middle_is_in_the_middle():
    grid = np.arange(35).reshape(5, 7)
    assert middle(grid, 3).tolist() == [[9, 10, 11], [16, 17, 18], [23, 24, 25]]
    assert middle(grid, 100) is not None
    assert middle(grid, 100).shape == (5, 7)


def test_colours_by_colorsys(pixels):
    found = colour_statistics(pixels)
    saturations = [colorsys.rgb_to_hsv(*(pixel / 255))[1] for pixel in pixels.reshape(-1, 3)]
    assert found["saturation_mean"] == pytest.approx(np.mean(saturations), abs=1e-4)
    assert found["saturation_spread"] == pytest.approx(np.std(saturations), abs=1e-4)
    assert found["green_mean"] == pytest.approx(pixels[..., 1].mean(), abs=1e-3)
    assert found["blue_spread"] == pytest.approx(pixels[..., 2].std(), abs=1e-3)
    assert set(found) == set(COLOURS)


def test_shares_by_hand():
    row = [(0, 0, 0), (255, 255, 255), (100, 108, 104), (100, 109, 104)]
    found = colour_statistics(np.array([row], np.uint8))
    assert (found["grey_share"], found["dark_share"], found["bright_share"]) == (0.75, 0.25, 0.25)


@pytest.mark.parametrize("shape", [(64, 64), (33, 48), (48, 33)])
def test_spectrum_is_the_mean_of_the_whole_transform_in_rings(pixels, shape):
    luma = luminance(pixels)[: shape[0], : shape[1]]
    window = np.outer(np.hanning(shape[0] + 2)[1:-1], np.hanning(shape[1] + 2)[1:-1])
    power = np.abs(np.fft.fft2((luma.astype(np.float64) - luma.mean()) * window)) ** 2 / (window**2).sum()
    rings = [[] for _ in range(RINGS)]
    for down in range(shape[0]):
        for across in range(shape[1]):
            radius = np.hypot(np.fft.fftfreq(shape[0])[down], np.fft.fftfreq(shape[1])[across])
            if 0 < radius <= 0.5:
                rings[min(int(radius * 2 * RINGS), RINGS - 1)].append(power[down, across])
    expected = np.log10([np.mean(ring) + 1e-3 for ring in rings])
    np.testing.assert_allclose(radial_spectrum(luma), expected, atol=1e-3)


def test_white_noise_has_its_variance_in_every_ring():
    """The one place for noise: its spectrum is known."""
    noise = np.random.default_rng(0).normal(128, 20, (256, 256)).astype(np.float32)
    np.testing.assert_allclose(radial_spectrum(noise), np.log10(400), atol=0.2)


def test_enlarged_pictures_lack_fine_detail(portrait):
    image = Image.open(portrait).convert("RGB")
    small = image.resize((128, 128))
    stored = radial_spectrum(luminance(np.asarray(image.resize((256, 256)))))
    enlarged = radial_spectrum(luminance(np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC))))
    assert enlarged[-1] < stored[-1] - 0.5
    assert abs(enlarged[0] - stored[0]) < 0.1
