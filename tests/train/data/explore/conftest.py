"""Small data sets of real pictures, and their measurements."""

from __future__ import annotations

import itertools
import shutil

import pytest
from PIL import Image

from mesoscope.manifest import ManifestBuilder, Row


@pytest.fixture(scope="session")
def pictures(examples):
    """Four portraits of 48 x 64 pixels."""
    names = ("portrait-photo-1", "portrait-photo-2", "portrait-generated-1", "portrait-generated-2")
    return [Image.open(examples / f"{name}.jpg").convert("RGB").resize((48, 64)) for name in names]


@pytest.fixture
def make_manifest(tmp_path, pictures):
    """Function from rows (keywords of `Row` each, all but label optional) to a manifest whose pictures are there."""
    root = tmp_path / "data"

    def make(rows, *, history=(), quality=80):
        builder = ManifestBuilder(root)
        for index, (values, picture) in enumerate(zip(rows, itertools.cycle(pictures), strict=False)):
            row = Row(**{"path": f"{index}.jpg", "group": f"g:{index}", "dataset": "set", **values})
            builder.add(row)
            (root / row.path).parent.mkdir(parents=True, exist_ok=True)
            if not (root / row.path).exists():
                picture.save(root / row.path, "JPEG", quality=quality)
        return builder.build(*history)

    return make


@pytest.fixture
def with_video(make_manifest, clip):
    """A real picture, and a fake video that bears the name of a picture."""
    manifest = make_manifest([{"label": "real"}, {"label": "fake"}])
    shutil.copy(clip, manifest.file("1.jpg"))
    return manifest


@pytest.fixture
def measure_all(tmp_path):
    """Function from a manifest to the real measurements."""
    from mesoscope_train.data.audit.measures import measure

    return lambda manifest: measure(manifest, tmp_path / "measures.parquet", workers=0)
