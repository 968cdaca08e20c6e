from __future__ import annotations

import csv
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from mesoscope.errors import MesoscopeError, UsageError
from mesoscope.manifest import Manifest, read_manifest
from mesoscope_train.data.crops import running
from mesoscope_train.data.crops.cutting import Cutter, Task
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.processes import Died
from mesoscope_train.data.crops.records import FileRecord
from mesoscope_train.data.crops.running import cut_faces


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The work is done here, without processes; the list says which sources were opened."""
    opened: list[str] = []

    def spread(
        opener: Callable[[], Cutter], tasks: Generator[Task, None, None], _workers: int
    ) -> Generator[tuple[Task, FileRecord | Died], None, None]:
        work = opener()
        for task in tasks:
            opened.append(task.path)
            yield task, work(task)

    monkeypatch.setattr(running, "spread", spread)
    return opened


def left_out(out: Path) -> list[tuple[str, str]]:
    with (out / "left-out.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["path"], row["reason"]) for row in csv.DictReader(lines)]


def files(out: Path) -> dict[str, bytes]:
    return {
        file.relative_to(out).as_posix(): file.read_bytes() for file in (out / "crops").rglob("*.*") if file.is_file()
    }


def test_one_face_a_frame(sources: Manifest, tmp_path: Path, in_this_process: list[str]) -> None:
    out = tmp_path / "faces"
    cut = cut_faces(sources, out, CropOptions(), command="the command")
    manifest = read_manifest(out / "faces.parquet")
    assert (manifest.root, manifest.history) == (out, ("made by hand", "the command"))
    woman, man = manifest.rows()
    assert (woman["path"], man["path"]) == ("crops/fake/woman.jpg/000000-0.jpg", "crops/real/man.png/000000-0.jpg")
    assert (woman["label"], woman["group"], woman["dataset"]) == ("fake", "s:woman", "s")
    assert (woman["generator"], woman["age"]) == ("gan", 30)
    assert (woman["source_video"], woman["frame"], woman["time"]) == ("fake/woman.jpg", None, None)
    assert (man["source_video"], man["frame"], man["time"]) == ("talk", 7, 0.5)
    for row in (woman, man):
        assert (row["finder"], row["face"]) == ("dlib", 0)
        assert 0 <= row["box_left"] < row["box_right"] <= 192
        assert 0 <= row["box_top"] < row["box_bottom"] <= 192
        side = round((row["box_right"] - row["box_left"]) * 1.3)
        assert (row["original_width"], row["original_height"]) == (side, side)
        assert row["finder_score"] > 0
    assert left_out(out) == [
        ("fake/two.mp4", "several faces"),
        ("real/broken.jpg", "cannot be read"),
        ("real/four.jpg", "several faces"),
        ("real/nobody.jpg", "no face"),
    ]
    total = cut.summary.total()
    assert (total.files, total.files_left_out, total.frames, total.crops) == (6, 4, 5, 2)
    assert set(files(out)) == {woman["path"], man["path"]}


def test_all_faces(sources: Manifest, tmp_path: Path, in_this_process: list[str]) -> None:
    cut = cut_faces(sources, tmp_path, CropOptions(faces="all", frames=2))
    rows = list(cut.manifest.rows())
    assert [row["source_video"] for row in rows].count("fake/two.mp4") == 4
    assert [row["face"] for row in rows if row["source_video"] == "real/four.jpg"] == [0, 1, 2, 3]
    lefts = [row["box_left"] for row in rows if row["source_video"] == "real/four.jpg"]
    assert lefts == sorted(lefts)
    video = [row for row in rows if row["source_video"] == "fake/two.mp4"]
    assert {row["split"] for row in video} == {"train"}
    assert [(row["frame"], row["face"]) for row in video] == [(18, 0), (18, 1), (56, 0), (56, 1)]
    assert [row["time"] for row in video] == pytest.approx([18 / 25, 18 / 25, 56 / 25, 56 / 25])
    assert any("labelled fake" in remark for remark in cut.summary.remarks)


def test_two_processes_give_what_one_gives(sources: Manifest, tmp_path: Path) -> None:
    options = CropOptions(faces="all")
    one, two = (
        cut_faces(sources, tmp_path / name, options, workers=workers) for name, workers in (("one", 1), ("two", 2))
    )
    assert one.manifest.table.equals(two.manifest.table)
    assert one.file.read_bytes() == two.file.read_bytes()
    assert one.left_out.read_bytes() == two.left_out.read_bytes()
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_the_same_run_again_opens_nothing(sources: Manifest, tmp_path: Path, in_this_process: list[str]) -> None:
    first = cut_faces(sources, tmp_path, CropOptions())
    before = first.file.read_bytes()
    in_this_process.clear()
    again = cut_faces(sources, tmp_path, CropOptions())
    assert (again.resumed, in_this_process) == (6, [])
    assert again.file.read_bytes() == before
    cut_faces(sources, tmp_path, CropOptions(), retry=True)
    assert in_this_process == ["real/broken.jpg"]
    with pytest.raises(UsageError, match="other settings"):
        cut_faces(sources, tmp_path, CropOptions(margin=0.0))
    with pytest.raises(UsageError, match="another manifest"):
        cut_faces(sources.take([0, 1]), tmp_path, CropOptions())


def test_a_moved_set_goes_on(sources: Manifest, tmp_path: Path, in_this_process: list[str]) -> None:
    cut_faces(sources, tmp_path / "out", CropOptions())
    moved = tmp_path / "elsewhere"
    moved.symlink_to(sources.root)
    in_this_process.clear()
    assert cut_faces(replace(sources, root=moved), tmp_path / "out", CropOptions()).resumed == 6
    assert in_this_process == []


def test_a_file_that_ends_its_process_is_left_out(
    sources: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spread(
        opener: Callable[[], Cutter], tasks: Generator[Task, None, None], _workers: int
    ) -> Generator[tuple[Task, FileRecord | Died], None, None]:
        work = opener()
        for task in tasks:
            dies = task.path == "fake/two.mp4"
            yield task, Died("the process was ended by SIGSEGV") if dies else work(task)

    monkeypatch.setattr(running, "spread", spread)
    cut = cut_faces(sources, tmp_path, CropOptions())
    assert len(cut.manifest) == 2
    assert ("fake/two.mp4", "reading it ended the process") in left_out(tmp_path)
    assert "ended by SIGSEGV" in (tmp_path / "left-out.csv").read_text()


def test_nothing_found_is_an_error_that_says_why(
    sources: Manifest, tmp_path: Path, in_this_process: list[str]
) -> None:
    nobody = sources.take([2, 5])
    with pytest.raises(MesoscopeError, match="no crop came out of 2 files: 1 x cannot be read, 1 x no face"):
        cut_faces(nobody, tmp_path, CropOptions())
    assert [path for path, _ in left_out(tmp_path)] == ["real/broken.jpg", "real/nobody.jpg"]
    assert not (tmp_path / "faces.parquet").exists()


def test_what_cannot_be_written_ends_the_run_and_loses_nothing(
    sources: Manifest, tmp_path: Path, in_this_process: list[str]
) -> None:
    def block(_done: int, _waiting: int) -> nullcontext[Callable[[], None]]:
        (tmp_path / "crops").mkdir()
        (tmp_path / "crops/real").write_text("in the way of the real crops, as a full disk would be")
        return nullcontext(lambda: None)

    with pytest.raises(UsageError, match=r"cannot write .*crops/real/man.png"):
        cut_faces(sources, tmp_path, CropOptions(), watched=block)
    (tmp_path / "crops/real").unlink()
    in_this_process.clear()
    assert len(cut_faces(sources, tmp_path, CropOptions()).manifest) == 2
    assert in_this_process == ["real/man.png", "real/nobody.jpg"]


def test_crops_of_crops_tell_of_the_new_ones(sources: Manifest, tmp_path: Path, in_this_process: list[str]) -> None:
    first = cut_faces(sources, tmp_path / "first", CropOptions(margin=1.0, size=256))
    again = cut_faces(first.manifest, tmp_path / "again", CropOptions())
    (sentence,) = again.summary.remarks
    assert "original_width" in sentence
    assert "finder" in sentence
    for row in again.manifest.rows():
        assert row["original_width"] == round((row["box_right"] - row["box_left"]) * 1.3)
    assert [row["source_video"] for row in again.manifest.rows()] == ["fake/woman.jpg", "talk"]


def test_no_process_at_all_is_refused(sources: Manifest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--workers must be at least 1"):
        cut_faces(sources, tmp_path, CropOptions(), workers=0)
