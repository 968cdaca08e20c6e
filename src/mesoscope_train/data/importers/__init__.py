"""Importers: one file a published layout, entered in `importers`. Each turns a directory into manifest rows.

A new importer is one new file beside this one: a function that yields rows, described by one `Importer` that is
registered. ``tests/train/data/importers`` holds a contract suite that picks it up.
"""

from __future__ import annotations

from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, importers, register
from mesoscope_train.plugins import import_modules_of

__all__ = ["ImportOptions", "Importer", "Skips", "importers", "register"]

import_modules_of(__name__)
