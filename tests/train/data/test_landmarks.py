"""Points of a face as text in shares of the picture: there and back, and what is no such text."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope.errors import ManifestError
from mesoscope.types import Box
from mesoscope_train.data.landmarks import as_text, points_of


def test_there_and_back() -> None:
    points = np.array([[30, 40], [70, 42], [50, 60], [35.5, 80], [66, 81]], np.float32)
    text = as_text(points, Box(10, 20, 110, 120))
    assert text.startswith("0.2000,0.2000 0.6000,0.2200 ")
    back = points_of(text, "a.jpg")
    assert back.dtype == np.float32
    np.testing.assert_allclose(back * 100 + [10, 20], points, atol=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "3 or more pairs"),
        ("0.1,0.2 0.3,0.4", "3 or more pairs"),
        ("0.1,0.2 0.3,0.4 0.5", "3 or more pairs"),
        ("a,b c,d e,f", "3 or more pairs"),
        ("0.1,0.2,0.3 0.1,0.2,0.3 0.1,0.2,0.3", "3 or more pairs"),
        ("120,80 160,82 140,110", "not pixels"),
        ("nan,0.1 0.2,0.3 0.4,0.5", "not pixels"),
    ],
)
def test_what_is_no_list_of_points(text: str, message: str) -> None:
    with pytest.raises(ManifestError, match=rf"a\.jpg: .*{message}"):
        points_of(text, "a.jpg")
