from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.crops.journal import Journal
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.records import Crop, FileRecord

SETTINGS = CropOptions().settings()
BOX = (1.25, 2.0, 30.5, 31.0)


def opened(out: Path, **changed: object) -> Journal:
    arguments = {"settings": SETTINGS, "manifest": "m", "rows": 4, **changed}
    return Journal(out, **arguments)  # type: ignore[arg-type]


def record(out: Path, row: int) -> FileRecord:
    file = out / f"crops/{row}.jpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * 10)
    crop = Crop(f"crops/{row}.jpg", 3, 0.12, 0, 40, 40, BOX, None, 10)
    return FileRecord(row, f"ü{row}.mp4", "video", 2, (crop,), {"no_face": 1}, 0, ("video_truncated",))


def failed(row: int) -> FileRecord:
    return FileRecord(row, f"{row}.mp4", None, left_out={"unreadable": 1}, error="The file is empty (0 bytes).")


def test_what_was_noted_is_read_back_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for row in (2, 0):
            journal.add(record(tmp_path, row))
        assert journal.done == 2
    with opened(tmp_path) as journal:
        assert list(journal.waiting()) == [1, 3]
        journal.add(failed(1))
        assert list(journal.records()) == [record(tmp_path, 0), failed(1), record(tmp_path, 2)]


@pytest.mark.parametrize("torn", [b'{"row":3,"path":"3.m', b"\0" * 100, b'{"row":9}\n', b"[]\n", b"\xff\n"])
def test_a_torn_end_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    with opened(tmp_path) as journal:
        journal.add(failed(0))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + torn)
    with opened(tmp_path) as journal:
        assert list(journal.waiting()) == [1, 2, 3]
        assert journal.path.read_bytes() == whole
        journal.add(failed(3))
    with opened(tmp_path) as journal:
        assert list(journal.records()) == [failed(0), failed(3)]


def test_a_source_whose_crops_are_gone_or_cut_short_is_done_again(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        for row in range(3):
            journal.add(record(tmp_path, row))
    (tmp_path / "crops/0.jpg").unlink()
    (tmp_path / "crops/2.jpg").write_bytes(b"")
    with opened(tmp_path) as journal:
        assert list(journal.waiting()) == [0, 2, 3]
        journal.add(record(tmp_path, 0))
    with opened(tmp_path) as journal:
        assert list(journal.waiting()) == [2, 3]


def test_retry_takes_up_what_could_not_be_read(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.add(failed(0))
        journal.add(record(tmp_path, 1))
    with opened(tmp_path) as journal:
        assert list(journal.waiting()) == [2, 3]
    with opened(tmp_path, retry=True) as journal:
        assert list(journal.waiting()) == [0, 2, 3]


def test_another_runs_directory_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).__exit__(None, None, None)
    other = CropOptions(margin=0.5, quality=None).settings()
    with pytest.raises(UsageError, match=r"other settings: --margin 0.3 \(now 0.5\), --quality 95 \(now png\)"):
        opened(tmp_path, settings=other)
    with pytest.raises(UsageError, match="of another manifest"):
        opened(tmp_path, manifest="n")


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(UsageError, match="another run is writing"):
        opened(tmp_path)
    opened(tmp_path).__exit__(None, None, None)


@pytest.mark.parametrize("content", ["", "no journal\n", "[1]\n", '{"settings": {}}\n'])
def test_a_file_of_that_name_that_is_no_journal_is_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text(content)
    with pytest.raises(UsageError, match="is no journal"):
        opened(tmp_path)
    assert file.read_text() == content


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        header = json.loads(journal.path.read_text())
    journal.path.write_text(json.dumps({**header, "mesoscope_faces": 2}) + "\n")
    with pytest.raises(UsageError, match="another version"):
        opened(tmp_path)


def test_crops_without_a_journal_are_not_mixed_with(tmp_path: Path) -> None:
    record(tmp_path, 0)
    with pytest.raises(UsageError, match=r"no journal\.jsonl beside it"):
        opened(tmp_path)
