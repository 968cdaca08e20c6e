"""What every importer keeps, those of tomorrow too: a new one needs a sample here, the smallest tree it reads."""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions, importers
from mesoscope_train.data.importing import OPTION_WORDS, import_data

Sample = tuple[tuple[str, ...], dict[str, str]]
SAMPLES: dict[str, Sample] = {
    "ai-human": (("car/0_real/0001.png", "car/1_fake/0002.png", "dog/0_real/0003.png", "dog/1_fake/0004.png"), {}),
    "celeba-gan": (
        ("img_align_celeba/000001.jpg", "img_align_celeba/000002.jpg", "1m_faces_00/a.jpg", "1m_faces_00/b.jpg"),
        {
            "identity_CelebA.txt": "000001.jpg 2880\n000002.jpg 2937\n",
            "list_eval_partition.txt": "000001.jpg 0\n000002.jpg 2\n",
        },
    ),
    "celebdf": (
        ("Celeb-real/id0_0000.mp4", "Celeb-synthesis/id0_id1_0000.mp4", "YouTube-real/00170.mp4"),
        {"List_of_testing_videos.txt": "1 YouTube-real/00170.mp4\n"},
    ),
    "ciplab": (("training_fake/easy_1_1110.jpg", "training_real/real_00001.jpg"), {}),
    "dfdc": (
        ("dfdc_train_part_0/a.mp4", "dfdc_train_part_0/b.mp4"),
        {
            "dfdc_train_part_0/metadata.json": json.dumps(
                {
                    "a.mp4": {"label": "FAKE", "split": "train", "original": "b.mp4"},
                    "b.mp4": {"label": "REAL", "split": "train", "original": None},
                }
            )
        },
    ),
    "dfdc-faces": (
        ("faces_224/a.jpg", "faces_224/b.jpg"),
        {
            "metadata.csv": "videoname,original_width,original_height,label,original\n"
            "a.mp4,90,89,FAKE,b.mp4\nb.mp4,185,185,REAL,\n"
        },
    ),
    "faceforensics": (
        (
            "original_sequences/youtube/c23/videos/004.mp4",
            "original_sequences/youtube/c23/videos/982.mp4",
            "manipulated_sequences/Deepfakes/c23/videos/004_982.mp4",
        ),
        {},
    ),
    "folders": (("real/1.jpg", "fake/2.jpg", "fake/deeper/3.jpg"), {}),
    "mesonet": (("df/114_132.jpg", "df/114_42.jpg", "real/97_112.jpg"), {}),
    "table": (("a/1.jpg", "a/2.jpg", "b/3.jpg"), {"t.csv": "path,label\nb/3.jpg,fake\na/2.jpg,real\na/1.jpg,real\n"}),
}

every_importer = pytest.mark.parametrize("name", sorted(importers))


@pytest.fixture
def sample(tmp_path: Path, plant) -> Callable[[str], Path]:
    """Function from an importer's name to a tree in its layout."""

    def make(name: str) -> Path:
        media, files = SAMPLES[name]
        plant(tmp_path / "set", *media)
        for path, content in files.items():
            (tmp_path / "set" / path).write_text(content)
        return tmp_path / "set"

    return make


def test_every_importer_has_a_sample() -> None:
    assert set(importers) == set(SAMPLES)


@every_importer
def test_it_says_what_it_is(name: str) -> None:
    importer = importers[name]
    assert importer.name == name
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    assert 10 <= len(importer.title) <= 80
    assert importer.title[-1] != "."
    assert importer.layout.startswith("ROOT/")
    assert importer.source
    module = sys.modules[importer.rows.__module__]
    assert len(inspect.getdoc(module) or "") > 100
    assert inspect.getdoc(importer.rows)


@every_importer
def test_its_options_exist(name: str) -> None:
    assert importers[name].options <= {entry.name for entry in fields(ImportOptions)} - {"dataset"}
    assert importers[name].options <= set(OPTION_WORDS)


