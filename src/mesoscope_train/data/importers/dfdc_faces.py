"""Faces of the Deepfake Detection Challenge: one 224-pixel crop a video, with the size it had before.

``metadata.csv`` has a row a video: ``videoname``, the crop's original width and height, ``label`` (``REAL`` or
``FAKE``) and, for a fake, ``original``: the video it was made from. A fake and its original show the same frame of
the same footage, so the group is the original's name, for reals their own; it is the same as that of the full videos
and of the preview (``dfdc:STEM``), so that merged sets cannot leak. Who is seen is not published: one actor appears
in several originals, which no group can prevent here.

Sizes are those of the detected face, before it was scaled to 224 pixels: nine in ten were enlarged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mesoscope.manifest import Row, Value
from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, register, usable
from mesoscope_train.data.importers.index_file import (
    Entries,
    LabelWords,
    contradicted,
    count_unlisted,
    entries,
    read_index,
    require_columns,
)
from mesoscope_train.data.importers.layout import count_others, not_of_the_layout

_TABLE = "metadata.csv"
_FACES = "faces_224"
_COLUMNS = ("videoname", "original_width", "original_height", "label", "original")


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a video of the table; see `Importer.rows`."""
    file = options.table or root / _TABLE
    if not file.is_file() or not (root / _FACES).is_dir():
        raise not_of_the_layout(root, f"{_TABLE} and the folder {_FACES}")
    table = read_index(file)
    require_columns(table, _COLUMNS, file)
    words = LabelWords(None, skips)
    said = Entries(skips, contradicted((_path(entry), entry["label"].lower()) for entry in entries(table)))
    listed: set[str] = set()
    for entry in entries(table):
        if not entry["videoname"]:
            skips.add("the entry names no video", file.name)
            continue
        path = _path(entry)
        listed.add(path)
        label = words.label(entry["label"], path)
        if label is None or not said.counts(path) or not usable(root / path, path, skips):
            continue
        values = _values(entry, label, path, skips)
        if values is not None:
            yield Row.of({**values, "dataset": options.dataset or "dfdc-faces"})
    count_unlisted(root, listed, file.name, skips)
    count_others(root, root, [_FACES], "the folder '{0}' is no part of the published set", skips)


def _path(entry: dict[str, str]) -> str:
    return f"{_FACES}/{PurePosixPath(entry['videoname']).stem}.jpg"


def _values(entry: dict[str, str], label: str, path: str, skips: Skips) -> dict[str, Value] | None:
    """The columns of an entry; None where it lacks what the group or the size is made of, which is counted."""
    if label == "fake" and not entry["original"]:
        skips.add("a fake without its original, so that its group is unknown", path)
        return None
    sizes = [entry["original_width"], entry["original_height"]]
    if not all(size.isdecimal() and int(size) > 0 for size in sizes):
        skips.add("the original size is no whole number of pixels", path)
        return None
    footage = entry["original"] if label == "fake" else entry["videoname"]
    return {
        "path": path,
        "label": label,
        "group": f"dfdc:{PurePosixPath(footage).stem}",
        "source_video": entry["videoname"],
        "original_width": int(sizes[0]),
        "original_height": int(sizes[1]),
    }


register(
    Importer(
        name="dfdc-faces",
        title="One face a video of the Deepfake Detection Challenge (224 px)",
        layout="ROOT/metadata.csv  (videoname, original_width, original_height, label, original)\n"
        "ROOT/faces_224/VIDEO.jpg",
        source="Kaggle, 'deepfake_faces'; videos: https://ai.meta.com/datasets/dfdc",
        rows=rows,
        options=frozenset({"table"}),
    )
)
