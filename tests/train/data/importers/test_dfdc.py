"""The Deepfake Detection Challenge: a fake belongs to its original, wherever that lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data

FIRST, SECOND = "dfdc_train_part_00/dfdc_train_part_0", "dfdc_train_part_1"


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def real(**more: Any) -> dict[str, Any]:
    return {"label": "REAL", "split": "train", **more}


def fake(original: str | None, **more: Any) -> dict[str, Any]:
    return {"label": "FAKE", "split": "train", **({"original": original} if original else {}), **more}


def index(folder: Path, entries: dict[str, dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.json").write_text(json.dumps(entries))


def test_the_published_layout_row_by_row(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        *(f"{FIRST}/{name}.mp4" for name in ("owxbbpjpch", "wynotylpnm", "vpmyeepbep")),
        f"{SECOND}/aaeflzzhvy.mp4",
        "validation/bbbbbbbbbb.mp4",
        "test/aalscayrfi.mp4",
        "test/zzzzzzzzzz.mp4",
    )
    index(
        tmp_path / FIRST,
        {
            "owxbbpjpch.mp4": fake("wynotylpnm.mp4"),
            "wynotylpnm.mp4": real(original=None),
            "vpmyeepbep.mp4": real(),
        },
    )
    # an original in another part, and none of whose is here
    index(tmp_path / SECOND, {"aaeflzzhvy.mp4": fake("vpmyeepbep.mp4"), "gone.mp4": fake("elsewhere.mp4")})
    (tmp_path / "validation" / "labels.csv").write_text("filename,label\nbbbbbbbbbb.mp4,1\n")
    (tmp_path / "test" / "labels.csv").write_text("filename,label\naalscayrfi.mp4,0\nzzzzzzzzzz.mp4,1\n")
    index(
        tmp_path / "test", {"aalscayrfi.mp4": {"is_fake": 0, "augmentations": {}}, "zzzzzzzzzz.mp4": {"is_fake": 1}}
    )
    found = import_data("dfdc", tmp_path)
    assert columns(found.manifest, "path", "label", "group", "split") == [
        (f"{FIRST}/owxbbpjpch.mp4", "fake", "dfdc:wynotylpnm", "train"),
        (f"{FIRST}/vpmyeepbep.mp4", "real", "dfdc:vpmyeepbep", "train"),
        (f"{FIRST}/wynotylpnm.mp4", "real", "dfdc:wynotylpnm", "train"),
        (f"{SECOND}/aaeflzzhvy.mp4", "fake", "dfdc:vpmyeepbep", "train"),
        ("test/aalscayrfi.mp4", "real", "dfdc:aalscayrfi", "test"),
        ("test/zzzzzzzzzz.mp4", "fake", "dfdc:zzzzzzzzzz", "test"),
        ("validation/bbbbbbbbbb.mp4", "fake", "dfdc:bbbbbbbbbb", "validation"),
    ]
    assert set(found.manifest.values("dataset")) == {"dfdc"}
    assert found.skips.examples == {"in the index, but the video is missing": [f"{SECOND}/gone.mp4"]}
    assert found.skips.notes == [
        "fakes without the name of their original, each a group of its own: 2",
        "fakes whose original no index here names, grouped by its name: 1",
    ]


def test_what_the_indexes_do_not_settle_is_counted(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        *(
            f"{SECOND}/{name}.mp4"
            for name in ("real", "fake", "orphan", "chained", "odd", "unlisted", "none", "both")
        ),
        "train_sample_videos/real.mp4",
        "train_sample_videos/both.mp4",
        "test_videos/secret.mp4",
    )
    index(
        tmp_path / SECOND,
        {
            "real.mp4": real(),
            "fake.mp4": fake("real.mp4"),
            "orphan.mp4": fake(None),
            "chained.mp4": fake("fake.mp4"),
            "odd.mp4": {"label": "MAYBE", "split": "train"},
            "none.mp4": {"split": "train"},
            "both.mp4": real(),
        },
    )
    index(tmp_path / "train_sample_videos", {"real.mp4": real(), "both.mp4": fake("real.mp4")})
    (tmp_path / "sample_submission.csv").write_text("filename,label\nsecret.mp4,0.5\n")
    found = import_data("dfdc", tmp_path)
    assert found.manifest.values("path") == [f"{SECOND}/fake.mp4", f"{SECOND}/real.mp4"]
    assert found.skips.examples == {
        "the indexes of two parts disagree on the label": [f"{SECOND}/both.mp4", "train_sample_videos/both.mp4"],
        "its original is a fake itself": [f"{SECOND}/chained.mp4"],
        "the entry has no label": [f"{SECOND}/none.mp4"],
        "the label 'MAYBE' is unknown": [f"{SECOND}/odd.mp4"],
        "a fake without its original, so that its group is unknown": [f"{SECOND}/orphan.mp4"],
        "no entry in the index of its part": [f"{SECOND}/unlisted.mp4"],
        "neither metadata.json nor labels.csv in its folder": ["test_videos/secret.mp4"],
        "a second copy of a video": ["train_sample_videos/real.mp4"],
    }


def test_two_indexes_of_one_folder_must_agree(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"test/{name}.mp4" for name in "abcd"))
    (tmp_path / "test" / "labels.csv").write_text("filename,label\na.mp4,0\nb.mp4,1\nc.mp4,0.5\nd.mp4,0\nd.mp4,1\n")
    index(tmp_path / "test", {"a.mp4": {"is_fake": 0}, "b.mp4": {"is_fake": 0}, "c.mp4": {"is_fake": 1}})
    found = import_data("dfdc", tmp_path / "test")
    assert columns(found.manifest, "path", "label", "split") == [("a.mp4", "real", "test")]
    assert found.skips.examples == {
        "metadata.json and labels.csv disagree on the label": ["b.mp4"],
        "the label '0.5' is unknown": ["c.mp4"],
        "labels.csv gives it several labels": ["d.mp4"],
    }


def test_frames_of_a_part(tmp_path: Path, plant) -> None:
    plant(tmp_path, "train/dfdc_train_part_3/frames/owxbbpjpch/007.png")
    index(tmp_path / "train/dfdc_train_part_3", {"owxbbpjpch.mp4": fake("wynotylpnm.mp4")})
    found = import_data("dfdc", tmp_path, ImportOptions(dataset="frames"))
    place = "train/dfdc_train_part_3/frames/owxbbpjpch"
    assert columns(found.manifest, "path", "group", "source_video", "frame", "dataset") == [
        (f"{place}/007.png", "dfdc:wynotylpnm", place, 7, "frames")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"metadata\.json is not JSON"),
        ("[]", "must hold a JSON object"),
        ('{"a.mp4": "FAKE"}', "the entry 'a.mp4' must be a JSON object"),
        ('{"a.mp4": {"label": "REAL"}, "a.mp4": {"label": "FAKE"}}', "'a.mp4' stands in it twice"),
    ],
)
def test_a_broken_metadata_is_refused(tmp_path: Path, plant, text: str, message: str) -> None:
    plant(tmp_path, "a.mp4")
    (tmp_path / "metadata.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        import_data("dfdc", tmp_path)


def test_labels_without_a_column_are_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "test/a.mp4")
    (tmp_path / "test" / "labels.csv").write_text("name,label\na.mp4,1\n")
    with pytest.raises(UsageError, match="has no column 'filename'"):
        import_data("dfdc", tmp_path)


def test_another_layout_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "a.mp4")
    with pytest.raises(UsageError, match=r"looked for metadata\.json, labels\.csv or dataset\.json"):
        import_data("dfdc", tmp_path)
