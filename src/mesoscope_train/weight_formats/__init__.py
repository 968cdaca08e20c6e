"""Weights that others published, turned into bundles: one file per format, entered in `weight_formats`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from mesoscope.bundle import Bundle
from mesoscope.registry import Registry
from mesoscope_train.plugins import import_modules_of


class WeightFormat(Protocol):
    """Reads one format of weights."""

    def __call__(self, file: Path, out_dir: Path, *, name: str | None = None, overwrite: bool = False) -> Bundle:
        """Import `file` as the bundle ``out_dir/name-version``.

        Args:
            file: the weights.
            out_dir: the directory that will hold the bundle's.
            name: of the bundle; None where the format knows the file.
            overwrite: replace a bundle that is already there.

        Raises:
            mesoscope_train.errors.WeightsError: the file is not of this format; nothing is written.
        """


weight_formats: Registry[WeightFormat] = Registry("weight format")

import_modules_of(__name__)
