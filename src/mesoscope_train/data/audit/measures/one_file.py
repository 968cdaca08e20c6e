"""All measurements of one file: opened once, decoded once, nothing kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from mesoscope.errors import MediaError
from mesoscope.media import Picture, Video, open_media
from mesoscope.types import UInt8Image
from mesoscope_train.data.audit.fingerprint import fingerprint
from mesoscope_train.data.audit.measures.colour import colour_statistics
from mesoscope_train.data.audit.measures.jpeg import read_header
from mesoscope_train.data.audit.measures.schema import Measured
from mesoscope_train.data.audit.measures.sharpness import (
    edge_ratio,
    gradient_energy,
    laplacian_variance,
    luminance,
    middle,
)
from mesoscope_train.data.audit.measures.spectrum import radial_spectrum

FIXED = 128
"""Side in pixels that whole pictures are resized to; squeezed if they are not square, as networks see them."""
NATIVE = 512
"""Side of the middle part whose sharpness is measured as stored: bounds the work on a large picture."""
NATIVE_SPECTRUM = 256


def measure_file(file: Path) -> Measured:
    """Measure one file; what cannot be read has an ``error`` and nothing else.

    Memory: the decoded picture, and a few megabytes. Columns that belong to the file on disk (path, size, time) are
    the caller's.
    """
    try:
        media = open_media(file)
        if isinstance(media, Video):
            return {**_of_video(media), **_of_pixels(next(media.frames()).pixels)}
        return {**_of_picture(media, file), **_of_pixels(media.pixels)}
    except MediaError as error:
        return {"error": str(error)}


def _of_picture(picture: Picture, file: Path) -> Measured:
    facts = {
        "kind": "picture",
        "width": picture.width,
        "height": picture.height,
        "format": picture.format.lower(),
    }
    header = read_header(file) if picture.format == "JPEG" else None
    if header is None:
        return facts
    return {
        **facts,
        "jpeg_quality": header.quality,
        "jpeg_tables": header.tables,
        "jpeg_subsampling": header.subsampling,
        "jpeg_progressive": header.progressive,
    }


def _of_video(video: Video) -> Measured:
    return {
        "kind": "video",
        "width": video.width,
        "height": video.height,
        "format": video.codec,
        "frame_rate": video.frame_rate,
        "duration": video.duration_s,
        "frames": video.n_frames,
    }


def _of_pixels(pixels: UInt8Image) -> Measured:
    small = np.asarray(Image.fromarray(pixels).resize((FIXED, FIXED), Image.Resampling.BILINEAR, reducing_gap=3.0))
    small_luma = luminance(small)
    native_luma = luminance(middle(pixels, NATIVE))
    return {
        "pixels": pixel_hash(pixels),
        "fingerprint": fingerprint(pixels),
        "laplacian_native": laplacian_variance(native_luma),
        "gradient_native": gradient_energy(native_luma),
        "laplacian_fixed": laplacian_variance(small_luma),
        "gradient_fixed": gradient_energy(small_luma),
        "edge_ratio": edge_ratio(small_luma),
        **colour_statistics(small),
        "spectrum_native": radial_spectrum(middle(native_luma, NATIVE_SPECTRUM)),
        "spectrum_fixed": radial_spectrum(small_luma),
    }


def pixel_hash(pixels: UInt8Image) -> bytes:
    """The first 16 bytes of the sha256 of shape and pixels: the same picture in PNG and in BMP has the same."""
    sha = hashlib.sha256(repr(pixels.shape).encode())
    sha.update(np.ascontiguousarray(pixels).data)
    return sha.digest()[:16]
