from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from mesoscope.media import Input, MediaLimits, find_inputs


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def listed(*paths: str) -> list[str]:
    found = list(find_inputs(paths))
    assert [item.error for item in found] == [None] * len(found)
    return [item.path for item in found]


def only_error(*paths: str, **settings: object) -> str:
    (item,) = find_inputs(paths, **settings)  # type: ignore[arg-type]
    assert item.source is None
    assert item.error is not None
    return item.error


def test_a_folder_is_read_with_its_sub_folders_in_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.JPG", "a.png", "sub/c.mp4", "sub/deep/d.webp", "z.tiff", "notes.txt", "README")
    top = str(tmp_path)
    assert listed(top) == [f"{top}/{name}" for name in ("a.png", "b.JPG", "sub/c.mp4", "sub/deep/d.webp", "z.tiff")]


def test_paths_stay_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "in/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert listed("in", "./in/", "in/../in/a.jpg") == ["in/a.jpg", "./in/a.jpg", "in/../in/a.jpg"]


def test_hidden_files_and_folders_are_skipped_unless_named(tmp_path: Path) -> None:
    touch(tmp_path, ".a.jpg", ".git/b.jpg", "c.jpg")
    assert listed(str(tmp_path)) == [str(tmp_path / "c.jpg")]
    assert listed(str(tmp_path / ".a.jpg")) == [str(tmp_path / ".a.jpg")]
    assert listed(str(tmp_path / ".git")) == [str(tmp_path / ".git" / "b.jpg")]


def test_a_named_file_is_tried_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    (item,) = find_inputs([str(tmp_path / "notes.txt")])
    assert item == Input(str(tmp_path / "notes.txt"), tmp_path / "notes.txt")


def test_the_same_file_twice_is_kept_twice(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    assert len(listed(str(tmp_path), str(tmp_path / "a.jpg"))) == 3


def test_circles_of_links_end(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.jpg", "in/sub/b.jpg")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self").symlink_to("self")
    (tmp_path / "in" / "self.jpg").symlink_to("self.jpg")
    top = str(tmp_path / "in")
    assert listed(top) == [f"{top}/a.jpg", f"{top}/self.jpg", f"{top}/sub/b.jpg"]


def test_a_linked_folder_is_followed(tmp_path: Path) -> None:
    touch(tmp_path, "far/a.jpg")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "near").symlink_to(tmp_path / "far")
    assert listed(str(tmp_path / "in")) == [str(tmp_path / "in" / "near" / "a.jpg")]


def test_errors_become_inputs_and_the_others_go_on(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "texts/readme.txt")
    paths = [str(tmp_path / "none.jpg"), str(tmp_path / "texts"), "", "nul\0byte", str(tmp_path / "a.jpg")]
    found = list(find_inputs(paths))
    assert [item.path for item in found] == paths
    assert found[0].error == "There is no such file or folder."
    assert found[1].error == "The folder holds no picture and no video."
    assert found[2].error == "An empty path was given."
    assert "cannot be read" in (found[3].error or "")
    assert found[4].error is None


def test_an_unreadable_folder_is_an_error_and_its_neighbours_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.jpg", "locked/b.jpg", "z.jpg")
    scandir = os.scandir

    def refuse(folder: str) -> object:  # file modes do not stop the superuser
        if folder.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    first, locked, last = find_inputs([str(tmp_path)])
    assert (first.error, last.error) == (None, None)
    assert locked.path == str(tmp_path / "locked")
    assert locked.error == "The folder cannot be read: permission denied."
    assert only_error(str(tmp_path / "locked")) == locked.error


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    assert "no picture" in only_error(str(tmp_path))


def test_the_walk_is_lazy(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    inputs = find_inputs([str(tmp_path)])
    assert next(inputs).path.endswith("1.jpg")
    (tmp_path / "b" / "2.jpg").unlink()
    touch(tmp_path, "b/3.jpg")
    assert next(inputs).path.endswith("3.jpg")


def test_an_undecodable_name_is_shown_and_found(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    Path(path).write_bytes(b"x")
    (item,) = find_inputs([str(tmp_path)])
    assert item.path == str(tmp_path) + r"/caf\xe9.jpg"
    assert isinstance(item.source, Path)
    assert item.source.read_bytes() == b"x"


def test_standard_input_is_read_as_one_file() -> None:
    assert list(find_inputs(["-"], stdin=io.BytesIO(b"abc"))) == [Input("-", b"abc")]
    assert only_error("-", stdin=io.BytesIO()) == "Standard input is empty (0 bytes)."


def test_standard_input_is_not_read_beyond_the_limit() -> None:
    pipe = io.BytesIO(bytes(5 << 20))
    assert "limit of 10 bytes" in only_error("-", stdin=pipe, limits=MediaLimits(max_bytes=10))
    assert pipe.tell() <= 1 << 20


def test_a_broken_standard_input_is_an_error() -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    assert "input/output error" in only_error("-", stdin=Broken())


def test_a_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"abc"))
    writer.start()
    assert list(find_inputs([str(path)])) == [Input(str(path), b"abc")]
    writer.join()
