"""A small set of videos and pictures with everything that can go wrong in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from mesoscope.faces import FaceFinder, open_finder
from mesoscope.manifest import Manifest, ManifestBuilder, Row
from mesoscope_train.data.crops.cutting import Cutter, Task
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.records import FileRecord

ROWS = (
    Row(path="fake/two.mp4", label="fake", group="s:two", dataset="s", generator="swap", split="train"),
    Row(path="fake/woman.jpg", label="fake", group="s:woman", dataset="s", generator="gan", extra={"age": 30}),
    Row(path="real/broken.jpg", label="real", group="s:broken", dataset="s"),
    Row(path="real/four.jpg", label="real", group="s:four", dataset="s", extra={"age": 50}),
    Row(path="real/man.png", label="real", group="s:man", dataset="s", source_video="talk", frame=7, time=0.5),
    Row(path="real/nobody.jpg", label="real", group="s:nobody", dataset="s"),
)


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory, examples: Path, clip: Path, group_photo: Path) -> Manifest:
    """A video of two people, a picture of one, a broken one, one of four, one of one, one of nobody."""
    root = tmp_path_factory.mktemp("sources")
    (root / "fake").mkdir()
    (root / "real").mkdir()
    shutil.copy(clip, root / "fake/two.mp4")
    for name, to, side in (
        ("portrait-generated-1", "fake/woman.jpg", 192),
        ("portrait-photo-1", "real/man.png", 192),
        ("no-face-rotated", "real/nobody.jpg", 128),
    ):
        picture = Image.open(examples / f"{name}.jpg").convert("RGB")
        picture.thumbnail((side, side))
        picture.save(root / to)
    Image.open(group_photo).resize((400, 400)).save(root / "real/four.jpg", quality=95)
    whole = (root / "fake/woman.jpg").read_bytes()
    (root / "real/broken.jpg").write_bytes(whole[: len(whole) // 2])
    builder = ManifestBuilder(root)
    for row in ROWS:
        builder.add(row)
    return builder.build("made by hand")


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    return open_finder("dlib")


class InProcess:
    """Cuts in this very process, as a process of the pool does."""

    def __init__(self, root: Path, out: Path, finder: FaceFinder) -> None:
        self.root, self.out, self.finder = root, out, finder

    def __call__(self, path: str, **options: object) -> FileRecord:
        wanted = CropOptions(**options)  # type: ignore[arg-type]
        finder = None if wanted.finder == "none" else self.finder
        return Cutter(self.root, self.out, wanted, finder)(Task(0, path))


@pytest.fixture
def cut(sources: Manifest, tmp_path: Path, finder: FaceFinder) -> Iterator[InProcess]:
    yield InProcess(sources.root, tmp_path, finder)
