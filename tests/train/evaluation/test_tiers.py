"""Degrees of degradation: what the issue says, from independent encoders, and the same bytes every time."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.tiers import SWEEPS, TIERS, chosen_tiers


def through(pixels, *steps):
    """Pillow by hand: an int shrinks the longest side, a pair encodes and decodes."""
    image = Image.fromarray(pixels)
    for step in steps:
        if isinstance(step, int):
            if max(image.size) > step:
                factor = step / max(image.size)
                image = image.resize(tuple(round(side * factor) for side in image.size), Image.Resampling.BICUBIC)
        else:
            buffer = io.BytesIO()
            image.save(buffer, step[0], quality=step[1])
            image = Image.open(buffer).convert("RGB")
    return np.asarray(image)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("web", (768, ("JPEG", 60))),
        ("hard", (512, ("JPEG", 40))),
        ("messenger", (640, ("JPEG", 55), ("WEBP", 75), ("JPEG", 80))),
    ],
)
@pytest.mark.parametrize("size", [(90, 120), (600, 900)])
def test_tiers_do_what_the_issue_says(noise_picture, name, steps, size) -> None:
    pixels = np.asarray(Image.fromarray(noise_picture).resize(size[::-1]))
    np.testing.assert_array_equal(TIERS[name].change(pixels, "a.png"), through(pixels, *steps))


def test_small_pictures_are_not_enlarged(noise_picture) -> None:
    assert {tier.change(noise_picture, "").shape for tier in TIERS.values()} == {(90, 120, 3)}


def test_sweeps_do_what_they_say(noise_picture) -> None:
    changed = {tier.name: tier.change(noise_picture, "a") for tier in chosen_tiers(sweeps=list(SWEEPS))}
    np.testing.assert_array_equal(changed["jpeg-30"], through(noise_picture, ("JPEG", 30)))
    assert changed["scale-0.5"].shape == (45, 60, 3)
    blurred = ndimage.gaussian_filter(noise_picture.astype(np.float64), (2, 2, 0), mode="mirror")
    assert np.abs(changed["blur-2"] - blurred).max() <= 0.51
    added = changed["noise-8"].astype(float) - noise_picture
    inside = (noise_picture > 40) & (noise_picture < 215)
    assert added[inside].std() == pytest.approx(8, rel=0.05)


def test_every_degree_gives_the_same_bytes_again(noise_picture) -> None:
    before = noise_picture.copy()
    for tier in chosen_tiers(list(TIERS), list(SWEEPS)):
        np.testing.assert_array_equal(tier.change(noise_picture, "a"), tier.change(noise_picture, "a"))
        np.testing.assert_array_equal(noise_picture, before)


def test_noise_is_another_one_for_another_picture(noise_picture) -> None:
    noise = next(tier for tier in chosen_tiers(sweeps=["noise"]) if tier.name == "noise-8")
    assert (noise.change(noise_picture, "a") != noise.change(noise_picture, "b")).any()


def test_clean_comes_first_and_the_order_is_that_of_the_tables() -> None:
    names = [tier.name for tier in chosen_tiers(["messenger", "web"], ["scale", "jpeg"])]
    assert names[:3] == ["clean", "web", "messenger"]
    assert names[3:11] == [f"jpeg-{quality}" for quality in (95, 90, 80, 70, 60, 50, 40, 30)]
    assert names[11:] == ["scale-0.75", "scale-0.5", "scale-0.35", "scale-0.25"]
    facts = chosen_tiers(sweeps=["jpeg"])[-1].facts
    assert (facts.operation, facts.level) == ("jpeg", 30)


@pytest.mark.parametrize("asked", [{"tiers": ["webb"]}, {"sweeps": ["gif"]}])
def test_unknown_names_are_refused_with_those_there_are(asked) -> None:
    with pytest.raises(UsageError, match=r"there is none of that name; there are .*(messenger|noise)"):
        chosen_tiers(**asked)
