"""One face a video of the DFDC, with metadata.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importing import import_data

HEAD = "videoname,original_width,original_height,label,original\n"


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def test_row_by_row(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"faces_224/{stem}.jpg" for stem in ("aaa", "bbb", "ccc", "ddd", "stray")), "masks/aaa.jpg")
    (tmp_path / "metadata.csv").write_text(
        HEAD
        + "aaa.mp4,90,89,FAKE,ccc.mp4\n"
        + "bbb.mp4,267,267,FAKE,elsewhere.mp4\n"
        + "ccc.mp4,185,185,REAL,\n"
        + "ddd.mp4,155,150,FAKE,\n"  # the trap: a fake of unknown footage
        + "gone.mp4,155,155,REAL,\n"
    )
    found = import_data("dfdc-faces", tmp_path)
    assert columns(found.manifest, "path", "label", "group", "source_video", "original_width", "original_height") == [
        ("faces_224/aaa.jpg", "fake", "dfdc:ccc", "aaa.mp4", 90, 89),
        ("faces_224/bbb.jpg", "fake", "dfdc:elsewhere", "bbb.mp4", 267, 267),
        ("faces_224/ccc.jpg", "real", "dfdc:ccc", "ccc.mp4", 185, 185),
    ]
    assert set(found.manifest.values("dataset")) == {"dfdc-faces"}
    assert "split" not in found.manifest
    assert "identity" not in found.manifest
    assert found.skips.examples == {
        "a fake without its original, so that its group is unknown": ["faces_224/ddd.jpg"],
        "the file is missing": ["faces_224/gone.jpg"],
        "no entry in metadata.csv": ["faces_224/stray.jpg"],
        "the folder 'masks' is no part of the published set": ["masks/aaa.jpg"],
    }


def test_entries_that_say_too_little_or_too_much(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"faces_224/{stem}.jpg" for stem in "abcdef"))
    (tmp_path / "metadata.csv").write_text(
        HEAD
        + "a.mp4,90,89,REAL,\n"
        + "a.mp4,90,89,FAKE,b.mp4\n"
        + "b.mp4,90,89,REAL,\n"
        + "b.mp4,90,89,REAL,\n"
        + "c.mp4,0,89,REAL,\n"
        + "d.mp4,wide,89,REAL,\n"
        + "e.mp4,90,89,MAYBE,\n"
        + ",90,89,REAL,\n"
        + "f.mp4,90,89,REAL,\n"
    )
    found = import_data("dfdc-faces", tmp_path)
    assert found.manifest.values("path") == ["faces_224/b.jpg", "faces_224/f.jpg"]
    assert found.skips.reasons == {
        "several entries give this file different labels": 2,
        "a second entry for the same file": 1,
        "the original size is no whole number of pixels": 2,
        "the label 'MAYBE' is unknown": 1,
        "the entry names no video": 1,
    }


def test_what_is_no_such_set_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "faces_224/a.jpg")
    with pytest.raises(UsageError, match=r"looked for metadata\.csv and the folder faces_224; it holds faces_224"):
        import_data("dfdc-faces", tmp_path)
    (tmp_path / "metadata.csv").write_text("videoname,label\na.mp4,REAL\n")
    with pytest.raises(UsageError, match=r"metadata\.csv has no column 'original_width'"):
        import_data("dfdc-faces", tmp_path)


def test_the_real_set(data_dir: Path) -> None:
    if not (data_dir / "dfdc-faces").is_dir():
        pytest.skip("no dfdc-faces")
    found = import_data("dfdc-faces", data_dir / "dfdc-faces")
    labels = found.manifest.values("label")
    assert (labels.count("fake"), labels.count("real")) == (8000, 8000)
    pairs = set(zip(found.manifest.values("group"), labels, strict=True))
    assert len(pairs) == 16000  # every real and every fake shows other footage than the others of its label
    assert len({group for group, _ in pairs}) == 8563
    assert found.skips.total == 0
