from __future__ import annotations

import pytest

from mesoscope.errors import MediaTooLarge, UsageError
from mesoscope.media import MediaLimits


def test_bytes_over_the_limit_are_refused_with_both_numbers() -> None:
    limits = MediaLimits(max_bytes=1000, max_picture_bytes=500)
    limits.check_bytes(1000)
    limits.check_bytes(500, picture=True)
    with pytest.raises(MediaTooLarge, match=r"1,001 bytes.*limit is 1,000 bytes"):
        limits.check_bytes(1001)
    with pytest.raises(MediaTooLarge, match=r"501 bytes.*limit is 500 bytes"):
        limits.check_bytes(501, picture=True)


def test_the_smaller_limit_holds_for_pictures() -> None:
    with pytest.raises(MediaTooLarge, match="limit is 10 bytes"):
        MediaLimits(max_bytes=10).check_bytes(11, picture=True)


def test_pixels_over_the_limit_are_refused_with_both_numbers() -> None:
    limits = MediaLimits(max_pixels=100)
    limits.check_pixels(10, 10)
    with pytest.raises(MediaTooLarge, match=r"10 x 11 = 110 pixels; the limit is 100"):
        limits.check_pixels(10, 11)


@pytest.mark.parametrize("name", ["max_bytes", "max_picture_bytes", "max_pixels"])
def test_a_limit_must_be_positive(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        MediaLimits(**{name: 0})
