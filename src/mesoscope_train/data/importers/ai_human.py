"""Twenty kinds of objects, photographed and made by AI: the training set of CNNDetection ("ForenSynths").

Published as ``CATEGORY/0_real/*.png`` and ``CATEGORY/1_fake/*.png`` in ``train/`` and ``val/`` (or ``progan_train``,
``progan_val``): 720,000 PNG of 256 pixels, 18,000 LSUN photographs and 18,000 ProGAN pictures a category
(https://github.com/PeterWang512/CNNDetection, README, "Dataset"; Wang et al., CVPR 2020,
https://arxiv.org/abs/1912.11035). Also read is the re-arrangement in which files got their category as a prefix and
were gathered: ``real/airplane_00001.png``, ``fake/dining table_00001.png``.

One category is called ``train``: a folder of that name with label folders in it is that category where other
categories lie beside it, and a split otherwise. A file whose category cannot be told is left out, counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from mesoscope_train.data.importers.layout import Section, count_others, folder_names, not_of_the_layout

CATEGORIES = (
    "airplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table", "dog",
    "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor",
)  # fmt: skip
_LABELS = {"0_real": "real", "1_fake": "fake", "real": "real", "fake": "fake", "human": "real", "ai": "fake"}
_SPLITS = {"train": "train", "progan_train": "train", "val": "validation", "progan_val": "validation", "test": "test"}
_NO_LABEL = "the folder '{0}' has no label: name it with --label '{0}=real' or --label '{0}=fake'"
_BETWEEN_WORDS = re.compile(r"[ _-]")
_BY_LETTERS = {category.replace(" ", ""): category for category in CATEGORIES}
_PREFIX = re.compile(
    "(" + "|".join(category.replace(" ", "[ _-]?") for category in CATEGORIES) + r")(?=[ _.\d-]|$)", re.IGNORECASE
)
"""A category, as one word or two, that ends where the rest of the name begins: ``car_1`` but not ``cardboard``."""


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of one label.

    Attributes:
        place: the folder.
        label: of its pictures.
        split: official, None where there is none.
        category: of its pictures; None where their names say it.
    """

    place: Path
    label: str
    split: str | None
    category: str | None


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a picture; see `Importer.rows`."""
    found = list(_folders(root, {**_LABELS, **options.labels}, skips))
    if not found:
        raise not_of_the_layout(
            root, "folders 0_real and 1_fake, or real and fake, in folders of categories or alone"
        )
    for folder in found:
        for path in files_below(root, folder.place, skips, PICTURE_SUFFIXES):
            category, name = _category(path, folder.category)
            if category is None:
                skips.add("the name begins with none of the twenty categories", path)
                continue
            part = [folder.split] if folder.split else []
            values: dict[str, Value] = {
                "path": path,
                "label": folder.label,
                "group": "ai-human:" + "/".join([*part, category, folder.label, name]),
                "dataset": options.dataset or "ai-human",
                "split": folder.split,
                "category": category,
            }
            yield Row.of(values)


def _folders(root: Path, words: Mapping[str, str], skips: Skips) -> Iterator[_Folder]:
    """The folders that have a label; counts what lies in others."""
    sections = _sections(root, words)
    for section in sections:
        place = section.folder
        gathered = _labelled(place, words)
        categories = [name for name in folder_names(place) if _letters(name) in _BY_LETTERS and name not in gathered]
        for name, label in gathered.items():
            yield _Folder(place / name, label, section.split, None)
        for category in categories:
            labelled = _labelled(place / category, words)
            for name, label in labelled.items():
                yield _Folder(place / category / name, label, section.split, _BY_LETTERS[_letters(category)])
            count_others(root, place / category, labelled, _NO_LABEL, skips)
        count_others(
            root, place, [*gathered, *categories], "the folder '{0}' is none of the twenty categories", skips
        )
    if sections and sections[0].folder != root:
        taken = [section.folder.name for section in sections]
        count_others(root, root, taken, "the folder '{0}' holds neither categories nor labels", skips)


def _sections(root: Path, words: Mapping[str, str]) -> list[Section]:
    """The root where it holds categories or labels itself, else its folders that are splits."""
    categories = _categories(root, words)
    # alone, a folder `train` with labels in it is no category but the training part of gathered files
    if _labelled(root, words) or set(categories) - {"train"}:
        return [Section(None, root)]
    named = [(_SPLITS[name.lower()], root / name) for name in folder_names(root) if name.lower() in _SPLITS]
    return [
        Section(split, folder) for split, folder in named if _labelled(folder, words) or _categories(folder, words)
    ]


def _labelled(folder: Path, words: Mapping[str, str]) -> dict[str, str]:
    """The folders in a folder that have a label, by name."""
    labels = {name: words.get(name) or words.get(name.lower()) for name in folder_names(folder)}
    return {name: label for name, label in labels.items() if label}


def _categories(folder: Path, words: Mapping[str, str]) -> list[str]:
    """The categories that have a folder with labels in it."""
    names = [name for name in folder_names(folder) if _letters(name) in _BY_LETTERS]
    return [_BY_LETTERS[_letters(name)] for name in names if _labelled(folder / name, words)]


def _letters(name: str) -> str:
    return _BETWEEN_WORDS.sub("", name.lower())


def _category(path: str, category: str | None) -> tuple[str | None, str]:
    """Category of a picture, None where it cannot be told, and the picture's name without it."""
    stem = PurePosixPath(path).stem
    if category is not None:
        return category, stem
    prefix = _PREFIX.match(stem)
    if prefix is None:
        return None, stem
    return _BY_LETTERS[_letters(prefix.group(1))], stem[prefix.end() :].lstrip(" _-.") or stem


register(
    Importer(
        name="ai-human",
        title="Twenty categories, photographed and made by AI (CNNDetection's training set)",
        layout="ROOT/CATEGORY/{0_real,1_fake}/NAME.png  (or real, ai; diningtable or dining table)\n"
        "ROOT/{real,fake}/CATEGORY_NAME.png  (gathered, with the category as a prefix)\n"
        "(or either in ROOT/train, ROOT/val, ROOT/test)",
        source="https://github.com/PeterWang512/CNNDetection",
        rows=rows,
        options=frozenset({"labels"}),
    )
)
