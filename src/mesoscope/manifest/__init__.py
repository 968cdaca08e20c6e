"""The table of a data set: one row a picture (or a video that waits for `data faces`), as Parquet or CSV.

Everything downstream reads manifests; nothing else reads folder names. The columns are `schema.COLUMNS`, a
`Manifest` is a checked table with the root of its paths, `read_manifest` and `write_manifest` are the only ways in
and out, and `ManifestBuilder` makes one row by row. ``docs/data.md`` is the
user's page.
"""

from __future__ import annotations

from mesoscope.manifest.checks import check_table
from mesoscope.manifest.files import read_manifest, write_manifest
from mesoscope.manifest.schema import COLUMNS, LABELS, SPLITS, Column, Row, Value
from mesoscope.manifest.table import Manifest, ManifestBuilder

__all__ = [
    "COLUMNS",
    "LABELS",
    "SPLITS",
    "Column",
    "Manifest",
    "ManifestBuilder",
    "Row",
    "Value",
    "check_table",
    "read_manifest",
    "write_manifest",
]
