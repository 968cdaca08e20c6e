"""The Deepfake Detection Challenge: its fifty training parts, validation and test; and its preview.

Each part has a ``metadata.json`` beside its videos: ``{"a.mp4": {"label": "FAKE", "split": "train", "original":
"b.mp4"}}``. Validation and test have ``labels.csv`` (``filename,label``, 1 = fake), the test part a ``metadata.json``
with ``is_fake`` too; they name no originals. (Layouts as read by selimsef/dfdc_deepfake_challenge
``preprocessing/utils.py``, SCLBD/DeepfakeBench ``preprocessing/rearrange.py``, polimi-ispl/icpr2020dfdc
``index_dfdc.py``.) Where both files are there they must agree.

A fake is its original's footage with another face, so the group is the original's name (``dfdc:b``), wherever that
lies: in another part, or nowhere. Who is seen is not published, and actors appear in several originals. Kaggle's
``test_videos`` came without labels and are left out, counted; its ``train_sample_videos`` are videos of the parts,
and a second copy of a video is left out too.

Dolhansky et al.: The DeepFake Detection Challenge Dataset (2020, https://arxiv.org/abs/2006.07397).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mesoscope.manifest import Row, Value
from mesoscope_train.data.importers import dfdc_preview
from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, register
from mesoscope_train.data.importers.dfdc_index import INDEX_FILES, Entry, has_index, read_part
from mesoscope_train.data.importers.footage import FOOTAGE_FOLDERS, footage
from mesoscope_train.data.importers.layout import folder_names, not_of_the_layout

_DEPTH = 3
"""``train/dfdc_train_part_00/dfdc_train_part_0`` is as deep as people unpack it."""


@dataclass(frozen=True, slots=True)
class _Indexes:
    """What all index files say together.

    Attributes:
        parts: folder to its entries.
        labels: label of every video named in one of them.
        disputed: videos to which two parts give different labels.
    """

    parts: Mapping[Path, Mapping[str, Entry]]
    labels: Mapping[str, str | None]
    disputed: frozenset[str]

    @classmethod
    def read(cls, folders: list[Path]) -> _Indexes:
        parts = {folder: read_part(folder) for folder in folders}
        labels: dict[str, str | None] = {}
        said = [(name, entry.label) for part in parts.values() for name, entry in part.items()]
        disputed = frozenset(name for name, label in said if labels.setdefault(name, label) != label)
        return cls(parts, labels, disputed)

    def fault(self, name: str, folder: Path) -> str | None:
        """Why a video of a folder cannot be used, None where it can."""
        if folder not in self.parts:
            return f"neither {' nor '.join(INDEX_FILES)} in its folder"
        entry = self.parts[folder].get(name)
        if entry is None:
            return "no entry in the index of its part"
        if name in self.disputed:
            return "the indexes of two parts disagree on the label"
        if entry.original and self.labels.get(entry.original) == "fake":
            return "its original is a fake itself"
        return entry.fault


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a video or a frame; see `Importer.rows`."""
    folders = list(_folders(root))
    previews = [folder for folder in folders if dfdc_preview.is_preview(folder)]
    full = [folder for folder in folders if folder not in previews]
    indexes = _Indexes.read([folder for folder in full if has_index(folder)])
    if not previews and not indexes.parts:
        raise not_of_the_layout(root, f"{', '.join(INDEX_FILES)} or {dfdc_preview.INDEX_FILE}, here or below")
    dataset = options.dataset or "dfdc"
    taken: set[str] = set()
    for folder in full:
        for values in _of_one_folder(root, folder, indexes, taken, skips):
            yield Row.of({**values, "dataset": dataset})
    _remark(indexes, skips)
    for folder in previews:
        yield from dfdc_preview.rows(root, folder, dataset, skips)


def _folders(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """The folder and those below it that may be parts, in order."""
    yield folder
    if depth and not dfdc_preview.is_preview(folder):
        for name in folder_names(folder):
            if name not in FOOTAGE_FOLDERS:
                yield from _folders(folder / name, depth - 1)


def _of_one_folder(
    root: Path, folder: Path, indexes: _Indexes, taken: set[str], skips: Skips
) -> Iterator[dict[str, Value]]:
    """The columns of a folder's videos; adds their names to `taken`."""
    met: set[str] = set()
    for video in footage(root, folder, skips, folder_names(folder)):
        met.add(video.name)
        fault = indexes.fault(video.name, folder)
        if fault is None and video.name in taken:
            fault = "a second copy of a video"
        if fault:
            skips.add(fault, video.path)
            continue
        taken.add(video.name)
        entry = indexes.parts[folder][video.name]
        values: dict[str, Value] = {
            "label": entry.label,
            "group": f"dfdc:{entry.original or video.name}",
            "split": entry.split,
        }
        for file in video.files(root, skips):
            yield {**values, **file}
    for name in indexes.parts.get(folder, {}):
        if name not in met:
            skips.add("in the index, but the video is missing", (folder / f"{name}.mp4").relative_to(root).as_posix())


def _remark(indexes: _Indexes, skips: Skips) -> None:
    """Say what the groups cannot know."""
    entries = [entry for part in indexes.parts.values() for entry in part.values()]
    alone = sum(entry.label == "fake" and entry.original is None for entry in entries)
    if alone:
        skips.note(f"fakes without the name of their original, each a group of its own: {alone:,}")
    elsewhere = sum(entry.original is not None and entry.original not in indexes.labels for entry in entries)
    if elsewhere:
        skips.note(f"fakes whose original no index here names, grouped by its name: {elsewhere:,}")


register(
    Importer(
        name="dfdc",
        title="Deepfake Detection Challenge, full and preview",
        layout="ROOT/**/dfdc_train_part_N/metadata.json and VIDEO.mp4 beside it\n"
        "ROOT/{validation,test}/labels.csv (and metadata.json) and VIDEO.mp4 beside it\n"
        "preview: ROOT/dataset.json (or ROOT/dfdc_preview_set/dataset.json) and the videos it names",
        source="https://ai.meta.com/datasets/dfdc",
        rows=rows,
    )
)
