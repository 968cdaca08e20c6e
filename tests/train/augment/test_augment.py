"""Every operation on a real picture: what it changes, what it keeps, and what it refuses."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError

torch = pytest.importorskip("torch", reason="the reference for blur is torchvision")

from mesoscope_train.augment import (  # noqa: E402
    Blur,
    Colour,
    Flip,
    Jpeg,
    Messenger,
    Noise,
    OneOf,
    Operation,
    Resample,
    Rotate,
    Scale,
    Shift,
    WebP,
    Window,
    augmented,
)
from mesoscope_train.augment.colour import hue_rotation  # noqa: E402

KINDS = [Flip(), Rotate(), Scale(), Shift(), Window(), Colour(brightness=0.1, hue=0.1), Blur(), Noise(), Resample()]
KINDS += [Jpeg(), WebP(), Messenger(longest=(32, 48)), OneOf(of=(Jpeg(), Blur()))]


@pytest.fixture(scope="module")
def face(portrait):
    return np.asarray(Image.open(portrait).convert("RGB").resize((96, 96)))


def chance(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("step", KINDS, ids=lambda step: step.kind)
def test_pixels_stay_pixels_and_chance_can_be_repeated(step, face):
    before = face.copy()
    outputs = [step.apply(face, chance(seed)) for seed in range(8)]
    assert np.array_equal(face, before), "never in place"
    for pixels in outputs:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
    assert np.array_equal(outputs[3], step.apply(face, chance(3)))
    assert any(not np.array_equal(outputs[0], other) for other in outputs[1:]), "chance must make a difference"


@pytest.mark.parametrize("step", KINDS, ids=lambda step: step.kind)
def test_never_means_never(step, face):
    assert step.model_copy(update={"p": 0.0})(face, chance()) is face


@pytest.mark.parametrize("step", KINDS, ids=lambda step: step.kind)
def test_yaml_and_back(step):
    plain = step.model_dump(mode="json")
    assert TypeAdapter(Operation).validate_python(plain) == step


def test_flips(face):
    assert np.array_equal(Flip(left_right=1).apply(face, chance()), face[:, ::-1])
    assert np.array_equal(Flip(left_right=0, up_down=1).apply(face, chance()), face[::-1])


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_quarter_turns_lose_nothing(face, angle, turns):
    assert np.array_equal(Rotate(angles=(angle,)).apply(face, chance()), np.rot90(face, turns))


def test_free_rotation_keeps_the_size_and_the_middle(face):
    turned = Rotate(angles=(45,)).apply(face, chance())
    assert turned.shape == face.shape
    back = Rotate(angles=(-45,)).apply(turned, chance())
    middle = np.s_[36:60, 36:60]
    there, gone = (np.abs(other[middle].astype(int) - face[middle]).mean() for other in (back, turned))
    assert there < gone / 3


@pytest.mark.parametrize("angle", [30, -70, 135])
def test_free_rotation_agrees_with_pillow(face, angle):
    ours = Rotate(angles=(angle,)).apply(face, chance()).astype(int)
    theirs = np.asarray(Image.fromarray(face).rotate(angle, Image.Resampling.BILINEAR)).astype(int)
    middle = np.s_[20:76, 20:76]  # all of it lies inside the picture before and after
    assert np.abs(ours[middle] - theirs[middle]).max() <= 1


def test_scaling(face):
    enlarged = Scale(factor=(1.5, 1.5)).apply(face, chance())
    wanted = np.asarray(Image.fromarray(face[16:80, 16:80]).resize((96, 96), Image.Resampling.BILINEAR))
    assert np.array_equal(enlarged, wanted)
    shrunk = Scale(factor=(0.5, 0.5)).apply(face, chance())
    assert shrunk.shape == face.shape
    assert np.abs(shrunk[24:72, 24:72].astype(int) - np.asarray(Image.fromarray(face).resize((48, 48)))).mean() < 6


def test_shift_moves_whole_pixels(face):
    step = Shift(share=0.25)
    moved = step.apply(face, chance(4))
    right, down = (chance(4).uniform(-0.25, 0.25, 2) * 96).round().astype(int)
    ys, xs = slice(max(0, down), 96 + min(0, down)), slice(max(0, right), 96 + min(0, right))
    from_ys, from_xs = slice(max(0, -down), 96 + min(0, -down)), slice(max(0, -right), 96 + min(0, -right))
    assert (right, down) != (0, 0)
    assert np.array_equal(moved[ys, xs], face[from_ys, from_xs])


def test_windows_are_parts_of_the_picture(face):
    part = Window(side=(0.5, 0.5)).apply(face, chance())
    assert part.shape == (48, 48, 3)
    views = np.lib.stride_tricks.sliding_window_view(face, part.shape)
    assert (views == part).all((-1, -2, -3)).any()


def test_colour_by_hand(face):
    grey = np.full((2, 2, 3), 100, np.uint8)
    seed = 5
    plus = chance(seed).uniform(-0.2, 0.2) * 255
    assert Colour(brightness=0.2).apply(grey, chance(seed))[0, 0, 0] == pytest.approx(100 + plus, abs=1)
    unsaturated = Colour(saturation=1.0)
    spread = [np.ptp(unsaturated.apply(face, chance(seed)).astype(int), axis=2).mean() for seed in range(6)]
    assert min(spread) < np.ptp(face.astype(int), axis=2).mean() < max(spread)


def test_hue_turns_around_grey_and_keeps_luminance(face):
    third = hue_rotation(1 / 3) @ hue_rotation(1 / 3) @ hue_rotation(1 / 3)
    assert third == pytest.approx(np.eye(3), abs=0.01), "three thirds are a whole turn (the W3C rounds its numbers)"
    assert hue_rotation(0.1) @ [100, 100, 100] == pytest.approx([100, 100, 100])
    luminance = np.array([0.213, 0.715, 0.072])
    calm = (face.astype(np.float32) * 0.3 + 90).astype(np.uint8)
    turned = Colour(hue=0.1).apply(calm, chance(2))
    assert (turned @ luminance).mean() == pytest.approx((calm @ luminance).mean(), abs=1)
    assert np.abs(turned.astype(int) - calm).mean() > 1


@pytest.mark.parametrize("kernel", [3, 9, 15])
def test_blur_agrees_with_torchvision(face, kernel):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    ours = Blur(kernels=(kernel,)).apply(face, chance())
    theirs = functional.gaussian_blur(torch.from_numpy(face.transpose(2, 0, 1).copy()), [kernel, kernel])
    assert np.abs(ours.astype(int) - theirs.numpy().transpose(1, 2, 0)).max() <= 1


def test_noise_has_its_deviation(face):
    grey = np.full((64, 64, 3), 128, np.uint8)
    assert Noise(deviation=(5, 5)).apply(grey, chance()).std() == pytest.approx(5, rel=0.05)


def test_jpeg_is_pillows(face):
    buffer = io.BytesIO()
    Image.fromarray(face).save(buffer, "JPEG", quality=60)
    assert np.array_equal(Jpeg(quality=(60, 60)).apply(face, chance()), np.asarray(Image.open(buffer)))


def test_resampling_loses_detail_but_not_size(face):
    small = Resample(share=(0.25, 0.25)).apply(face, chance())
    assert small.shape == face.shape
    assert small.astype(int).std() < face.astype(int).std()
    assert Resample(share=(0.25, 0.25), back=False).apply(face, chance()).shape == (24, 24, 3)


@pytest.mark.parametrize("order", ["random", "shrink-first"])
def test_messenger_shrinks_large_pictures_only(face, order):
    for seed in range(4):
        assert max(Messenger(longest=(48, 48), order=order).apply(face, chance(seed)).shape) == 48
        assert Messenger(longest=(500, 500), order=order).apply(face, chance(seed)).shape == face.shape


@pytest.mark.parametrize("order", ["random", "shrink-first"])
def test_messenger_links_come_in_any_order_and_strength(face, order, monkeypatch):
    """What was called, and with what: the places of the shrinking, the formats and the qualities."""
    from mesoscope_train.augment import compression

    chains = []
    recompress, shrink = compression.recompressed, compression.resized
    monkeypatch.setattr(
        compression,
        "recompressed",
        lambda pixels, format, quality, **how: (
            chains[-1].append((format, quality, how["halved"])) or recompress(pixels, format, quality, **how)
        ),
    )
    monkeypatch.setattr(
        compression, "resized", lambda *given: chains[-1].append(("SHRINK", given[3])) or shrink(*given)
    )
    step = Messenger(longest=(32, 64), rounds=(2, 3), quality=(50, 90), order=order)
    for seed in range(40):
        chains.append([])
        step.apply(face, chance(seed))
    places = {[link[0] for link in chain].index("SHRINK") for chain in chains}
    assert places == ({0, 1, 2, 3} if order == "random" else {0})
    assert {len(chain) for chain in chains} == {3, 4}
    kinds = {tuple(link[0] for link in chain if link[0] != "SHRINK") for chain in chains}
    assert {("JPEG", "WEBP", "JPEG"), ("WEBP", "JPEG"), ("JPEG", "JPEG")} <= kinds
    assert len({link[1] for chain in chains for link in chain if link[0] == "SHRINK"}) == 4
    qualities = [link[1] for chain in chains for link in chain if link[0] != "SHRINK"]
    assert 50 <= min(qualities) < 56 and 84 < max(qualities) <= 90
    assert {link[2] for chain in chains for link in chain if link[0] == "JPEG"} == {True, False}


def test_a_chain_is_alike_for_both_of_a_pair(face):
    """The same chance, another picture of the same size: the same links in the same strength."""
    other = np.ascontiguousarray(face[::-1, ::-1])
    step = Messenger(longest=(40, 90), rounds=(3, 3))
    for seed in range(5):
        one, two = step(face, chance(seed)), step(other, chance(seed))
        assert one.shape == two.shape
    grey = np.full_like(face, 90)
    states = []
    for pixels in (face, grey):
        random = chance(1)
        step(pixels, random)
        states.append(random.bit_generator.state)
    assert states[0] == states[1], "what is drawn does not depend on the picture"


def test_order_is_kept(face):
    steps = (Window(side=(0.5, 0.5)), Jpeg(quality=(50, 50)))
    random = chance()
    wanted = steps[1](steps[0](face, random), random)
    assert np.array_equal(augmented(face, steps, chance()), wanted)
    assert augmented(face, (), chance()) is face


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "jpeg", "quality": [0, 50]},
        {"kind": "jpeg", "quality": [90, 40]},
        {"kind": "webp", "quality": [50, 101]},
        {"kind": "messenger", "rounds": [3, 2]},
        {"kind": "messenger", "rounds": [-1, 2]},
        {"kind": "messenger", "order": "shrink-last"},
        {"kind": "blur", "kernels": [4]},
        {"kind": "blur", "kernels": []},
        {"kind": "colour", "hue": 0.6},
        {"kind": "flip", "left_right": 1.5},
        {"kind": "flip", "upside": 1},
        {"kind": "one-of", "of": [{"kind": "jpeg"}]},
        {"kind": "sharpen"},
    ],
)
def test_what_is_refused(broken):
    with pytest.raises(ValidationError):
        TypeAdapter(Operation).validate_python(broken)