@every_importer
def test_what_it_does_not_heed_is_refused(name: str, sample) -> None:
    given = {
        "labels": {"x": "real"},
        "columns": {"path": "x"},
        "constants": {"label": "real"},
        "table": Path("x"),
        "group": "file",
        "subfolders": "category",
        "compressions": ("c23",),
    }
    assert set(given) == set(OPTION_WORDS)
    root = sample(name)
    for option in set(given) - importers[name].options:
        with pytest.raises(UsageError, match=f"'{name}' does not heed {OPTION_WORDS[option]}; it heeds"):
            import_data(name, root, ImportOptions(**{option: given[option]}))


@every_importer
def test_its_sample_is_read_whole(name: str, sample) -> None:
    found = import_data(name, sample(name), ImportOptions(dataset="named"))
    assert sorted(found.manifest.values("path")) == sorted(SAMPLES[name][0])
    assert set(found.manifest.values("label")) == {"real", "fake"}
    assert set(found.manifest.values("dataset")) == {"named"}
    assert found.skips.total == 0
    for group in found.manifest.values("group"):
        assert re.match(r"[a-z0-9][a-z0-9_-]*:.", group), "a group names its corpus, so that merged sets cannot leak"


@every_importer
def test_the_order_is_not_the_file_systems(name: str, sample, monkeypatch: pytest.MonkeyPatch) -> None:
    root = sample(name)
    expected = import_data(name, root)
    listdir, scandir = os.listdir, os.scandir
    reversals: list[str] = []

    class Reversed:
        def __init__(self, path: str) -> None:
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)
            reversals.append(str(path))

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self.entries)

        def __exit__(self, *_: object) -> None: ...

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self.entries)

    def backwards(path: str = ".") -> list[str]:
        reversals.append(str(path))
        return sorted(listdir(path), reverse=True)

    monkeypatch.setattr(os, "scandir", Reversed)
    monkeypatch.setattr(os, "listdir", backwards)
    again = import_data(name, root)
    assert again.manifest.table.equals(expected.manifest.table)
    assert (again.skips.examples, again.skips.notes) == (expected.skips.examples, expected.skips.notes)
    assert reversals


@every_importer
def test_an_empty_directory_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"looked for .*empty|empty.*(looked for|has no folder named)"):
        import_data(name, tmp_path / "empty")


@every_importer
def test_a_directory_of_another_layout_is_refused(name: str, tmp_path: Path, plant) -> None:
    plant(tmp_path, "somewhere/else/picture.jpg", "video.mp4")
    with pytest.raises(UsageError, match=r"looked for|has no folder named"):
        import_data(name, tmp_path)


@every_importer
def test_a_file_without_content_is_counted(name: str, sample) -> None:
    root = sample(name)
    path = SAMPLES[name][0][0]
    (root / path).write_bytes(b"")
    found = import_data(name, root)
    assert path not in found.manifest.values("path")
    assert found.skips.examples["the file is empty (0 bytes)"] == [path]


@every_importer
def test_a_file_that_nobody_expects_becomes_a_row_or_is_counted(name: str, sample) -> None:
    root = sample(name)
    known = root / SAMPLES[name][0][0]
    stray = known.with_name(f"not 1 of the names{known.suffix}")
    stray.write_bytes(known.read_bytes())
    found = import_data(name, root)
    there = stray.relative_to(root).as_posix() in found.manifest.values("path")
    assert there or any(stray.name in path for paths in found.skips.examples.values() for path in paths)


@every_importer
def test_no_picture_is_opened(name: str, sample) -> None:
    """Listing a million files takes minutes only as long as none is decoded: rubbish is found later, by the audit."""
    root = sample(name)
    for path in SAMPLES[name][0]:
        (root / path).write_bytes(b"rubbish")
    assert len(import_data(name, root).manifest) == len(SAMPLES[name][0])
