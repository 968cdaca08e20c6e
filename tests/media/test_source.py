from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesoscope.errors import MediaError
from mesoscope.media import open_media, sha256, sniff
from mesoscope.media.source import printable, size_of


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    path = tmp_path / "a"
    path.write_bytes(content)
    assert sha256(path) == sha256(content) == hashlib.sha256(content).hexdigest()


def test_sha256_of_an_empty_file_exists(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sha256(tmp_path / "empty") == hashlib.sha256().hexdigest()


def test_sha256_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MediaError, match="not a file"):
        sha256(tmp_path / "pipe")


@pytest.mark.parametrize("read", [open_media, sniff, size_of])
def test_what_cannot_be_read_says_why(read: object, tmp_path: Path) -> None:
    assert callable(read)
    (tmp_path / "empty.jpg").touch()
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(MediaError, match="is empty"):
        read(tmp_path / "empty.jpg")
    with pytest.raises(MediaError, match="is empty"):
        read(b"")
    with pytest.raises(MediaError, match="does not exist"):
        read(tmp_path / "none.jpg")
    with pytest.raises(MediaError, match="folder"):
        read(tmp_path)
    with pytest.raises(MediaError, match="pipe"):
        read(tmp_path / "pipe.jpg")


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(b"\xff\xd8\xff")

    def refuse(*_: object, **__: object) -> None:  # file modes do not stop the superuser
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    for read in (open_media, sniff, sha256):
        with pytest.raises(MediaError, match="permission denied"):
            read(path)


def test_a_path_that_is_no_unicode_can_be_shown() -> None:
    assert printable(os.fsdecode(b"caf\xe9.jpg")) == r"caf\xe9.jpg"
    assert printable("café.jpg") == "café.jpg"


def test_pictures_are_read_without_loading_ffmpeg(portrait: Path) -> None:
    code = (
        "import sys, pathlib; from mesoscope.media import open_media, sniff;"
        "path = pathlib.Path(sys.argv[1]); sniff(path); open_media(path); print('av' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(portrait)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
