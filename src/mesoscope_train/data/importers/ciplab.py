"""Faces that experts composed with Photoshop: the "real and fake face detection" set of CIPLAB, Yonsei University.

As published, a fake's name is its description: ``easy_1_1110.jpg`` is difficulty, number, and whether left eye, right
eye, nose and mouth were replaced. Nothing links a real photograph to the fakes made from it, so every file is its own
group. The publisher calls the degrees of difficulty subjective.

Crops of the set come with a ``labels.csv`` (file, label, difficulty, edited parts, base photo). Its ``base_photo``
joins a photograph and the fake that was made from it by the fake's published name; it is the group in both layouts.

https://www.kaggle.com/datasets/ciplab/real-and-fake-face-detection; for research only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mesoscope.manifest import Row, Value
from mesoscope_train.data.importers.contract import (
    PICTURE_SUFFIXES,
    Importer,
    ImportOptions,
    Skips,
    files_below,
    register,
    usable,
)
from mesoscope_train.data.importers.index_file import (
    Entries,
    LabelWords,
    contradicted,
    count_unlisted,
    entries,
    path_inside,
    read_index,
    require_columns,
)
from mesoscope_train.data.importers.layout import count_others, folder_names, found_below, not_of_the_layout

_PARTS = ("edited_left_eye", "edited_right_eye", "edited_nose", "edited_mouth")
_FAKE = re.compile(r"(?P<difficulty>easy|mid|hard)_\d+_(?P<parts>[01]{4})")
_REAL = re.compile(r"real_\d+")
_FOLDERS = {"training_fake": "fake", "training_real": "real"}
_ARCHIVE = ("real_and_fake_face", "real_and_fake_face_detection/real_and_fake_face")
_TABLE = "labels.csv"
_COLUMNS = ("file", "label", "difficulty", *_PARTS, "base_photo")
_BOOLEANS = {"1": True, "0": False, "": None}


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a face, from the published names or from labels.csv; see `Importer.rows`."""
    dataset = options.dataset or "ciplab"
    file = options.table or root / _TABLE
    if file.is_file():
        yield from _listed(root, file, dataset, skips)
        return
    place = found_below(root, _ARCHIVE, lambda folder: bool(_FOLDERS.keys() & set(folder_names(folder))))
    if place is None:
        raise not_of_the_layout(root, f"the folders {' and '.join(_FOLDERS)}, or {_TABLE}")
    for name, label in _FOLDERS.items():
        if (place / name).is_dir():
            yield from _named(root, place / name, label, dataset, skips)
    _count_the_rest(root, place, skips)


def _named(root: Path, folder: Path, label: str, dataset: str, skips: Skips) -> Iterator[Row]:
    """The published layout: the name tells all."""
    pattern, wanted = (_FAKE, "DIFFICULTY_NUMBER_PARTS") if label == "fake" else (_REAL, "real_NUMBER")
    for path in files_below(root, folder, skips, PICTURE_SUFFIXES):
        stem = PurePosixPath(path).stem
        named = pattern.fullmatch(stem)
        if named is None:
            skips.add(f"the name of a {label} is not {wanted}", path)
            continue
        values: dict[str, Value] = {"path": path, "label": label, "group": f"ciplab:{stem}", "dataset": dataset}
        if label == "fake":
            values["difficulty"] = named["difficulty"]
            values |= {part: digit == "1" for part, digit in zip(_PARTS, named["parts"], strict=True)}
        yield Row.of(values)


def _count_the_rest(root: Path, place: Path, skips: Skips) -> None:
    """Count what was not read; the publisher's archive holds all files twice."""
    for other in (root / name for name in _ARCHIVE):
        if other.is_dir() and other != place:
            for path in files_below(root, other, Skips(), PICTURE_SUFFIXES):
                skips.add("a second copy of the set", path)
    copies = {PurePosixPath(name).parts[0] for name in _ARCHIVE}
    count_others(root, root, {*_FOLDERS, *copies}, "the folder '{0}' is no part of the published set", skips)


def _listed(root: Path, file: Path, dataset: str, skips: Skips) -> Iterator[Row]:
    """The crops: one entry of the table each."""
    table = read_index(file)
    require_columns(table, _COLUMNS, file)
    words = LabelWords(None, skips)
    said = Entries(skips, contradicted((entry["file"], entry["label"].lower()) for entry in entries(table)))
    listed: set[str] = set()
    for entry in entries(table):
        path = path_inside(root, entry["file"])
        if path is None:
            skips.add("the path is empty or leads outside ROOT", entry["file"])
            continue
        listed.add(path)
        label = words.label(entry["label"], path)
        if label is None or not said.counts(path) or not usable(root / path, path, skips):
            continue
        if any(entry[part] not in _BOOLEANS for part in _PARTS):
            skips.add("an edited part is neither 0, 1 nor empty", path)
            continue
        base = PurePosixPath(entry["base_photo"]).stem or path
        values: dict[str, Value] = {"path": path, "label": label, "group": f"ciplab:{base}", "dataset": dataset}
        values |= {part: _BOOLEANS[entry[part]] for part in _PARTS}
        yield Row.of({**values, "difficulty": entry["difficulty"] or None})
    count_unlisted(root, listed, file.name, skips)


register(
    Importer(
        name="ciplab",
        title="Faces photoshopped by experts ('real and fake face detection')",
        layout="ROOT/training_fake/{easy,mid,hard}_NUMBER_PARTS.jpg\nROOT/training_real/real_NUMBER.jpg\n"
        "(ROOT may lie in real_and_fake_face/; or ROOT/labels.csv: file, label, difficulty, edited_*, base_photo)",
        source="https://www.kaggle.com/datasets/ciplab/real-and-fake-face-detection",
        rows=rows,
        options=frozenset({"table"}),
    )
)
