"""FaceForensics++: pairs are grouped so that neither side leaks; the official splits are taken, never mended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.importers import ImportOptions
from mesoscope_train.data.importing import import_data

REAL, FAKE = "original_sequences", "manipulated_sequences"
SPLITS = {
    "train": [["051", "332"], ["331", "260"], ["983", "113"]],
    "val": [["004", "982"]],
    "test": [["000", "003"]],
}
"""Pairs of the published lists."""
YOUTUBE = {
    "000": "--b1Ua-kWJE 0",
    "003": "-9Gg5zdX7nU 0",
    "004": "-C5sgroT610 0",
    "051": "2iBnQpy8OMw 0",
    "260": "JKsfXX792AU 0",
    "331": "R03Sko97IDE 0",
    "332": "R03Sko97IDE 1",
    "982": "zPdvu-SUnbg 0",
    "983": "zPdvu-SUnbg 1",
}
"""Lines of the published file: 331 and 332 are of one YouTube video, both in train; 982 is in val, 983 in train."""


def index(root: Path, splits: dict[str, object] = SPLITS, *, folder: str = "", youtube: bool = True) -> None:
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    for name, pairs in splits.items():
        (place / f"{name}.json").write_text(json.dumps(pairs))
    if youtube:
        (root / "conversion_dict.json").write_text(json.dumps(YOUTUBE))


def columns(manifest, *names: str) -> list[tuple]:
    return list(zip(*(manifest.values(name) for name in names), strict=True))


def test_the_published_layout_row_by_row(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        f"{REAL}/youtube/c23/videos/000.mp4",
        f"{REAL}/youtube/c23/videos/004.mp4",
        f"{REAL}/youtube/raw/videos/331.mp4",
        f"{FAKE}/Deepfakes/c23/videos/000_003.mp4",
        f"{FAKE}/Deepfakes/c23/videos/003_000.mp4",
        f"{FAKE}/Face2Face/raw/videos/332_051.mp4",
        f"{FAKE}/FaceShifter/c40/videos/004_982.mp4",
    )
    index(tmp_path)
    found = import_data("faceforensics", tmp_path)
    assert columns(found.manifest, "path", "label", "group", "split", "generator", "compression") == [
        (f"{REAL}/youtube/c23/videos/000.mp4", "real", "ffpp:000", "test", None, "c23"),
        (f"{REAL}/youtube/c23/videos/004.mp4", "real", "ffpp:004", "validation", None, "c23"),
        # 331 and 332 were cut from one video, and 332 was swapped with 051
        (f"{REAL}/youtube/raw/videos/331.mp4", "real", "ffpp:051", "train", None, "c0"),
        (f"{FAKE}/Deepfakes/c23/videos/000_003.mp4", "fake", "ffpp:000", "test", "Deepfakes", "c23"),
        (f"{FAKE}/Deepfakes/c23/videos/003_000.mp4", "fake", "ffpp:000", "test", "Deepfakes", "c23"),
        (f"{FAKE}/Face2Face/raw/videos/332_051.mp4", "fake", "ffpp:051", "train", "Face2Face", "c0"),
        (f"{FAKE}/FaceShifter/c40/videos/004_982.mp4", "fake", "ffpp:004", "validation", "FaceShifter", "c40"),
    ]
    assert columns(found.manifest, "identity", "source_identity", "youtube")[2:6] == [
        ("ffpp:331", None, "R03Sko97IDE"),
        ("ffpp:000", "ffpp:003", "--b1Ua-kWJE"),
        ("ffpp:003", "ffpp:000", "-9Gg5zdX7nU"),
        ("ffpp:332", "ffpp:051", "R03Sko97IDE"),
    ]
    assert set(found.manifest.values("dataset")) == {"faceforensics"}
    assert found.skips.total == 0
    assert found.skips.notes == [
        "YouTube videos whose sequences the official splits part, so that footage of one video stands in two of them "
        "(column 'youtube'): 1 (zPdvu-SUnbg…)"
    ]


def test_a_pair_across_official_splits_is_left_out_not_guessed(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        f"{REAL}/youtube/c23/videos/000.mp4",
        f"{REAL}/youtube/c23/videos/004.mp4",
        f"{REAL}/youtube/c23/videos/999.mp4",
        f"{FAKE}/FaceSwap/c23/videos/000_004.mp4",
        f"{FAKE}/FaceSwap/c23/videos/000_999.mp4",
    )
    index(tmp_path, folder="splits", youtube=False)
    found = import_data("faceforensics", tmp_path)
    # 000 and 004 stay two groups: what would have linked them is not there
    assert columns(found.manifest, "group", "split") == [
        ("ffpp:000", "test"),
        ("ffpp:004", "validation"),
        ("ffpp:999", None),
    ]
    assert found.skips.examples == {
        "its two sequences are in different official splits": [f"{FAKE}/FaceSwap/c23/videos/000_004.mp4"],
        "one of its two sequences is in no official split, the other in one": [
            f"{FAKE}/FaceSwap/c23/videos/000_999.mp4"
        ],
    }
    assert found.skips.notes[0] == "videos in no official split, so that their split is empty: 1"
    assert "conversion_dict.json" in found.skips.notes[1]


def test_without_the_lists_groups_are_what_the_pairs_connect(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        f"{REAL}/youtube/c23/videos/005.mp4",
        f"{FAKE}/Deepfakes/c23/videos/002_001.mp4",
        f"{FAKE}/Deepfakes/c23/videos/005_002.mp4",
        f"{FAKE}/Deepfakes/c23/videos/011_010.mp4",
    )
    found = import_data("faceforensics", tmp_path)
    assert found.manifest.values("group") == ["ffpp:001", "ffpp:001", "ffpp:001", "ffpp:010"]
    assert "split" not in found.manifest
    assert found.skips.notes[0].startswith("no official splits: train.json, val.json, test.json")


def test_actors_are_grouped_through_their_swaps(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        f"{REAL}/actors/c40/videos/03__kitchen_pan.mp4",
        f"{REAL}/actors/c40/videos/09__hugging_happy.mp4",
        f"{FAKE}/DeepFakeDetection/c40/videos/01_02__walk_down_hall_angry__YVGY8LOK.mp4",
        f"{FAKE}/DeepFakeDetection/c40/videos/02_03__kitchen_pan__ABCD1234.mp4",
    )
    index(tmp_path)
    found = import_data("faceforensics", tmp_path)
    assert columns(found.manifest, "label", "group", "identity", "source_identity") == [
        ("real", "ffpp:actor-01", "ffpp:actor-03", None),
        ("real", "ffpp:actor-09", "ffpp:actor-09", None),
        ("fake", "ffpp:actor-01", "ffpp:actor-01", "ffpp:actor-02"),
        ("fake", "ffpp:actor-01", "ffpp:actor-02", "ffpp:actor-03"),
    ]
    assert "split" not in found.manifest
    assert any("tie 4 of them into 2 group(s)" in note for note in found.skips.notes)


def test_frames_name_their_video_and_are_not_read_beside_it(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        f"{REAL}/youtube/c23/images/004/0000.png",
        f"{REAL}/youtube/c23/images/004/0011.png",
        f"{FAKE}/Deepfakes/c23/videos/000_003.mp4",
        f"{FAKE}/Deepfakes/c23/frames/000_003/000.png",
    )
    found = import_data("faceforensics", tmp_path)
    assert columns(found.manifest, "path", "source_video", "frame", "group") == [
        (f"{REAL}/youtube/c23/images/004/0000.png", f"{REAL}/youtube/c23/images/004", 0, "ffpp:004"),
        (f"{REAL}/youtube/c23/images/004/0011.png", f"{REAL}/youtube/c23/images/004", 11, "ffpp:004"),
        (f"{FAKE}/Deepfakes/c23/videos/000_003.mp4", None, None, "ffpp:000"),
    ]
    assert found.skips.reasons == {"a frame of a video that is there itself": 1}


def test_what_is_no_part_of_the_set_is_counted(tmp_path: Path, plant) -> None:
    plant(
        tmp_path,
        f"{REAL}/youtube/c23/videos/000.mp4",
        f"{REAL}/youtube/c23/videos/000_003.mp4",  # a fake's name among the originals: neither label is sure
        f"{REAL}/youtube/c23/masks/000/0000.png",
        f"{FAKE}/Deepfakes/masks/videos/000_003.mp4",
        f"{FAKE}/SimSwap/c23/videos/000_003.mp4",
    )
    (tmp_path / REAL / "youtube/c23/videos/001.mp4").touch()
    found = import_data("faceforensics", tmp_path)
    assert found.manifest.values("path") == [f"{REAL}/youtube/c23/videos/000.mp4"]
    assert found.skips.reasons == {
        "the file is empty (0 bytes)": 1,
        "the folder 'masks' holds neither videos nor their frames": 1,
        "the name is not of the form of original_sequences/youtube": 1,
        "the folder 'masks' is none of a compression (masks, models)": 1,
        "the folder 'SimSwap' is no part of the published set": 1,
    }


def test_compressions_are_chosen_by_either_name(tmp_path: Path, plant) -> None:
    plant(tmp_path, *(f"{REAL}/youtube/{folder}/videos/000.mp4" for folder in ("raw", "c23", "c40")))
    for wanted, expected in ((("raw",), ["c0"]), (("c0", "c40"), ["c0", "c40"]), ((), ["c0", "c23", "c40"])):
        found = import_data("faceforensics", tmp_path, ImportOptions(compressions=wanted))
        assert sorted(found.manifest.values("compression")) == expected
        assert set(found.manifest.values("group")) == {"ffpp:000"}
    with pytest.raises(UsageError, match="--compression c30: FaceForensics"):
        import_data("faceforensics", tmp_path, ImportOptions(compressions=("c30",)))


def test_a_compression_that_is_not_there(tmp_path: Path, plant) -> None:
    plant(tmp_path, f"{REAL}/youtube/c23/videos/000.mp4")
    with pytest.raises(UsageError, match="no videos of the compression c40"):
        import_data("faceforensics", tmp_path, ImportOptions(compressions=("c40",)))


def test_the_lists_may_lie_elsewhere(tmp_path: Path, plant) -> None:
    plant(tmp_path / "data", f"{REAL}/youtube/c23/videos/000.mp4", f"{FAKE}/Deepfakes/c23/videos/000_003.mp4")
    index(tmp_path / "lists")
    options = ImportOptions(table=tmp_path / "lists", dataset="ff")
    found = import_data("faceforensics", tmp_path / "data", options)
    assert columns(found.manifest, "split", "dataset", "youtube") == [("test", "ff", "--b1Ua-kWJE")] * 2
    with pytest.raises(UsageError, match=r"must be the folder that holds train\.json, val\.json, test\.json"):
        import_data("faceforensics", tmp_path / "data", ImportOptions(table=tmp_path))


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": [], "test": []}, r"val\.json is missing"),
        ({**SPLITS, "val": {"000": "003"}}, r"val\.json must be a list of pairs"),
        ({**SPLITS, "val": [["000", 3]]}, r"val\.json: \['000', 3\] is not a pair of sequences"),
        ({**SPLITS, "val": [["000.mp4", "003.mp4"]]}, r"is not a pair of sequences"),
        ({**SPLITS, "val": [["000", "982"]]}, r"test\.json: '000' stands in val\.json too"),
    ],
)
def test_broken_lists_are_refused(tmp_path: Path, plant, splits, message: str) -> None:
    plant(tmp_path, f"{REAL}/youtube/c23/videos/000.mp4")
    index(tmp_path, splits)
    with pytest.raises(UsageError, match=message):
        import_data("faceforensics", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must be a JSON object"),
        ('{"004": "video"}', "is not of the form"),
        ('{"004": "a 0", "004": "b 0"}', "'004' stands in it twice"),
    ],
)
def test_a_broken_conversion_dict_is_refused(tmp_path: Path, plant, text: str, message: str) -> None:
    plant(tmp_path, f"{REAL}/youtube/c23/videos/000.mp4")
    (tmp_path / "conversion_dict.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        import_data("faceforensics", tmp_path)


def test_another_layout_is_refused(tmp_path: Path, plant) -> None:
    plant(tmp_path, "real/000.mp4")
    with pytest.raises(UsageError, match="looked for folders such as original_sequences/youtube"):
        import_data("faceforensics", tmp_path)
