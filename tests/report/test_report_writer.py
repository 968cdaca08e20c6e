from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from mesoscope.atomic import make_directory, replacing
from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.errors import UsageError
from mesoscope.report import ReportWriter, formats, open_report
from mesoscope.types import Detection

MakeDetection = Callable[..., Detection]


OpenAt = Callable[..., ReportWriter]
FullDisk = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def open_at(bundle: Bundle, verdict: Verdict) -> OpenAt:
    return partial(open_report, bundle=bundle, command="mesoscope detect x", verdict=verdict)


@pytest.fixture(autouse=True)
def spool(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where reports keep what they gather; after each test it must be empty again."""
    path = tmp_path_factory.mktemp("spool")
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    yield path
    assert list(path.iterdir()) == []


def test_both_formats_are_there() -> None:
    assert list(formats) == [".html", ".pdf"]


@pytest.mark.parametrize("name", ["report.docx", "report", "html"])
def test_an_unknown_suffix_names_the_known_ones(name: str, tmp_path: Path, open_at: OpenAt) -> None:
    with pytest.raises(UsageError, match=r"its name must end in \.html or \.pdf"):
        open_at(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".html", ".pdf", ".HTML"])
def test_a_report_appears_when_it_is_whole(
    suffix: str, tmp_path: Path, open_at: OpenAt, picture: MakeDetection
) -> None:
    path = tmp_path / f"report{suffix}"
    with open_at(path) as writer:
        writer.add(picture())
        assert not path.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("suffix", [".html", ".pdf"])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_report_leaves_what_was_there(
    suffix: str, error: type[BaseException], tmp_path: Path, open_at: OpenAt, picture: MakeDetection
) -> None:
    path = tmp_path / f"report{suffix}"
    path.write_text("yesterday's")
    with pytest.raises(error), open_at(path) as writer:
        writer.add(picture())
        raise error
    assert path.read_text() == "yesterday's"
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_can_be_closed_by_hand_and_again(tmp_path: Path, open_at: OpenAt, picture: MakeDetection) -> None:
    path = tmp_path / "report.html"
    writer = open_at(path)
    writer.add(picture())
    writer.close()
    first = path.read_bytes()
    writer.close()
    assert path.read_bytes() == first


def test_a_missing_directory_is_made(tmp_path: Path, open_at: OpenAt) -> None:
    open_at(tmp_path / "new" / "deep" / "report.html").close()
    assert (tmp_path / "new" / "deep" / "report.html").is_file()


def test_a_directory_that_is_a_file_is_told_at_once(tmp_path: Path, open_at: OpenAt) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="it is a file, not a directory"):
        open_at(tmp_path / "taken" / "report.html")


def test_a_directory_in_the_place_is_told_at_once(tmp_path: Path, open_at: OpenAt) -> None:
    (tmp_path / "report.pdf").mkdir()
    with pytest.raises(UsageError, match="is a directory; give the name of a file"):
        open_at(tmp_path / "report.pdf")


def test_a_spool_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, open_at: OpenAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match=r"cannot write .*gone"):
        open_at(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".html", ".pdf"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    suffix: str, tmp_path: Path, open_at: OpenAt, picture: MakeDetection, full_disk: FullDisk
) -> None:
    path = tmp_path / f"report{suffix}"
    with (
        pytest.raises(UsageError, match=r"cannot write .*: File too large"),
        open_at(path) as w,
    ):
        w.add(picture())
        with full_disk():
            w.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_spool_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, open_at: OpenAt, picture: MakeDetection, full_disk: FullDisk
) -> None:
    path = tmp_path / "report.html"
    with (
        pytest.raises(UsageError, match=r"cannot write .*: File too large"),
        open_at(path) as writer,
        full_disk(),
    ):
        writer.add(picture())
    assert list(tmp_path.iterdir()) == []


def test_what_no_longer_belongs_to_the_shown_is_deleted(
    tmp_path: Path, spool: Path, open_at: OpenAt, picture: MakeDetection
) -> None:
    with open_at(tmp_path / "report.html", limit=2) as writer:
        for score in (0.1, 0.2, 0.3, 0.4, 0.05):
            writer.add(picture("a.jpg", (score,)))
            kept = [entry for entry in next(spool.iterdir()).iterdir() if entry.is_dir()]
            assert len(kept) <= 2
        assert sorted(entry.name for entry in kept) == ["3", "4"]


def test_no_pictures_at_all_can_be_asked_for(tmp_path: Path, open_at: OpenAt, picture: MakeDetection) -> None:
    path = tmp_path / "report.html"
    with open_at(path, limit=0) as writer:
        writer.add(picture("a.jpg"))
        writer.add(picture("b.jpg"))
    text = path.read_text(encoding="utf-8")
    assert "<img" not in text
    assert "b.jpg" in text


def test_replacing_takes_names_of_full_length(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 250 + ".html")
    with replacing(target) as partial:
        partial.write_text("new")
    assert target.read_text() == "new"


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="it is a file, not a directory"):
        make_directory(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot write"):
        make_directory(tmp_path / "file" / "below")
