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
from collections.abc import Callable, Iterator
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
_NO_PART = "the folder '{0}' is no part of the published set"
_ARCHIVE = ("deepfake_database", "deepfake_database/deepfake_database")
_VIDEO_AND_FRAME = re.compile(r"(?P<video>\d+)_(?P<frame>\d+)")
_RUNNING_NUMBER = re.compile(r"(df|real)\d+")


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a crop; see `Importer.rows`."""
    place = found_below(root, _ARCHIVE, lambda folder: bool(sections(folder, _SPLITS, _has_crops)))
    if place is None:
        raise not_of_the_layout(
            root, "folders df (or fake) and real, or train_test and validation with these in them"
        )
    dataset = options.dataset or "mesonet"
    group_of = grouping(options.group) if options.group else None
    together = 0
    parts = sections(place, _SPLITS, _has_crops)
    for part in parts:
        for name in folder_names(part.folder):
            label = _LABELS.get(name.lower())
            for path in files_below(root, part.folder / name, skips, PICTURE_SUFFIXES):
                if label is None:
                    skips.add(f"the folder '{name}' is neither df, fake nor real", path)
                    continue
                values = _values(path, label, group_of, skips)
                if values is not None:
                    together += "frame" not in values and group_of is None
                    yield Row.of({**values, "dataset": dataset, "split": part.split})
    if parts[0].folder != place:
        count_others(root, place, {part.folder.name for part in parts}, _NO_PART, skips)
    if place != root:
        count_others(root, root, place.relative_to(root).parts[:1], _NO_PART, skips)
    if together:
        skips.note(
            f"{together:,} crops are named without their video: those of one label are one group, which no split "
            "divides; where you know which numbers belong together, say it with --group"
        )


def _has_crops(folder: Path) -> bool:
    return any(name.lower() in _LABELS for name in folder_names(folder))


def _values(
    path: str, label: str, group_of: Callable[[str], str | None] | None, skips: Skips
) -> dict[str, Value] | None:
    """What a crop's name says; None where it is not one of the publisher's names, which is counted."""
    stem = PurePosixPath(path).stem
    named = _VIDEO_AND_FRAME.fullmatch(stem)
    if named:
        group = f"mesonet:{label}:{named['video']}"
        video = f"{label}/{named['video']}"
        return {"path": path, "label": label, "group": group, "source_video": video, "frame": int(named["frame"])}
    if not _RUNNING_NUMBER.fullmatch(stem):
        skips.add("the name is neither VIDEO_FRAME nor df or real with a number", path)
        return None
    found = group_of(path) if group_of else "unnamed"
    if found is None:
        skips.add(does_not_fit("of these names"), path)
        return None
    return {"path": path, "label": label, "group": f"mesonet:{label}:{found}"}


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
