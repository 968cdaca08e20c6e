"""Network architectures, one file each. Importing this package imports torch and every file beside this one.

A new detector is one new file: a header that says where it comes from, a `Detector` and one `register` call.
``tests/train/test_detector_contract.py`` picks it up.
"""

from __future__ import annotations

from mesoscope_train.detectors.base import (
    Detector,
    DetectorEntry,
    GlobalAverageHead,
    Provenance,
    detectors,
    register,
)
from mesoscope_train.plugins import import_modules_of

__all__ = ["Detector", "DetectorEntry", "GlobalAverageHead", "Provenance", "detectors", "register"]

import_modules_of(__name__)
