"""Does a map depend on what the network has learned? The test with random weights.

J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim, "Sanity Checks for Saliency Maps", NeurIPS 2018: a
method that draws much the same map for a network with random weights shows the picture (its edges, its bright
places), not what the network knows. Here all weights are fresh at once, and similarity is the absolute rank
correlation of the cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mesoscope.explain.cells import to_cells
from mesoscope.types import Float32Array

RANDOM_NETWORKS = 3
ALIKE = 0.5
"""Mean absolute rank correlation from which on a map is called much the same."""


@dataclass(frozen=True, slots=True)
class Sanity:
    """How like a map is to those of networks that know nothing.

    Attributes:
        correlations: absolute rank correlation with the map of each random network, in [0, 1].
    """

    correlations: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(self.correlations))

    @property
    def passed(self) -> bool:
        """Whether the map depends on what was learned."""
        return self.mean < ALIKE

    @property
    def sentence(self) -> str:
        """The result in words."""
        each = ", ".join(f"{value:.2f}" for value in self.correlations)
        what = f"Rank correlation with the maps of networks with random weights: {each}"
        if self.passed:
            return f"{what}."
        return f"{what}: much the same map comes without anything learned, so it shows the picture, not the network."


def compare(map_: Float32Array, random: list[Float32Array]) -> Sanity:
    """Hold a map (h, w) against those of random networks, each (h, w)."""
    return Sanity(tuple(rank_correlation(to_cells(map_), to_cells(other)) for other in random))


def rank_correlation(first: Float32Array, second: Float32Array) -> float:
    """Absolute value of Spearman's rank correlation of two maps of one shape; 0 where one of them is constant."""
    from scipy.stats import rankdata  # noqa: PLC0415 - half a second that only this costs

    one, other = rankdata(first.ravel()), rankdata(second.ravel())
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(abs(np.corrcoef(one, other)[0, 1]))
