"""Twenty categories: as published, and gathered with the category as a prefix; and the category called train."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importers.ai_human import CATEGORIES
from mesoscope_train.data.importing import import_data


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def test_the_published_layout_row_by_row(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        "train/airplane/0_real/00001.png",
        "train/airplane/1_fake/00001.png",
        "train/diningtable/1_fake/00002.png",
        "train/train/0_real/00003.png",
        "val/tvmonitor/0_real/00001.png",
    )
    found = import_data("ai-human", tmp_path)
    assert columns(found.manifest, "path", "label", "group", "split", "category") == [
        ("train/airplane/0_real/00001.png", "real", "ai-human:train/airplane/real/00001", "train", "airplane"),
        ("train/airplane/1_fake/00001.png", "fake", "ai-human:train/airplane/fake/00001", "train", "airplane"),
        (
            "train/diningtable/1_fake/00002.png",
            "fake",
            "ai-human:train/dining table/fake/00002",
            "train",
            "dining table",
        ),
        ("train/train/0_real/00003.png", "real", "ai-human:train/train/real/00003", "train", "train"),
        (
            "val/tvmonitor/0_real/00001.png",
            "real",
            "ai-human:validation/tv monitor/real/00001",
            "validation",
            "tv monitor",
        ),
    ]
    assert set(found.manifest.values("dataset")) == {"ai-human"}
    assert found.skips.total == 0


def test_one_part_alone_has_a_category_called_train(tmp_path: Path, plant) -> None:
    plant(tmp_path, "potted plant/real/1.png", "train/AI/1.png", "train/real/1.png")
    found = import_data("ai-human", tmp_path)
    assert columns(found.manifest, "path", "label", "category") == [
        ("potted plant/real/1.png", "real", "potted plant"),
        ("train/AI/1.png", "fake", "train"),
        ("train/real/1.png", "real", "train"),
    ]
    assert "split" not in found.manifest


def test_gathered_files_have_their_category_as_a_prefix(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        "fake/dining table_00001.png",
        "fake/dining_table_00002.png",
        "fake/tvmonitor_00003.png",
        "fake/potted-plant-00004.png",
        "fake/Train_00005.png",
        "real/car_00006.png",
        "real/cat00007.png",
        "real/cardboard_00008.png",
        "real/00009.png",
    )
    found = import_data("ai-human", tmp_path, ImportOptions(dataset="study"))
    assert columns(found.manifest, "path", "label", "category", "group", "dataset") == [
        ("fake/Train_00005.png", "fake", "train", "ai-human:train/fake/00005", "study"),
        ("fake/dining table_00001.png", "fake", "dining table", "ai-human:dining table/fake/00001", "study"),
        ("fake/dining_table_00002.png", "fake", "dining table", "ai-human:dining table/fake/00002", "study"),
        ("fake/potted-plant-00004.png", "fake", "potted plant", "ai-human:potted plant/fake/00004", "study"),
        ("fake/tvmonitor_00003.png", "fake", "tv monitor", "ai-human:tv monitor/fake/00003", "study"),
        ("real/car_00006.png", "real", "car", "ai-human:car/real/00006", "study"),
        ("real/cat00007.png", "real", "cat", "ai-human:cat/real/00007", "study"),
    ]
    assert found.skips.examples == {
        "the name begins with none of the twenty categories": ["real/00009.png", "real/cardboard_00008.png"]
    }


def test_gathered_files_may_be_split(tmp_path: Path, plant) -> None:
    # a folder `train` with labels in it, and no other category beside it, is the training part
    plant(tmp_path, "train/real/cow_1.png", "train/fake/00001.png", "test/fake/cow_1.png")
    found = import_data("ai-human", tmp_path)
    assert columns(found.manifest, "path", "split", "category") == [
        ("test/fake/cow_1.png", "test", "cow"),
        ("train/real/cow_1.png", "train", "cow"),
    ]
    assert found.skips.reasons == {"the name begins with none of the twenty categories": 1}


def test_every_category_is_told_from_the_others(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"real/{category}_1.png" for category in CATEGORIES))
    found = import_data("ai-human", tmp_path)
    assert len(CATEGORIES) == 20
    assert sorted(found.manifest.values("category")) == sorted(CATEGORIES)


def test_what_has_no_label_or_no_category_is_counted(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        "dog/human/1.png",
        "dog/midjourney/2.png",
        "dog/unsure/3.png",
        "dog/4.png",
        "zebra/0_real/5.png",
        "dog/human/6.mp4",
    )
    (tmp_path / "dog" / "human" / "7.png").touch()
    found = import_data("ai-human", tmp_path, ImportOptions(labels={"midjourney": "fake"}))
    assert columns(found.manifest, "path", "label") == [("dog/human/1.png", "real"), ("dog/midjourney/2.png", "fake")]
    assert found.skips.reasons == {
        "another kind of file than this set holds": 1,
        "the file is empty (0 bytes)": 1,
        "the folder 'unsure' has no label: name it with --label 'unsure=real' or --label 'unsure=fake'": 1,
        "the file lies outside the folders of the layout": 1,
        "the folder 'zebra' is none of the twenty categories": 1,
    }


def test_beside_the_splits_nothing_is_passed_over_unsaid(tmp_path: Path, plant) -> None:
    plant(tmp_path, "progan_train/car/0_real/1.png", "test/biggan/0_real/2.png", "extra/3.png")
    found = import_data("ai-human", tmp_path)
    assert columns(found.manifest, "path", "split") == [("progan_train/car/0_real/1.png", "train")]
    assert found.skips.examples == {
        "the folder 'extra' holds neither categories nor labels": ["extra/3.png"],
        "the folder 'test' holds neither categories nor labels": ["test/biggan/0_real/2.png"],
    }


def test_another_layout_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "airplane/1.png")
    with pytest.raises(UsageError, match="looked for folders 0_real and 1_fake"):
        import_data("ai-human", tmp_path)
