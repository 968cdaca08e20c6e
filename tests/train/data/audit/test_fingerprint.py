"""Fingerprints: near for copies, far for others, and what `imagehash` itself computes."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from mesoscope_train.data.audit.fingerprint import FLAT, HASH_BYTES, LENGTH, fingerprint, mirrored
from mesoscope_train.data.audit.near_pairs import NEAR_DCT, alike, distances


def prints(pictures):
    return np.stack([np.frombuffer(fingerprint(np.asarray(picture)), np.uint8) for picture in pictures])


def resized(picture, factor, method=Image.Resampling.BICUBIC):
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), method)


def cropped(picture, share):
    x, y = round(picture.width * share), round(picture.height * share)
    return picture.crop((x, y, picture.width - x, picture.height - y))


COPIES = {
    "jpeg 40": lambda picture, resaved: resaved(picture, 40),
    "jpeg 95": lambda picture, resaved: resaved(picture, 95),
    "webp 50": lambda picture, resaved: resaved(picture, 50, "WEBP"),
    "half": lambda picture, _: resized(picture, 0.5),
    "double": lambda picture, _: resized(picture, 2.0),
    "half, jpeg 60": lambda picture, resaved: resaved(resized(picture, 0.5), 60),
    "brighter": lambda picture, _: ImageEnhance.Brightness(picture).enhance(1.15),
    "darker": lambda picture, _: ImageEnhance.Brightness(picture).enhance(0.8),
    "grey": lambda picture, _: picture.convert("L").convert("RGB"),
    "squeezed": lambda picture, _: picture.resize((150, 90)),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_near(name, tiles, resaved):
    copies = [COPIES[name](tile, resaved) for tile in tiles]
    assert alike(prints(tiles), prints(copies)).all()


def test_a_little_off_every_edge_is_near_as_a_rule(tiles):
    large = [resized(tile, 3) for tile in tiles]
    assert alike(prints(large), prints([cropped(picture, 0.02) for picture in large])).mean() > 0.8


def test_other_pictures_are_far(tiles, brute_distances):
    dct, _ = brute_distances(prints(tiles), prints(tiles))
    assert dct[np.triu_indices(len(tiles), 1)].min() > 1.5 * NEAR_DCT


def test_mirrored_fingerprints_are_those_of_mirrored_pictures(tiles):
    turned = prints([tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for tile in tiles])
    dct, gradient = distances(mirrored(prints(tiles)), turned)
    assert dct.max() <= 16
    assert gradient.max() == 0
    np.testing.assert_array_equal(mirrored(mirrored(turned)), turned)


def test_the_bits_are_those_of_imagehash(tiles):
    for tile in tiles[:5]:
        found = fingerprint(np.asarray(tile))
        assert len(found) == LENGTH
        assert found[:HASH_BYTES].hex() == str(imagehash.phash(tile, 16))
        assert found[HASH_BYTES:].hex() == str(imagehash.dhash_vertical(tile, 16))


def test_a_large_picture_is_reduced_without_harm(examples):
    picture = Image.open(examples / "portrait-photo-1.jpg").convert("RGB").resize((1100, 900))
    whole = np.frombuffer(bytes.fromhex(str(imagehash.phash(picture, 16))), np.uint8)
    found = np.frombuffer(fingerprint(np.asarray(picture)), np.uint8)[:HASH_BYTES]
    assert np.bitwise_count(whole ^ found).sum() <= 4


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_nothing_has_no_fingerprint(value):
    assert fingerprint(np.full((90, 120, 3), value, np.uint8)) == FLAT
    almost = np.full((90, 120, 3), value, np.uint8)
    almost[0, :3] = abs(value - 20)
    assert fingerprint(almost) == FLAT


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (8, 8)])
def test_tiny_and_thin_pictures_have_one(shape):
    ramp = np.linspace(0, 255, shape[0] * shape[1]).reshape(*shape, 1).repeat(3, axis=2).astype(np.uint8)
    assert len(fingerprint(ramp)) == LENGTH
