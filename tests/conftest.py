"""Where tests find pictures: the examples (always there) and the big data (where `MESOSCOPE_DATA` points)."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mesoscope.bundle import find_bundle

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _interrupts_arrive() -> None:
    """A shell's background jobs ignore Ctrl-C, and so would the programs that the tests start and interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


@pytest.fixture(scope="session")
def portrait(examples: Path) -> Path:
    """A 512 px JPEG with one face."""
    return examples / "portrait-photo-1.jpg"


@pytest.fixture(scope="session")
def clip(examples: Path) -> Path:
    """A three-second MP4 with two people side by side."""
    return examples / "two-people.mp4"


@pytest.fixture(scope="session")
def group_photo(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG with four faces: the four example portraits in a two-by-two sheet."""
    names = ["portrait-photo-1", "portrait-photo-2", "portrait-generated-1", "portrait-generated-2"]
    tiles = [np.asarray(Image.open(examples / f"{name}.jpg").convert("RGB").resize((400, 400))) for name in names]
    sheet = np.concatenate([np.concatenate(tiles[:2], axis=1), np.concatenate(tiles[2:], axis=1)])
    path = tmp_path_factory.mktemp("group") / "group.jpg"
    Image.fromarray(sheet).save(path, quality=92)
    return path


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The big data sets; tests that need them skip where they are absent."""
    path = Path(os.environ.get("MESOSCOPE_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no data at {path}; set MESOSCOPE_DATA")
    return path


@pytest.fixture(scope="session")
def crops_dir(data_dir: Path) -> Path:
    """The four published MesoNet test crops, in folders real/ and df/."""
    path = data_dir / "mesonet-weights" / "test_images"
    if not path.is_dir():
        pytest.skip(f"{path} is absent")
    return path


@pytest.fixture
def bundle_copy(tmp_path: Path) -> Path:
    """A copy of the packaged bundle, to be damaged."""
    source = find_bundle("mesoscope-face")
    return Path(shutil.copytree(source, tmp_path / source.name))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory as the user's, so that no test sees what is installed on this machine."""
    monkeypatch.setenv("MESOSCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
