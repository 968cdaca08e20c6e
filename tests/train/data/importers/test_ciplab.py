"""Photoshopped faces: the published names, and the crops with labels.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data

PARTS = ("edited_left_eye", "edited_right_eye", "edited_nose", "edited_mouth")
HEAD = "file,label,difficulty,edited_left_eye,edited_right_eye,edited_nose,edited_mouth,base_photo\n"


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def test_the_published_names_row_by_row(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        "training_fake/easy_1_1110.jpg",
        "training_fake/hard_12_0001.jpg",
        "training_fake/easy_2_111.jpg",
        "training_real/real_00001.jpg",
        "training_real/hard_12_0001.jpg",
    )
    found = import_data("ciplab", tmp_path)
    assert columns(found.manifest, "path", "label", "group", "difficulty", *PARTS) == [
        ("training_fake/easy_1_1110.jpg", "fake", "ciplab:easy_1_1110", "easy", True, True, True, False),
        ("training_fake/hard_12_0001.jpg", "fake", "ciplab:hard_12_0001", "hard", False, False, False, True),
        ("training_real/real_00001.jpg", "real", "ciplab:real_00001", None, None, None, None, None),
    ]
    assert "split" not in found.manifest
    assert found.skips.examples == {
        "the name of a fake is not DIFFICULTY_NUMBER_PARTS": ["training_fake/easy_2_111.jpg"],
        "the name of a real is not real_NUMBER": ["training_real/hard_12_0001.jpg"],
    }


def test_the_second_copy_in_the_archive_is_counted_not_read(tmp_path: Path, plant) -> None:
    inner = ("training_fake/mid_3_0100.jpg", "training_real/real_00002.jpg")
    copies = ("real_and_fake_face", "real_and_fake_face_detection/real_and_fake_face")
    plant(tmp_path, *(f"{copy}/{name}" for copy in copies for name in inner), "more/1.jpg")
    found = import_data("ciplab", tmp_path)
    assert found.manifest.values("path") == [f"real_and_fake_face/{name}" for name in inner]
    assert found.skips.reasons == {
        "a second copy of the set": 2,
        "the folder 'more' is no part of the published set": 1,
    }


def test_the_table_of_the_crops_row_by_row(tmp_path: Path, plant) -> None:
    plant(tmp_path, "fake/1.jpg", "fake/150.jpg", "real/0.jpg", "real/100.jpg", "real/547.jpg", "real/unlisted.jpg")
    (tmp_path / "labels.csv").write_text(
        HEAD
        + "fake/1.jpg,fake,mid,1,1,1,0,mid_329_1110.jpg\n"
        + "fake/150.jpg,fake,easy,1,1,0,1,easy_130_1101.jpg\n"
        + "fake/9.jpg,fake,easy,1,1,0,1,easy_131_1101.jpg\n"  # no such file
        + "real/0.jpg,real,,,,,,mid_264_1101.jpg\n"
        + "real/100.jpg,real,,,,,,\n"
        + "real/547.jpg,real,,,,,,easy_130_1101.jpg\n"  # the photograph that fake/150.jpg was made from
        + "../outside.jpg,real,,,,,,\n"
    )
    found = import_data("ciplab", tmp_path)
    assert columns(found.manifest, "path", "label", "group", "difficulty", *PARTS) == [
        ("fake/1.jpg", "fake", "ciplab:mid_329_1110", "mid", True, True, True, False),
        ("fake/150.jpg", "fake", "ciplab:easy_130_1101", "easy", True, True, False, True),
        ("real/0.jpg", "real", "ciplab:mid_264_1101", None, None, None, None, None),
        ("real/100.jpg", "real", "ciplab:real/100.jpg", None, None, None, None, None),
        ("real/547.jpg", "real", "ciplab:easy_130_1101", None, None, None, None, None),
    ]
    assert found.skips.examples == {
        "the file is missing": ["fake/9.jpg"],
        "the path is empty or leads outside ROOT": ["../outside.jpg"],
        "no entry in labels.csv": ["real/unlisted.jpg"],
    }


def test_a_crop_and_the_published_fake_share_their_group(tmp_path: Path, plant) -> None:
    plant(tmp_path / "crops", "fake/1.jpg")
    (tmp_path / "crops" / "labels.csv").write_text(HEAD + "fake/1.jpg,fake,mid,1,1,1,0,mid_329_1110.jpg\n")
    plant(tmp_path / "published", "training_fake/mid_329_1110.jpg")
    crops, published = (import_data("ciplab", tmp_path / name).manifest for name in ("crops", "published"))
    assert crops.values("group") == published.values("group")


def test_contradictions_in_the_table_are_left_out(tmp_path: Path, plant) -> None:
    plant(tmp_path, "a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "a/5.jpg")
    (tmp_path / "labels.csv").write_text(
        HEAD
        + "a/1.jpg,fake,mid,1,1,1,0,\n"
        + "a/1.jpg,real,,,,,,\n"
        + "a/2.jpg,real,,,,,,\n"
        + "a/2.jpg,REAL,,,,,,\n"
        + "a/3.jpg,fake,mid,2,1,1,0,\n"
        + "a/4.jpg,edited,mid,1,1,1,0,\n"
        + "a/5.jpg,,,,,,,\n"
    )
    found = import_data("ciplab", tmp_path)
    assert columns(found.manifest, "path", "label") == [("a/2.jpg", "real")]
    assert found.skips.reasons == {
        "several entries give this file different labels": 2,
        "a second entry for the same file": 1,
        "an edited part is neither 0, 1 nor empty": 1,
        "the label 'edited' is unknown": 1,
        "the label is empty": 1,
    }


def test_a_table_without_its_columns_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "fake/1.jpg")
    (tmp_path / "labels.csv").write_text("file,label\nfake/1.jpg,fake\n")
    with pytest.raises(UsageError, match=r"has no column 'difficulty'; its columns are: 'file', 'label'"):
        import_data("ciplab", tmp_path)


def test_the_table_may_lie_elsewhere(tmp_path: Path, plant) -> None:
    plant(tmp_path / "faces", "fake/1.jpg")
    (tmp_path / "index.csv").write_text(HEAD + "fake/1.jpg,fake,mid,1,1,1,0,mid_329_1110.jpg\n")
    found = import_data("ciplab", tmp_path / "faces", ImportOptions(table=tmp_path / "index.csv"))
    assert found.manifest.values("path") == ["fake/1.jpg"]


def test_another_layout_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "fake/1.jpg", "real/2.jpg")
    with pytest.raises(UsageError, match=r"training_fake and training_real, or labels\.csv; it holds fake, real"):
        import_data("ciplab", tmp_path)


def test_the_real_set(data_dir: Path) -> None:
    if not (data_dir / "ciplab-faces").is_dir():
        pytest.skip("no ciplab-faces")
    found = import_data("ciplab", data_dir / "ciplab-faces")
    labels = found.manifest.values("label")
    assert (labels.count("fake"), labels.count("real")) == (240, 240)
    assert len(set(found.manifest.values("group"))) == 478  # two photographs stand beside their fakes
    assert found.skips.total == 0
    for group, label, *parts in columns(found.manifest, "group", "label", *PARTS):
        if label == "fake":  # the published name says the same as the columns
            assert group.rpartition("_")[2] == "".join("1" if part else "0" for part in parts)
