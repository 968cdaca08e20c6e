"""The index files of the Deepfake Detection Challenge: ``metadata.json`` and ``labels.csv`` beside the videos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from mesoscope_train.data.importers.index_file import as_text, entries, read_index, require_columns
from mesoscope_train.data.importers.json_index import read_objects

INDEX_FILES = ("metadata.json", "labels.csv")
_LABELS = {"REAL": "real", "FAKE": "fake", "0": "real", "1": "fake", "FALSE": "real", "TRUE": "fake"}
_SPLITS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index says of one video.

    Attributes:
        label: ``real`` or ``fake``; None where there is a fault.
        split: the official one, from the entry or, where it has none, from the folder's name.
        original: name (without suffix) of the video a fake was made from; None where the index names none.
        fault: why the entry cannot be used, as a clause.
    """

    label: str | None
    split: str | None = None
    original: str | None = None
    fault: str | None = None


def has_index(folder: Path) -> bool:
    """Whether a folder is a part of the set."""
    return any((folder / name).is_file() for name in INDEX_FILES)


def read_part(folder: Path) -> dict[str, Entry]:
    """The entries of a part by the videos' names without suffix.

    Raises:
        UsageError: an index file is broken.
    """
    split = _SPLITS.get(folder.resolve().name.lower())
    described: dict[str, Entry] = {}
    listed: dict[str, Entry] = {}
    if (folder / "metadata.json").is_file():
        content = read_objects(folder / "metadata.json")
        described = {_stem(name): _described(entry, split) for name, entry in content.items()}
    if (folder / "labels.csv").is_file():
        table = read_index(folder / "labels.csv")
        require_columns(table, ("filename", "label"), folder / "labels.csv")
        listed = _listed(((row["filename"], row["label"]) for row in entries(table)), split)
    return _agreed(described, listed)


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _described(entry: Mapping[str, Any], split: str | None) -> Entry:
    """An entry of ``metadata.json``: ``label`` and ``original`` of training parts, ``is_fake`` of the test part."""
    word = as_text(entry.get("label", entry.get("is_fake")))
    label = _LABELS.get(word.upper())
    if label is None:
        return Entry(None, fault=f"the label '{word}' is unknown" if word else "the entry has no label")
    split = _SPLITS.get(as_text(entry.get("split")).lower(), split)
    original = _stem(as_text(entry.get("original"))) or None
    if label == "fake" and original is None and "label" in entry:
        return Entry(None, fault="a fake without its original, so that its group is unknown")
    return Entry(label, split, original if label == "fake" else None)


def _listed(rows: Iterable[tuple[str, str]], split: str | None) -> dict[str, Entry]:
    """The entries of ``labels.csv``, in which 1 means fake."""
    found: dict[str, Entry] = {}
    for name, word in rows:
        label = _LABELS.get(word.upper())
        entry = Entry(label, split) if label else Entry(None, fault=f"the label '{word}' is unknown")
        if found.setdefault(_stem(name), entry).label != label:
            found[_stem(name)] = Entry(None, fault="labels.csv gives it several labels")
    return found


def _agreed(described: Mapping[str, Entry], listed: Mapping[str, Entry]) -> dict[str, Entry]:
    """Both indexes as one; what they disagree on gets a fault."""
    found = {**listed, **described}
    for name in listed.keys() & described.keys():
        if not found[name].fault and listed[name].label != described[name].label:
            fault = listed[name].fault or "metadata.json and labels.csv disagree on the label"
            found[name] = replace(found[name], label=None, fault=fault)
    return found
