"""Mean maps and feature maps over a data set: gathered as a stream, drawn on one page."""

from __future__ import annotations

from mesoscope_train.understanding.means.run import MeansOptions, check, mean_maps

__all__ = ["MeansOptions", "check", "mean_maps"]
