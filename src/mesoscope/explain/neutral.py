"""What stands in for pixels that are taken away: the same picture without its detail.

Black or grey patches have hard edges that no photograph has, and a detector of traces answers to those. A strongly
blurred copy keeps colour and light and removes what such detectors look at.
"""

from __future__ import annotations

import numpy as np

from mesoscope.types import Float32Array

SIGMA_SHARE = 1 / 16
"""Standard deviation of the blur, as a share of the input's side."""


def without_detail(one: Float32Array) -> Float32Array:
    """One input (3, S, S) float32, blurred; the edges are mirrored."""
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - only for who measures

    sigma = one.shape[-1] * SIGMA_SHARE
    return np.asarray(gaussian_filter(one, (0, sigma, sigma), mode="reflect"), np.float32)
