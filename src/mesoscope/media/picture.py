"""Pictures: any format on the allow-list becomes upright 8-bit RGB, or a `MediaError`.

Decisions, each the same for every caller:

* Formats: JPEG (with MPO), PNG, WebP, AVIF, GIF, TIFF, BMP, PPM and its siblings, JPEG 2000, QOI, recognised by
  their first bytes. Formats whose readers start other programs (EPS), or are rare, are not on the list.
* Pixels are as stored: an embedded ICC profile is *not* applied. CMYK is turned round by the plain formula.
* Orientation (EXIF, XMP, or a TIFF's own tag) is applied; a broken EXIF block is ignored.
* Depth: 16-bit grey is scaled over its full range (65535 -> 255); 32-bit integers that leave 16 bits are scaled
  over 2^31 - 1; floats are taken as [0, 1], [0, 255] or [0, 65535], whichever is the first to hold them.
  16-bit colour is cut to its upper 8 bits (Pillow).
* Transparency is laid on white, as most pages show it, with the notice ``transparency_on_white`` if a pixel really
  is transparent. What hides under transparent pixels is not judged.
* Of an animation, or a TIFF of several pages, the first picture counts, with the notice ``animation_first_frame``.
* A picture that breaks off is an error, never a grey area.

Safe to call from several threads.
"""

from __future__ import annotations

import importlib
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from PIL import Image

from mesoscope.errors import MediaError
from mesoscope.media.limits import DEFAULT_LIMITS, MediaLimits
from mesoscope.media.signature import HEAD, picture_format, png_size, unreadable_name
from mesoscope.media.source import Source, head_of, opened, size_of
from mesoscope.types import Notice, UInt8Image

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

ANIMATION_FIRST_FRAME: Final = "animation_first_frame"
TRANSPARENCY_ON_WHITE: Final = "transparency_on_white"
NOT_MEDIA = "The file is neither a picture nor a video that can be read."

_PLUGINS = {"JPEG2000": "Jpeg2K", "WEBP": "WebP"}
"""Format to Pillow's module, where that is not simply the name of the format."""
_MULTI = {"GIF", "PNG", "WEBP", "AVIF", "TIFF"}
_ORIENTATION = 0x0112
_NEW_SUBFILE_TYPE = 254
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""All that Pillow's decoders were seen to raise on damaged files."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, upright.
        format: Pillow's name of the format (``JPEG``, ``PNG`` ...).
        notices: what the user should know about the reading.
    """

    pixels: UInt8Image
    format: str
    notices: list[Notice]

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[0])


def open_picture(source: Source, limits: MediaLimits = DEFAULT_LIMITS) -> Picture:
    """Decode a picture as the module says.

    Raises:
        MediaTooLarge: too many bytes, or a header that promises too many pixels.
        MediaError: missing, empty, unreadable, not a picture, or damaged.
    """
    size = size_of(source)
    head = head_of(source, HEAD)
    name = picture_format(head)
    if unreadable := unreadable_name(head):
        raise MediaError(f"The file is {unreadable}, which cannot be read; convert it to JPEG or PNG.")
    if name is None:
        raise MediaError(NOT_MEDIA)
    limits.check_bytes(size, picture=True)
    if announced := png_size(head):
        limits.check_pixels(*announced)
    with opened(source) as file:
        try:
            return _decode(file, name, limits)
        except MemoryError as error:
            raise MediaError(f"The {name} picture needs more memory than there is.") from error
        except _DECODER_ERRORS as error:
            raise MediaError(f"The {name} picture is damaged or incomplete ({_words(error)}).") from error


def _words(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).rstrip(".")


def _decode(file: BinaryIO, name: str, limits: MediaLimits) -> Picture:
    image = _header(file, name)
    limits.check_pixels(*image.size)
    if name == "TIFF" and _is_thumbnail(image):
        raise MediaError("The TIFF begins with a thumbnail, as camera raw files do; convert it to JPEG or PNG.")
    image.load()
    notices = []
    rgb, transparent = _to_rgb(_upright(image))
    if transparent:
        notices.append(Notice(TRANSPARENCY_ON_WHITE, "The picture has transparent parts; they were judged as white."))
    if name in _MULTI and _has_more(image):
        what = "several pages" if name == "TIFF" else "an animation"
        notices.append(Notice(ANIMATION_FIRST_FRAME, f"The {name} holds {what}; only the first picture was judged."))
    return Picture(rgb, name, notices)


def _header(file: BinaryIO, name: str) -> ImageFile:
    """Read the header only.

    The format's reader is asked directly: `Image.open` would refuse large pictures by a limit that is global to the
    process, and would import and try readers that are not on the list.
    """
    importlib.import_module(f"PIL.{_PLUGINS.get(name, name.capitalize())}ImagePlugin")
    file.seek(0)
    factory = Image.OPEN[name][0]
    return factory(file, "")


def _is_thumbnail(image: ImageFile) -> bool:
    tags = getattr(image, "tag_v2", {})
    return bool(int(tags.get(_NEW_SUBFILE_TYPE) or 0) & 1)


def _upright(image: Image.Image) -> Image.Image:
    try:
        method = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except _DECODER_ERRORS:
        return image
    return image if method is None else image.transpose(method)


def _has_more(image: ImageFile) -> bool:
    """Whether pictures follow the first. Damage behind the first does not concern us."""
    try:
        return bool(getattr(image, "is_animated", False))
    except _DECODER_ERRORS:
        return False


def _to_rgb(image: Image.Image) -> tuple[UInt8Image, bool]:
    """(H, W, 3) uint8, and whether something transparent was laid on white."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep(np.asarray(image)), False
    if not image.has_transparency_data:
        return np.array(image.convert("RGB"), dtype=np.uint8), False
    rgba = image.convert("RGBA")
    alpha = rgba.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return np.array(rgba.convert("RGB"), dtype=np.uint8), False
    page = Image.new("RGB", rgba.size, "white")
    page.paste(rgba, mask=alpha)
    return np.array(page, dtype=np.uint8), True


def _from_deep(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> UInt8Image:
    """Grey of more than 8 bits to RGB; see the module for the ranges."""
    if values.dtype == np.uint16:
        table = np.rint(np.arange(65536) * (255 / 65535)).astype(np.uint8)
        return np.repeat(table[values][:, :, None], 3, axis=2)
    grey = np.nan_to_num(values.astype(np.float32), nan=0.0)
    top = float(grey.max(initial=0.0))
    ranges = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (65535.0, float(2**31 - 1))
    full = next((limit for limit in ranges if top <= limit), top)
    scaled = np.rint(np.clip(grey / full, 0, 1) * 255).astype(np.uint8)
    return np.repeat(scaled[:, :, None], 3, axis=2)
