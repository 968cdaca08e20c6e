"""The face crops of the MesoNet authors: ``df`` and ``real``, training and test.

The publisher's archive holds ``train_test`` (on some systems ``train:test``) and ``validation``. The first is
training and validation in one, the second is the test set, as the author corrects the names
(https://github.com/DariusAf/MesoNet/issues/29); so the splits here are ``train`` and ``test``, and the validation
part is for `data split` to cut out of ``train``.

A test crop is named ``VIDEO_FRAME.jpg``, and its group is label and video: the two labels number their videos
independently, from different footage. A training crop is named ``df00204.jpg`` or ``real00240.jpg``, a running number
over all videos, from which no video can be told: all training crops of one label are one group, unless ``--group``
says how they belong together.

Afchar, Nozick, Yamagishi, Echizen: MesoNet: a Compact Facial Video Forgery Detection Network (WIFS 2018,
https://arxiv.org/abs/1809.00888); for research only.
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
)
from mesoscope_train.data.importers.grouping import does_not_fit, grouping
from mesoscope_train.data.importers.layout import (
    count_others,
    folder_names,
    found_below,
    not_of_the_layout,
    sections,
)

_LABELS = {"df": "fake", "fake": "fake", "real": "real"}
_SPLITS = {
    "train_test": "train",
    "train:test": "train",
    "train-test": "train",
    "train": "train",
    "validation": "test",
}
_TOGETHER = "unnamed"
_NO_PART = "the folder '{0}' is no part of the published set"
_ARCHIVE = ("deepfake_database", "deepfake_database/deepfake_database")
_VIDEO_AND_FRAME = re.compile(r"(\d+)_(\d+)")
_RUNNING_NUMBER = re.compile(r"(df|real)\d+")


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a crop; see `Importer.rows`."""
    place = found_below(root, _ARCHIVE, lambda folder: bool(sections(folder, _SPLITS, _has_crops)))
    if place is None:
        raise not_of_the_layout(
            root, "folders df (or fake) and real, or train_test and validation with these in them"
        )
    names = _Names(options.group, skips)
    parts = sections(place, _SPLITS, _has_crops)
    for part in parts:
        for values in _crops(root, part.folder, names, skips):
            yield Row.of({**values, "dataset": options.dataset or "mesonet", "split": part.split})
    if parts[0].folder != place:
        count_others(root, place, {part.folder.name for part in parts}, _NO_PART, skips)
    if place != root:
        count_others(root, root, place.relative_to(root).parts[:1], _NO_PART, skips)
    names.note()


def _has_crops(folder: Path) -> bool:
    return any(name.lower() in _LABELS for name in folder_names(folder))


def _crops(root: Path, folder: Path, names: _Names, skips: Skips) -> Iterator[dict[str, Value]]:

    labelled = {name: _LABELS[name.lower()] for name in folder_names(folder) if name.lower() in _LABELS}
    for name, label in labelled.items():
        for path in files_below(root, folder / name, skips, PICTURE_SUFFIXES):
            values = names.read(path, label)
            if values is not None:
                yield {"path": path, "label": label, **values}
    count_others(root, folder, labelled, "the folder '{0}' is neither df, fake nor real", skips)


class _Names:
    """Reads the names of crops; counts those that are not the publisher's.

    Args:
        rule: of ``--group``, for the names without a video; None for all of a label together.
        skips: takes what is left out.
    """

    def __init__(self, rule: str | None, skips: Skips) -> None:
        self._rule = rule
        self._group_of = grouping(rule) if rule else lambda _path: _TOGETHER
        self._skips = skips
        self._together = 0

    def read(self, path: str, label: str) -> dict[str, Value] | None:
        """The columns that a name tells, among them ``group``; None where the crop is left out."""
        stem = PurePosixPath(path).stem
        named = _VIDEO_AND_FRAME.fullmatch(stem)
        if named:
            video, frame = named.groups()
            return {"group": f"mesonet:{label}:{video}", "source_video": f"{label}/{video}", "frame": int(frame)}
        if not _RUNNING_NUMBER.fullmatch(stem):
            self._skips.add("the name is neither VIDEO_FRAME nor df or real with a number", path)
            return None
        group = self._group_of(path)
        if group is None:
            self._skips.add(does_not_fit(self._rule or ""), path)
            return None
        self._together += self._rule is None
        return {"group": f"mesonet:{label}:{group}"}

    def note(self) -> None:
        """Remark on crops that no split can divide."""
        if self._together:
            self._skips.note(
                f"{self._together:,} crops are named without their video: those of one label are one group, which "
                "no split divides; where you know which numbers belong together, say it with --group"
            )


register(
    Importer(
        name="mesonet",
        title="MesoNet's face crops (Deepfake videos of the web)",
        layout="ROOT/train_test/{df,real}/{df,real}NNNNN.jpg\nROOT/validation/{df,real}/VIDEO_FRAME.jpg\n"
        "(or ROOT/{fake,real}/VIDEO_FRAME.jpg; ROOT may lie in deepfake_database/)",
        source="https://github.com/DariusAf/MesoNet",
        rows=rows,
        options=frozenset({"group"}),
    )
)
