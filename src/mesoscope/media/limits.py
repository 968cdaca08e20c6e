"""How much a file may ask of this machine, and the sentences that refuse more."""

from __future__ import annotations

from dataclasses import dataclass

from mesoscope.errors import MediaTooLarge, UsageError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Limits on what is read; everything above them is refused with `MediaTooLarge` before it is decoded.

    Attributes:
        max_bytes: of any file, and of what is read from standard input.
        max_picture_bytes: of a picture (the smaller of this and `max_bytes` holds).
        max_pixels: width x height of a picture or of one frame of a video. The default admits cameras of
            100 megapixels and takes 360 MB of memory as RGB.

    Raises:
        UsageError: a limit is not positive.
    """

    max_bytes: int = 2048 * MIB
    max_picture_bytes: int = 256 * MIB
    max_pixels: int = 120_000_000

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_picture_bytes", "max_pixels"):
            if getattr(self, name) < 1:
                raise UsageError(f"The limit {name} must be at least 1, not {getattr(self, name)}.")

    def check_bytes(self, size: int, *, picture: bool = False) -> None:
        """Refuse a file of `size` bytes that is over the limit.

        Raises:
            MediaTooLarge: with the size and the limit.
        """
        limit = min(self.max_bytes, self.max_picture_bytes) if picture else self.max_bytes
        if size > limit:
            what = "picture" if picture else "file"
            raise MediaTooLarge(f"The {what} has {_megabytes(size)}; the limit is {_megabytes(limit)}.")

    def check_pixels(self, width: int, height: int, what: str = "picture") -> None:
        """Refuse a picture or a frame whose header promises more pixels than the limit.

        Raises:
            MediaTooLarge: with the number and the limit.
        """
        if width * height > self.max_pixels:
            raise MediaTooLarge(
                f"The {what} has {width:,} x {height:,} = {width * height:,} pixels; "
                f"the limit is {self.max_pixels:,}."
            )


def _megabytes(size: int) -> str:
    return f"{size:,} bytes" if size < MIB else f"{size:,} bytes ({size / MIB:,.0f} MiB)"


DEFAULT_LIMITS = MediaLimits()
