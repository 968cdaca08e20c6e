"""Network architectures, one file each. Importing this package imports torch and every file beside this one.

A new detector is one new file: a header that says where it comes from, a `Detector` and one `register` call.
``tests/train/test_detector_contract.py`` picks it up. `build_detector` makes a network of a text such as
``resnet50:head=dense,head_units=128``.
"""

from __future__ import annotations

from mesoscope_train.detectors.architecture import (
    Architecture,
    DetectorEntry,
    Provenance,
    build_detector,
    detectors,
    parse_architecture,
    register,
)
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.options import Options
from mesoscope_train.detectors.stages import freeze, trainable_parameters, unfreeze
from mesoscope_train.plugins import import_modules_of

__all__ = [
    "Architecture",
    "Detector",
    "DetectorEntry",
    "Options",
    "Provenance",
    "Stage",
    "build_detector",
    "detectors",
    "freeze",
    "parse_architecture",
    "register",
    "trainable_parameters",
    "unfreeze",
]

import_modules_of(__name__)
