"""From the journal to what people use: the new manifest and the list of what was left out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mesoscope.atomic import explained, replacing
from mesoscope.manifest import Manifest, ManifestBuilder, Row, Value
from mesoscope_train.data.crops.records import REASONS, Crop, FileRecord

MANIFEST_NAME = "faces.parquet"
LEFT_OUT_NAME = "left-out.csv"
LEFT_OUT_HEADER = ("path", "label", "reason", "count", "crops", "detail")
OF_THE_CROP = (
    "face",
    "original_width",
    "original_height",
    "box_left",
    "box_top",
    "box_right",
    "box_bottom",
    "finder",
    "landmarks",
)
"""Columns that speak of a crop: where the sources have them they spoke of the sources, and are replaced."""


def face_rows(manifest: Manifest, records: Iterable[FileRecord], finder: str) -> Iterator[Row]:
    """A row a crop, in the order of the manifest, of frames and of faces.

    Everything the source's row says is kept but its path and the columns of `OF_THE_CROP`. A frame of a video is
    told of by the video's path, frame and time; a picture keeps what its row says of the video it came from, or names
    itself.

    Args:
        manifest: of the sources.
        records: one a finished row, in the manifest's order.
        finder: the face finder's name.
    """
    sources = enumerate(manifest.rows())
    for record in records:
        source = next(values for row, values in sources if row == record.row)
        for crop in record.crops:
            yield Row.of({**source, **_of_crop(crop, record, source), "finder": finder})


def _of_crop(crop: Crop, record: FileRecord, source: dict[str, Any]) -> dict[str, Value]:
    left, top, right, bottom = crop.box
    values: dict[str, Value] = {
        "path": crop.path,
        "source_video": record.path,
        "face": crop.face,
        "original_width": crop.width,
        "original_height": crop.height,
        "box_left": left,
        "box_top": top,
        "box_right": right,
        "box_bottom": bottom,
        "finder_score": crop.score,
        "landmarks": crop.landmarks,
    }
    if record.kind == "video":
        return {**values, "frame": crop.frame, "time": crop.time}
    return {**values, "source_video": source.get("source_video") or record.path}


def replaced_columns(manifest: Manifest) -> list[str]:
    """A sentence where the sources have columns that now speak of the new crops; none where they do not."""
    names = [name for name in OF_THE_CROP if name in manifest]
    if not names:
        return []
    return [f"the sources' own {', '.join(names)} are not in the new manifest, where they tell of the new crops"]


def build_manifest(
    manifest: Manifest, records: Iterable[FileRecord], finder: str, out: Path, command: str
) -> Manifest:
    """The manifest of the crops, its root the directory of the run; see `face_rows`.

    Raises:
        ManifestError: there is no crop.
    """
    builder = ManifestBuilder(out)
    for row in face_rows(manifest, records, finder):
        builder.add(row)
    return builder.build(*manifest.history, *([command] if command else []))


def write_left_out(path: Path, records: Iterable[FileRecord], labels: Iterable[str]) -> None:
    """Write a line for each file and reason; whole or not at all.

    Columns: path, label, reason, count (faces for a small face, frames for other reasons, the file itself where it
    cannot be read), crops (what was kept of the file all the same), detail (the sentence about an unreadable file).

    Args:
        path: of the CSV file.
        records: one a finished row, in the manifest's order.
        labels: of all rows.

    Raises:
        UsageError: it cannot be written.
    """
    numbered = enumerate(labels)
    with replacing(path) as partial, explained(path), partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(LEFT_OUT_HEADER)
        for record in records:
            label = next(value for row, value in numbered if row == record.row)
            for reason, count in record.left_out.items():
                words = (record.path, label, REASONS[reason], count, len(record.crops), record.error or "")
                writer.writerow(words)
