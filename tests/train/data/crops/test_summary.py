from __future__ import annotations

import csv
from pathlib import Path

from scipy.stats import fisher_exact

from mesoscope_train.data.crops.finishing import LEFT_OUT_HEADER, write_left_out
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.records import Crop, FileRecord
from mesoscope_train.data.crops.summary import summarise


def crop(frame: int, face: int = 0) -> Crop:
    return Crop(f"{frame}-{face}.jpg", frame, 0.0, face, 9, 9, (0.0, 0.0, 9.0, 9.0), 1.0, 1)


RECORDS = (
    FileRecord(0, "a", "video", 3, (crop(0), crop(2)), {"no_face": 1}, notices=("video_truncated",)),
    FileRecord(1, "b", "video", 3, (), {"no_face": 2, "several_faces": 1}),
    FileRecord(2, "c", "picture", 1, (), {"several_faces": 1}),
    FileRecord(3, "d", None, left_out={"unreadable": 1}, error="The file is empty (0 bytes)."),
    FileRecord(5, "f", "picture", 1, (crop(0, 0), crop(0, 2)), {"too_small": 1}, crowded=1),
)
LABELS = ("fake", "fake", "real", "real", "real", "fake")


def test_counts_by_hand() -> None:
    summary = summarise(RECORDS, LABELS, CropOptions())
    assert list(summary.labels) == ["real", "fake"]
    real, fake = summary.labels["real"], summary.labels["fake"]
    assert (real.files, real.files_left_out, real.frames, real.frames_left_out, real.crops) == (2, 2, 1, 1, 0)
    assert (fake.files, fake.files_left_out, fake.frames, fake.frames_left_out, fake.crops) == (3, 1, 7, 4, 4)
    assert real.why == {"several faces": 1, "cannot be read": 1}
    assert fake.why == {"several reasons": 1}
    assert fake.frame_reasons == {"no face": 3, "several faces": 1, "face too small": 1}
    assert real.frame_reasons == {"several faces": 1}
    total = summary.total()
    assert (total.files, total.files_left_out, total.crops, total.frames_left_out) == (5, 3, 4, 5)
    assert total.why == {"several faces": 1, "cannot be read": 1, "several reasons": 1}
    assert summary.remarks == ("1 video is damaged or incomplete; the frames that can be read were used",)


def test_faces_of_others_in_a_fake_are_remarked() -> None:
    (sentence, _) = summarise(RECORDS, LABELS, CropOptions(faces="all")).remarks
    assert sentence.startswith("1 file labelled fake shows several faces in one frame")


def records(label_of_left_out: str, left_out: int, files: int) -> tuple[list[FileRecord], list[str]]:
    """Files of both labels; of one label some are left out."""
    labels = ["real", "fake"] * files
    rows = [row for row, label in enumerate(labels) if label == label_of_left_out][:left_out]
    made = [
        FileRecord(
            row, str(row), "picture", 1, () if row in rows else (crop(0),), {"no_face": 1} if row in rows else {}
        )
        for row in range(len(labels))
    ]
    return made, labels


def test_labels_that_are_left_out_unequally_are_remarked() -> None:
    (sentence,) = summarise(*records("fake", 8, 40), CropOptions()).remarks
    chance = fisher_exact([[0, 40], [8, 32]]).pvalue
    assert sentence.startswith(
        f"0.0% of the real files were left out and 20.0% of the fake ones (Fisher's exact test: p = {chance:.1g})"
    )


def test_a_difference_of_chance_is_not_remarked() -> None:
    assert summarise(*records("fake", 3, 40), CropOptions()).remarks == ()


def test_the_list_of_what_was_left_out(tmp_path: Path) -> None:
    file = tmp_path / "left-out.csv"
    write_left_out(file, RECORDS, LABELS)
    with file.open(encoding="utf-8", newline="") as lines:
        assert list(csv.reader(lines)) == [
            list(LEFT_OUT_HEADER),
            ["a", "fake", "no face", "1", "2", ""],
            ["b", "fake", "no face", "2", "0", ""],
            ["b", "fake", "several faces", "1", "0", ""],
            ["c", "real", "several faces", "1", "0", ""],
            ["d", "real", "cannot be read", "1", "0", "The file is empty (0 bytes)."],
            ["f", "fake", "face too small", "1", "2", ""],
        ]
