"""MesoNet's crops."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


@pytest.fixture
def archive(tmp_path: Path, plant) -> Path:
    """The publisher's tree; test videos 114 of either label are different footage."""
    plant(
        tmp_path,
        "train_test/df/df00204.jpg",
        "train_test/df/df01254.jpg",
        "train_test/real/real00240.jpg",
        "validation/df/114_132.jpg",
        "validation/df/114_42.jpg",
        "validation/real/114_0.jpg",
        "validation/real/97_112.jpg",
        "validation/real/Thumbs.jpg",
    )
    return tmp_path


def test_the_archive_row_by_row(archive: Path) -> None:
    found = import_data("mesonet", archive)
    assert columns(found.manifest, "path", "label", "group", "split", "source_video", "frame") == [
        ("train_test/df/df00204.jpg", "fake", "mesonet:fake:unnamed", "train", None, None),
        ("train_test/df/df01254.jpg", "fake", "mesonet:fake:unnamed", "train", None, None),
        ("train_test/real/real00240.jpg", "real", "mesonet:real:unnamed", "train", None, None),
        ("validation/df/114_132.jpg", "fake", "mesonet:fake:114", "test", "fake/114", 132),
        ("validation/df/114_42.jpg", "fake", "mesonet:fake:114", "test", "fake/114", 42),
        ("validation/real/114_0.jpg", "real", "mesonet:real:114", "test", "real/114", 0),
        ("validation/real/97_112.jpg", "real", "mesonet:real:97", "test", "real/97", 112),
    ]
    assert set(found.manifest.values("dataset")) == {"mesonet"}
    assert found.skips.examples == {
        "the name is neither VIDEO_FRAME nor df or real with a number": ["validation/real/Thumbs.jpg"]
    }
    assert len(found.skips.notes) == 1
    assert found.skips.notes[0].startswith("3 crops are named without their video")


def test_a_rule_for_the_crops_without_a_video(archive: Path) -> None:
    found = import_data("mesonet", archive, ImportOptions(group=r"(df01)\d+"))
    groups = dict(columns(found.manifest, "path", "group"))
    assert groups["train_test/df/df01254.jpg"] == "mesonet:fake:df01"
    assert groups["validation/df/114_42.jpg"] == "mesonet:fake:114"
    assert found.skips.reasons[r"the path does not fit --group '(df01)\d+'"] == 2
    assert found.skips.notes == []


@pytest.mark.parametrize("inside", ["deepfake_database", "deepfake_database/deepfake_database"])
def test_the_archive_as_it_unpacks_elsewhere(tmp_path: Path, plant, inside: str) -> None:
    names = (f"{inside}/train:test/df/df00001.jpg", f"{inside}/validation/real/val_real_7/7_18.jpg")
    plant(tmp_path, *names, "test_images/df/df00204.jpg", f"{inside}/more/df/1_1.jpg")
    found = import_data("mesonet", tmp_path)
    assert columns(found.manifest, "path", "group", "split") == [
        (names[0], "mesonet:fake:unnamed", "train"),
        (names[1], "mesonet:real:7", "test"),
    ]
    assert found.skips.reasons == {
        "the folder 'more' is no part of the published set": 1,
        "the folder 'test_images' is no part of the published set": 1,
    }


def test_label_folders_have_no_split(tmp_path: Path, plant) -> None:
    plant(tmp_path, "fake/114_132.jpg", "real/100_0.jpg", "other/1_1.jpg")
    (tmp_path / "real" / "100_1.jpg").touch()
    found = import_data("mesonet", tmp_path, ImportOptions(dataset="meso"))
    assert columns(found.manifest, "path", "label", "group", "dataset") == [
        ("fake/114_132.jpg", "fake", "mesonet:fake:114", "meso"),
        ("real/100_0.jpg", "real", "mesonet:real:100", "meso"),
    ]
    assert "split" not in found.manifest
    assert found.skips.reasons == {
        "the folder 'other' is neither df, fake nor real": 1,
        "the file is empty (0 bytes)": 1,
    }


def test_another_layout_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "training_fake/easy_1_1110.jpg")
    with pytest.raises(UsageError, match="looked for folders df"):
        import_data("mesonet", tmp_path)


def test_the_real_set(data_dir: Path) -> None:
    if not (data_dir / "mesonet-faces").is_dir():
        pytest.skip("no mesonet-faces")
    found = import_data("mesonet", data_dir / "mesonet-faces")
    labels = found.manifest.values("label")
    assert (labels.count("fake"), labels.count("real")) == (1551, 2921)
    assert len({group for group in found.manifest.values("group") if group.startswith("mesonet:fake:")}) == 34
    assert len({group for group in found.manifest.values("group") if group.startswith("mesonet:real:")}) == 47
    assert found.skips.total == 0
