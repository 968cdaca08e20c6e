import numpy as np
import pytest

from mesoscope.explain.findings import shown_input
from mesoscope.explain.palettes import GAP, SILENT, jet, sheet, standardised, viridis
from mesoscope.preprocess import Preprocess, to_input


def test_viridis_is_matplotlibs() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    published = np.asarray(matplotlib.colormaps["viridis"].colors) * 255
    assert np.abs(viridis() - published).max() < 1.5


def test_jet_goes_from_blue_by_green_to_red() -> None:
    low, middle, high = jet()[0].tolist(), jet()[127].tolist(), jet()[255].tolist()
    assert low[2] > low[0] == low[1]
    assert middle[1] == 255
    assert high[0] > high[1] == high[2]


def test_standardised_by_hand() -> None:
    levels, alive = standardised(np.array([[-1.0, 1.0]], np.float32))  # mean 0, deviation 1
    assert alive
    assert levels.tolist() == [[64, 191]]  # half way to either end
    far, _ = standardised(np.array([[0.0] * 99 + [1000.0]], np.float32))
    assert far.max() == 255


def test_scaling_a_channel_changes_nothing() -> None:
    plane = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    np.testing.assert_array_equal(standardised(plane)[0], standardised(1000 * plane + 5)[0])


def test_silent_channels_are_grey_and_counted() -> None:
    planes = np.stack([np.full((4, 4), 7.0), np.eye(4), np.zeros((4, 4))]).astype(np.float32)
    drawn, silent = sheet(planes, columns=2, side=8)
    assert silent == 2
    assert drawn.shape == (2 * 8 + GAP, 2 * 8 + GAP, 3)
    assert tuple(drawn[0, 0]) == SILENT
    assert tuple(drawn[0, -1]) != SILENT
    assert tuple(drawn[-1, -1]) == (255, 255, 255)  # no fourth channel


def test_cells_are_enlarged_without_smoothing() -> None:
    drawn, _ = sheet(np.eye(2, dtype=np.float32)[None], columns=1, side=10)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 2


def test_large_channels_keep_their_pixels() -> None:
    drawn, _ = sheet(np.random.default_rng(0).normal(size=(1, 50, 50)).astype(np.float32), columns=1, side=10)
    assert drawn.shape == (50, 50, 3)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_shown_input_is_what_went_in(order: str) -> None:
    spec = Preprocess(
        size=16,
        resize="bilinear",
        margin=0,
        channel_order=order,
        mean=[0.5, 0.4, 0.3],
        std=[0.2, 0.3, 0.4],
        min_face=1,
    )
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    np.testing.assert_array_equal(shown_input(to_input(pixels, spec), spec.mean, spec.std, order), pixels)
