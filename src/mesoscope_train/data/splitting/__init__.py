"""Splitting by group, balanced samples, and merges: manifests in, manifests out; no picture is opened."""

from __future__ import annotations

from mesoscope_train.data.splitting.fractions import Folds, Fractions
from mesoscope_train.data.splitting.merging import Merged, merge
from mesoscope_train.data.splitting.partition import Split, split
from mesoscope_train.data.splitting.sampling import Drawn, Sample, sample_even, sample_per_class
from mesoscope_train.data.splitting.shares import Cell, cells_of
from mesoscope_train.data.splitting.sources import Renaming, Source

__all__ = [
    "Cell",
    "Drawn",
    "Folds",
    "Fractions",
    "Merged",
    "Renaming",
    "Sample",
    "Source",
    "Split",
    "cells_of",
    "merge",
    "sample_even",
    "sample_per_class",
    "split",
]
