from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from mesoscope.errors import MediaError, MediaTooLarge
from mesoscope.media import MediaLimits, open_media, open_picture, sniff
from mesoscope.media.picture import Picture

ORIENTATION = 0x0112
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def ramp(width: int = 40, height: int = 30) -> Image.Image:
    """A smooth picture, different in each corner."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [255 * x // (width - 1), 255 * y // (height - 1), 128 * (x + y) // (width + height)]
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


def encoded(image: Image.Image, name: str, **settings: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **settings)  # type: ignore[arg-type]
    return file.getvalue()


def codes(picture: Picture) -> list[str]:
    return [notice.code for notice in picture.notices]


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "PPM": {}, "QOI": {}, "WEBP": {"lossless": True}, "JPEG2000": {}}
LOSSY = {"JPEG": {"quality": 95, "subsampling": 0}, "AVIF": {"quality": 95}, "WEBP": {"quality": 95}, "GIF": {}}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_the_pixels_that_were_saved(name: str) -> None:
    picture = open_picture(encoded(ramp(), name, **LOSSLESS[name]))
    assert picture.format == name
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert (picture.width, picture.height) == (40, 30)
    np.testing.assert_array_equal(picture.pixels, np.asarray(ramp()))
    assert picture.notices == []


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats_come_near(name: str) -> None:
    picture = open_picture(encoded(ramp(), name, **LOSSY[name]))
    assert picture.format == name
    assert np.abs(picture.pixels.astype(int) - np.asarray(ramp())).mean() < 8


@pytest.mark.parametrize("name", [*LOSSLESS, *LOSSY])
def test_the_content_counts_not_the_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(encoded(ramp(), name))
    assert sniff(path) == "picture"
    opened = open_media(path)
    assert isinstance(opened, Picture)
    assert opened.format == name


def test_a_text_named_like_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.jpg"
    for text in (b"just a text\n" * 50, b"BMW builds cars\n" * 50, b"P1 is a car\n" * 50):
        path.write_bytes(text)
        for read in (open_picture, open_media, sniff):
            with pytest.raises(MediaError, match="neither a picture nor a video that can be read"):
                read(path)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"II*\0\x10\0\0\0CR\2\0", "raw"),
    ],
)
def test_known_formats_that_are_not_read_are_named(head: bytes, name: str) -> None:
    for read in (open_picture, open_media):
        with pytest.raises(MediaError, match=f"{name}.*convert it"):
            read(head + bytes(200))


def test_a_bomb_is_refused_from_its_header() -> None:
    with pytest.raises(MediaTooLarge, match=r"50,000 x 50,000 = 2,500,000,000 pixels; the limit is 120,000,000"):
        open_picture(png_header(50_000, 50_000))
    with pytest.raises(MediaTooLarge, match="2,500,000,000 pixels"):  # other formats too
        open_picture(b"qoif" + struct.pack(">II", 50_000, 50_000) + bytes([3, 0]) + bytes(50))


def test_limits_hold_for_real_files(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(ramp(), "PNG"))
    with pytest.raises(MediaTooLarge, match="1,200 pixels; the limit is 1,199"):
        open_picture(path, MediaLimits(max_pixels=1199))
    with pytest.raises(MediaTooLarge, match="bytes; the limit is 100 bytes"):
        open_picture(path, MediaLimits(max_picture_bytes=100))
    assert open_picture(path, MediaLimits(max_pixels=1200)).width == 40


def test_pillows_own_limit_is_not_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(ramp(), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
    assert open_picture(data).pixels.shape == (30, 40, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 1)])
def test_tiny_pictures_are_fine(size: tuple[int, int]) -> None:
    assert open_picture(encoded(Image.new("RGB", size, "red"), "PNG")).pixels.tolist()[0][0] == [255, 0, 0]


def test_grey_and_one_bit() -> None:
    grey = ramp().convert("L")
    np.testing.assert_array_equal(open_picture(encoded(grey, "PNG")).pixels[:, :, 1], np.asarray(grey))
    bits = ramp().convert("1")
    np.testing.assert_array_equal(open_picture(encoded(bits, "PNG")).pixels[:, :, 2], 255 * np.asarray(bits))


def test_palette() -> None:
    palette = ramp().quantize(16)
    picture = open_picture(encoded(palette, "PNG"))
    np.testing.assert_array_equal(picture.pixels, np.asarray(palette.convert("RGB")))
    assert codes(picture) == []


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode: str) -> None:
    image = Image.new("RGB", (4, 1), (100, 100, 100)).convert(mode)
    image.putalpha(Image.fromarray(np.array([[0, 51, 204, 255]], np.uint8)))
    picture = open_picture(encoded(image, "PNG"))
    expected = [255 + (100 - 255) * alpha / 255 for alpha in (0, 51, 204, 255)]
    np.testing.assert_allclose(picture.pixels[0, :, 0], expected, atol=1)
    assert codes(picture) == ["transparency_on_white"]


def test_an_opaque_alpha_channel_is_no_news() -> None:
    picture = open_picture(encoded(ramp().convert("RGBA"), "PNG"))
    np.testing.assert_array_equal(picture.pixels, np.asarray(ramp()))
    assert codes(picture) == []


def test_a_transparent_palette_entry_and_colour_key() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    picture = open_picture(encoded(palette, "PNG", transparency=0))
    assert picture.pixels[0].tolist() == [[255, 255, 255], [200, 100, 50]]
    assert codes(picture) == ["transparency_on_white"]
    rgb = Image.new("RGB", (2, 1), (1, 2, 3))
    rgb.putpixel((1, 0), (4, 5, 6))
    picture = open_picture(encoded(rgb, "PNG", transparency=(1, 2, 3)))
    assert picture.pixels[0].tolist() == [[255, 255, 255], [4, 5, 6]]


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_over_the_full_range(name: str) -> None:
    values = np.array([[0, 128, 129, 257, 32896, 65535]], np.uint16)
    picture = open_picture(encoded(Image.fromarray(values), name))
    assert picture.pixels[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]
    assert (picture.pixels[:, :, :1] == picture.pixels).all()


def test_32_bit_integers() -> None:
    small = Image.fromarray(np.array([[-5, 0, 65535]], np.int32))
    assert open_picture(encoded(small, "TIFF")).pixels[0, :, 0].tolist() == [0, 0, 255]
    large = Image.fromarray(np.array([[0, 2**30, 2**31 - 1]], np.int32))
    assert open_picture(encoded(large, "TIFF")).pixels[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("full", [1.0, 255.0, 65535.0, 1e6])
def test_floats_take_the_range_that_holds_them(full: float) -> None:
    values = np.array([[0, 0.5 * full, full, -1, np.nan]], np.float32)
    assert open_picture(encoded(Image.fromarray(values), "TIFF")).pixels[0, :, 0].tolist() == [0, 128, 255, 0, 0]


def test_cmyk_looks_like_the_rgb_it_was_made_from() -> None:
    for name in ("JPEG", "TIFF"):
        settings = {"quality": 95} if name == "JPEG" else {}
        picture = open_picture(encoded(ramp().convert("CMYK"), name, **settings))
        assert np.abs(picture.pixels.astype(int) - np.asarray(ramp())).mean() < 6


def test_animations_give_their_first_frame_and_say_so() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for name, settings in {"GIF": {}, "WEBP": {"lossless": True}, "PNG": {}, "AVIF": {}, "TIFF": {}}.items():
        picture = open_picture(encoded(frames[0], name, save_all=True, append_images=frames[1:], **settings))
        np.testing.assert_allclose(picture.pixels.mean((0, 1)), [255, 0, 0], atol=6, err_msg=name)
        assert codes(picture) == ["animation_first_frame"], name


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_as_pillow_itself_does_it(orientation: int, name: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(ramp(), name, exif=exif, **({"lossless": True} if name == "WEBP" else {}))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    picture = open_picture(data)
    np.testing.assert_array_equal(picture.pixels, np.asarray(expected))
    assert (picture.width > picture.height) == (orientation not in (5, 6, 7, 8))


def test_orientation_of_a_real_picture(data_dir: Path) -> None:
    def read(orientation: int) -> np.ndarray:
        return open_picture(data_dir / "exif-orientation" / f"Portrait_{orientation}.jpg").pixels[2::5, 2::5]

    upright = read(1).astype(int)
    for orientation in range(9):
        other = read(orientation)
        assert other.shape == upright.shape
        assert np.abs(other - upright).mean() < 3, orientation  # each was encoded again
        assert np.abs(other[::-1] - upright).mean() > 20  # the measure can tell


def test_broken_exif_is_ignored() -> None:
    data = encoded(ramp(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 20)
    np.testing.assert_array_equal(open_picture(data).pixels, open_picture(encoded(ramp(), "JPEG")).pixels)


def test_bytes_behind_a_jpeg_and_its_metadata_do_not_touch_the_pixels(portrait: Path) -> None:
    data = portrait.read_bytes()
    pixels = open_picture(data).pixels
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 13) + b"thirteen byte"
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    block = b"Exif\0\0" + exif.tobytes()[6:]
    app1 = b"\xff\xe1" + struct.pack(">H", 2 + len(block)) + block
    for changed in (data + b"thirteen byte", data + bytes(5000), data[:2] + comment + data[2:]):
        np.testing.assert_array_equal(open_picture(changed).pixels, pixels)
    np.testing.assert_array_equal(open_picture(data[:2] + app1 + data[2:]).pixels, pixels)


def test_a_colour_profile_is_not_applied() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = encoded(ramp(), "PNG", icc_profile=profile)
    np.testing.assert_array_equal(open_picture(data).pixels, np.asarray(ramp()))


FORMATS = {**{name: (name, {}) for name in (*LOSSLESS, "JPEG", "AVIF", "GIF")}, "WEBP": ("WEBP", {"quality": 90})}


@pytest.fixture(scope="module")
def noisy() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_picture_that_breaks_off_is_an_error(name: str, noisy: Image.Image, tmp_path: Path) -> None:
    data = encoded(noisy, name, **FORMATS[name][1])
    path = tmp_path / "cut"
    for part in (0.3, 0.6, 0.9):
        path.write_bytes(data[: int(len(data) * part)])
        for source in (path, path.read_bytes()):
            with pytest.raises(MediaError, match="damaged or incomplete"):
                open_picture(source)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_damage_of_any_kind_is_a_picture_or_a_media_error(name: str) -> None:
    data = encoded(ramp(), name, **FORMATS[name][1])
    dice = random.Random(name)  # noqa: S311 - the same damage each time
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(dice.choice((1, 3, 20))):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            picture = open_picture(bytes(damaged), MediaLimits(max_pixels=1_000_000))
        except MediaError as error:
            assert str(error).endswith(".")
        else:
            assert picture.pixels.ndim == 3


def test_a_thumbnail_in_a_raw_file_is_not_taken_for_the_picture() -> None:
    data = encoded(ramp(), "TIFF", tiffinfo={254: 1})
    with pytest.raises(MediaError, match="thumbnail"):
        open_picture(data)


def test_a_text_bomb_in_a_png_is_an_error() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "a" * (PngImagePlugin.MAX_TEXT_CHUNK + 10), zip=True)
    with pytest.raises(MediaError, match="damaged"):
        open_picture(encoded(ramp(), "PNG", pnginfo=info))


def test_threads_agree(portrait: Path) -> None:
    sources: list[bytes | Path] = [portrait, encoded(ramp(), "WEBP"), encoded(ramp(), "AVIF"), encoded(ramp(), "GIF")]
    alone = [open_picture(source).pixels for source in sources]
    read: Callable[[int], np.ndarray] = lambda turn: open_picture(sources[turn % 4]).pixels  # noqa: E731
    with ThreadPoolExecutor(8) as pool:
        for turn, pixels in enumerate(pool.map(read, range(64))):
            np.testing.assert_array_equal(pixels, alone[turn % 4])


def test_odd_real_files(data_dir: Path) -> None:
    folder = data_dir / "odd-formats"
    colour = open_picture(folder / "one_face.jpg").pixels.astype(int)
    for name in ("one_face-p.png", "one_face.gif", "one_face-bw.png", "one_face-bw-la.png", "one_face_cmyk.jpg"):
        pixels = open_picture(folder / name).pixels
        # Brightness, as some are grey.
        assert np.abs(pixels.mean(2) - colour.mean(2)).mean() < 12, name
    assert codes(open_picture(folder / "animated.gif")) == ["transparency_on_white", "animation_first_frame"]
    assert open_picture(folder / "white-block.png").pixels.tolist() == [[[255, 255, 255]]]
    with pytest.raises(MediaError, match="JPEG picture is damaged or incomplete"):
        open_picture(folder / "broken.jpg")
