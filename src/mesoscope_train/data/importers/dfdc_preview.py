"""The preview of the Deepfake Detection Challenge: ``dataset.json`` and the videos it names.

``dataset.json`` maps a path (``original_videos/643049/643049_A_001.mp4``,
``method_A/1260311/1260311_C/1255229_1260311_C_001.mp4``) to ``label`` (``real``, ``fake``), ``set`` (``train``,
``test``), ``target_id`` (the actor whose footage it is), ``swapped_id`` (the actor whose face was put in) and
``augmentations``, as read by SCLBD/DeepfakeBench ``preprocessing/rearrange.py``. Groups are the actors whom swaps
connect, so that neither of the two leaks.

Dolhansky et al.: The Deepfake Detection Challenge (DFDC) Preview Dataset (2019, https://arxiv.org/abs/1910.08854).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mesoscope.manifest import Row, Value
from mesoscope_train.data.importers.contract import Skips, files_below, usable
from mesoscope_train.data.importers.index_file import as_text
from mesoscope_train.data.importers.json_index import read_objects
from mesoscope_train.data.importers.layout import count_others
from mesoscope_train.data.links import components

INDEX_FILE = "dataset.json"
_LABEL_OF_FOLDER = {"original_videos": "real", "method_A": "fake", "method_B": "fake"}
_SPLITS = {"train": "train", "test": "test"}


def is_preview(folder: Path) -> bool:
    """Whether a folder is the root of the preview."""
    return (folder / INDEX_FILE).is_file()


def rows(root: Path, folder: Path, dataset: str, skips: Skips) -> Iterator[Row]:
    """A row a video that the index and the folders agree on.

    Args:
        root: of the manifest.
        folder: of the preview, `root` or below it.
        dataset: name of the set.
        skips: counts what is left out.

    Raises:
        UsageError: the index is broken.
    """
    content = read_objects(folder / INDEX_FILE)
    there: dict[str, dict[str, Any]] = {}
    for name, entry in sorted(content.items()):
        path = _below(root, folder, name)
        fault = _fault(name, entry)
        if fault:
            skips.add(fault, path)
        elif usable(folder / name, path, skips):
            there[name] = entry
    people = {name: (as_text(entry["target_id"]), _source(entry)) for name, entry in there.items()}
    group_of = components((target, source) for target, source in people.values() if source)
    _count_unlisted(root, folder, content, skips)
    _remark(people, group_of, there, skips)
    for name, entry in there.items():
        target, source = people[name]
        label = _LABEL_OF_FOLDER[PurePosixPath(name).parts[0]]
        values: dict[str, Value] = {
            "path": _below(root, folder, name),
            "label": label,
            "group": f"dfdc:preview-{group_of.get(target, target)}",
            "dataset": dataset,
            "split": _SPLITS.get(as_text(entry.get("set"))),
            "generator": PurePosixPath(name).parts[0] if label == "fake" else None,
            "identity": f"dfdc:{target}",
            "source_identity": f"dfdc:{source}" if source else None,
            "augmentation": _augmentation(entry),
        }
        yield Row.of(values)


def _below(root: Path, folder: Path, name: str) -> str:
    return (folder.relative_to(root) / name).as_posix()


def _source(entry: Mapping[str, Any]) -> str:
    return as_text(entry.get("swapped_id")) if as_text(entry.get("label")) == "fake" else ""


def _fault(name: str, entry: Mapping[str, Any]) -> str | None:
    """Why an entry cannot be used, None where it can."""
    if _leads_out(name):
        return "the path leads out of the folder"
    folder, label = PurePosixPath(name).parts[0], as_text(entry.get("label"))
    if folder not in _LABEL_OF_FOLDER:
        return f"the folder '{folder}' is none of {', '.join(_LABEL_OF_FOLDER)}"
    if label not in _LABEL_OF_FOLDER.values():
        return f"the label '{label}' is unknown"
    if label != _LABEL_OF_FOLDER[folder]:
        return f"{INDEX_FILE} and the folder disagree on the label"
    if not as_text(entry.get("target_id")) or (label == "fake" and not _source(entry)):
        return "the entry does not say who is seen, so that its group is unknown"
    return None


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or not path.parts


def _augmentation(entry: Mapping[str, Any]) -> str | None:
    """What was done to a video of the test part to make it harder, in the publisher's words."""
    names = entry.get("augmentations")
    return ", ".join(map(str, names)) or None if isinstance(names, list) else None


def _count_unlisted(root: Path, folder: Path, content: Mapping[str, Any], skips: Skips) -> None:

    listed = {_below(root, folder, name) for name in content}
    kinds = sorted({*_LABEL_OF_FOLDER, *(PurePosixPath(name).parts[0] for name in content if not _leads_out(name))})
    for kind in kinds:
        if (folder / kind).is_dir():
            for path in files_below(root, folder / kind, Skips()):  # an empty one is counted where it is listed
                if path not in listed:
                    skips.add(f"no entry in {INDEX_FILE}", path)
    count_others(root, folder, kinds, "the folder '{0}' is no part of the preview", skips)


def _remark(
    people: Mapping[str, tuple[str, str]],
    group_of: Mapping[str, str],
    entries: Mapping[str, Mapping[str, Any]],
    skips: Skips,
) -> None:
    """Say how large the groups are, and whether the official sets cut through them."""
    sizes = Counter(group_of.get(target, target) for target, _ in people.values())
    if not sizes:
        return
    largest = sizes.most_common(1)[0][1]
    skips.note(
        f"preview: swaps tie the actors into {len(sizes)} groups, the largest with {largest:,} of {len(people):,} "
        "videos; no split divides a group"
    )
    sets: dict[str, set[str]] = {}
    for name, (target, _) in people.items():
        sets.setdefault(group_of.get(target, target), set()).add(as_text(entries[name].get("set")))
    across = sum(len(found) > 1 for found in sets.values())
    if across:
        skips.note(f"preview: groups that the official sets cut through (an audit will say so): {across}")
