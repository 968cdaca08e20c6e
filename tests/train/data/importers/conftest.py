"""Small trees in published layouts, made from the example pictures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Plant = Callable[..., None]


@pytest.fixture(scope="session")
def small_pictures(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """The example portraits at 48 pixels, as JPEG and PNG, by suffix."""
    place = tmp_path_factory.mktemp("small")
    found: dict[str, list[Path]] = {".jpg": [], ".png": []}
    for file in sorted(examples.glob("portrait-*.jpg")):
        picture = Image.open(file).convert("RGB").resize((48, 48))
        for suffix, files in found.items():
            files.append(place / f"{file.stem}{suffix}")
            picture.save(files[-1])
    return found


@pytest.fixture(scope="session")
def plant(small_pictures: dict[str, list[Path]], clip: Path) -> Plant:
    """Function that puts a real picture (or, by its suffix, a real video) at each of the paths below a directory."""

    def put(root: Path, *paths: str) -> None:
        for number, path in enumerate(paths):
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            sources = small_pictures.get(file.suffix.lower(), [clip])
            shutil.copyfile(sources[number % len(sources)], file)

    return put
