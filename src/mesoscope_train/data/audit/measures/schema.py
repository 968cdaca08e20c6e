"""The columns of the table of measurements, one row a file. Null stands for 'cannot be measured'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

VERSION = 1
"""Counts up whenever a measurement changes its meaning; a cache of another version is not used."""
RINGS = 16
"""Bins of the radial power spectrum, of equal width from 0 to 0.5 cycles a pixel."""

SHARPNESS = {
    "laplacian_native": "variance of the Laplacian of the middle 512 pixels, as stored",
    "gradient_native": "mean squared gradient of the middle 512 pixels, as stored",
    "laplacian_fixed": "variance of the Laplacian at 128 x 128 pixels",
    "gradient_fixed": "mean squared gradient at 128 x 128 pixels",
    "edge_ratio": "gradient energy of the outer part over that of the inner half, log10, at 128 x 128 pixels",
}
COLOURS = {
    "red_mean": "mean of red, 0 to 255",
    "green_mean": "mean of green",
    "blue_mean": "mean of blue",
    "red_spread": "standard deviation of red",
    "green_spread": "standard deviation of green",
    "blue_spread": "standard deviation of blue",
    "saturation_mean": "mean saturation of HSV, 0 to 1",
    "saturation_spread": "standard deviation of that saturation",
    "grey_share": "share of pixels whose channels differ by at most 8",
    "dark_share": "share of pixels with a luminance below 16",
    "bright_share": "share of pixels with a luminance above 239",
}


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it lay on disk: what the cache knows it by.

    Attributes:
        path: relative to the manifest's root.
        size: bytes; None where it could not be looked at.
        mtime: nanoseconds since 1970; None likewise.
    """

    path: str
    size: int | None
    mtime: int | None


KEY = pa.schema([("path", pa.string()), ("size_bytes", pa.int64()), ("mtime_ns", pa.int64())])

_NUMBERS: list[tuple[str, pa.DataType]] = [(name, pa.float32()) for name in (*SHARPNESS, *COLOURS)]
SCHEMA = pa.schema(
    [
        *KEY,
        ("error", pa.string()),  # a sentence; all that follows is then null
        ("kind", pa.string()),  # picture, video
        ("width", pa.int32()),  # of the stored file, upright
        ("height", pa.int32()),
        ("format", pa.string()),  # by content: jpeg, png ...; of a video its codec
        ("jpeg_quality", pa.int16()),  # 1 to 100, see `jpeg.estimate_quality`
        ("jpeg_tables", pa.string()),  # 12 hex digits that name the quantisation tables
        ("jpeg_subsampling", pa.string()),
        ("jpeg_progressive", pa.bool_()),
        ("frame_rate", pa.float64()),  # frames a second; this and the next two of videos only
        ("duration", pa.float64()),  # seconds
        ("frames", pa.int64()),
        ("pixels", pa.binary(16)),  # of a video, this and all that follows are of its first frame
        ("fingerprint", pa.binary()),
        *_NUMBERS,
        ("spectrum_native", pa.list_(pa.float32(), RINGS)),  # log10 of power, see `spectrum`
        ("spectrum_fixed", pa.list_(pa.float32(), RINGS)),
    ]
)

Measured = dict[str, Any]
"""Column to value; a column that is not there is null."""
