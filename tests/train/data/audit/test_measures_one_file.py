"""All measurements of one file: pictures, videos, what is turned, what is tiny, what is broken."""

from __future__ import annotations

import hashlib

import av
import numpy as np
import pytest
from PIL import Image

from mesoscope_train.data.audit.fingerprint import fingerprint
from mesoscope_train.data.audit.measures.one_file import measure_file, pixel_hash
from mesoscope_train.data.audit.measures.schema import SCHEMA

ON_DISK = {"path", "size_bytes", "mtime_ns"}
OF_JPEG = {"jpeg_quality", "jpeg_tables", "jpeg_subsampling", "jpeg_progressive"}
OF_VIDEO = {"frame_rate", "duration", "frames"}


def test_a_jpeg_has_everything(portrait):
    found = measure_file(portrait)
    pixels = np.asarray(Image.open(portrait).convert("RGB"))
    assert set(found) == set(SCHEMA.names) - ON_DISK - OF_VIDEO - {"error"}
    assert (found["kind"], found["format"], found["width"], found["height"]) == ("picture", "jpeg", 512, 512)
    expected = hashlib.sha256(b"(512, 512, 3)" + pixels.tobytes()).digest()[:16]
    assert found["pixels"] == expected
    assert found["fingerprint"] == fingerprint(pixels)
    assert all(value is not None for value in found.values())


@pytest.mark.parametrize(("suffix", "name"), [("png", "png"), ("bmp", "bmp"), ("tif", "tiff")])
def test_format_is_by_content_and_pixels_do_not_depend_on_it(portrait, tmp_path, suffix, name):
    image = Image.open(portrait).convert("RGB").resize((60, 40))
    file = tmp_path / "called.jpg"
    image.save(file, format={"tif": "TIFF"}.get(suffix, suffix.upper()))
    found = measure_file(file)
    assert found["format"] == name
    assert found["pixels"] == pixel_hash(np.asarray(image))
    assert not OF_JPEG & set(found)


def test_size_is_of_the_upright_picture(portrait, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(portrait).resize((60, 40)).save(tmp_path / "turned.jpg", exif=exif)
    found = measure_file(tmp_path / "turned.jpg")
    assert (found["width"], found["height"]) == (40, 60)


def test_shape_belongs_to_the_pixels():
    row = np.zeros((1, 4, 3), np.uint8)
    assert pixel_hash(row) != pixel_hash(row.reshape(4, 1, 3))


def test_a_view_has_the_hash_of_its_copy(portrait):
    pixels = np.asarray(Image.open(portrait).convert("RGB"))
    assert pixel_hash(pixels[::2, ::-1]) == pixel_hash(pixels[::2, ::-1].copy())


def test_a_video_is_measured_by_its_first_frame(clip):
    found = measure_file(clip)
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        first = next(container.decode(stream)).to_ndarray(format="rgb24")
        rate, frames, codec = float(stream.average_rate), stream.frames, stream.codec_context.name
    assert set(found) == set(SCHEMA.names) - ON_DISK - OF_JPEG - {"error"}
    assert (found["kind"], found["format"], found["frames"]) == ("video", codec, frames)
    assert found["frame_rate"] == pytest.approx(rate, rel=1e-3)
    assert found["duration"] == pytest.approx(frames / rate, rel=1e-2)
    assert found["pixels"] == pixel_hash(first)


def test_what_cannot_be_measured_is_null(tmp_path):
    Image.new("RGB", (2, 1), "white").save(tmp_path / "dot.png")
    found = measure_file(tmp_path / "dot.png")
    assert (found["width"], found["height"], found["bright_share"]) == (2, 1, 1)
    assert found["laplacian_native"] is None
    assert found["gradient_native"] is None
    assert found["spectrum_native"] is None


@pytest.mark.parametrize("content", [None, b"", b"no picture at all"])
def test_what_cannot_be_read_has_an_error_and_nothing_else(tmp_path, content):
    if content is not None:
        (tmp_path / "bad.jpg").write_bytes(content)
    found = measure_file(tmp_path / "bad.jpg")
    assert set(found) == {"error"}
    assert found["error"].endswith(".")


def test_a_broken_picture_is_an_error(portrait, tmp_path):
    (tmp_path / "half.jpg").write_bytes(portrait.read_bytes()[:9000])
    assert "damaged" in measure_file(tmp_path / "half.jpg")["error"]
