"""`mesoscope data faces`, as a person meets it; interrupted and killed too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import ManifestBuilder, Row, read_manifest, write_manifest

FILES = 40


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["data", "faces", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    """A fake with a face, a real without, a real file that is no picture."""
    root = tmp_path_factory.mktemp("set")
    for name, to in (("portrait-generated-1", "fake.jpg"), ("no-face-rotated", "nobody.jpg")):
        picture = Image.open(examples / f"{name}.jpg").convert("RGB")
        picture.thumbnail((128, 128))
        picture.save(root / to)
    (root / "text.jpg").write_text("no picture")
    builder = ManifestBuilder(root)
    for path, label in (("fake.jpg", "fake"), ("nobody.jpg", "real"), ("text.jpg", "real")):
        builder.add(Row(path=path, label=label, group=path, dataset="s"))
    write_manifest(builder.build("made by hand"), root / "m.parquet")
    return root / "m.parquet"


def test_tables_say_what_came_out(manifest: Path, tmp_path: Path) -> None:
    code, output, remarks = invoke(str(manifest), "--out", str(tmp_path), "--workers", "1")
    assert code == 0
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert "real 2 2 (100.0%) 1 1 (100.0%) 0" in lines
    assert "fake 1 0 (0.0%) 1 0 (0.0%) 1" in lines
    assert "all 3 2 (66.7%) 2 1 (50.0%) 1" in lines
    assert "files no face 1 0 1" in lines
    assert "files cannot be read 1 0 1" in lines
    assert f"1 crop: {tmp_path / 'faces.parquet'}" in output
    assert "earlier run" not in remarks

    code, output, remarks = invoke(str(manifest), "--out", str(tmp_path), "--json")
    assert code == 0
    answer = json.loads(output)
    assert answer["rows"] == 1
    assert answer["resumed"] == 3
    assert answer["settings"]["margin"] == 0.3
    assert answer["settings"]["frames"] == "first"
    assert answer["labels"]["real"]["why"] == {"no face": 1, "cannot be read": 1}
    assert answer["total"]["files_left_out"] == 2
    assert len(read_manifest(Path(answer["manifest"]))) == 1


def test_the_new_manifest_knows_the_command(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/mesoscope", "data", "faces", "a file.parquet"])
    assert invoke(str(manifest), "--out", str(tmp_path), "--workers", "1")[0] == 0
    history = read_manifest(tmp_path / "faces.parquet").history
    assert history == ("made by hand", "mesoscope data faces 'a file.parquet'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--frames", "last"], "--frames must be 'first' or a whole number, not 'last'"),
        (["--size", "large"], "--size must be 'native' or a whole number, not 'large'"),
        (["--frames", "first", "--fps", "1"], "choose one of --frames and --fps"),
        (["--png", "--quality", "90"], "PNG files have no quality"),
        (["--faces", "two"], "--faces must be one of one, all"),
        (["--finder", "haar"], "unknown face finder 'haar'"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--root", "/nowhere/at/all"], "is no directory"),
    ],
)
def test_wrong_usage_is_told(manifest: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, _, complaint = invoke(str(manifest), "--out", str(tmp_path / "out"), *arguments)
    assert code == 2
    assert message in complaint
    assert not (tmp_path / "out/faces.parquet").exists()


def test_a_manifest_is_not_overwritten_by_its_crops(manifest: Path, tmp_path: Path) -> None:
    own = tmp_path / "faces.parquet"
    shutil.copy(manifest, own)
    code, _, complaint = invoke(str(own), "--out", str(tmp_path))
    assert code == 2
    assert "would be overwritten by the manifest of its own crops" in complaint
    assert own.read_bytes() == manifest.read_bytes()


@pytest.fixture
def many(tmp_path: Path, portrait: Path) -> Path:
    root = tmp_path / "many"
    root.mkdir()
    picture = Image.open(portrait).convert("RGB")
    builder = ManifestBuilder(root)
    for number in range(FILES):
        picture.resize((128, 128 + number % 5)).save(root / f"{number}.jpg")
        label = "fake" if number % 3 else "real"
        builder.add(Row(path=f"{number}.jpg", label=label, group=str(number), dataset="s"))
    write_manifest(builder.build("made by hand"), root / "m.parquet")
    return root / "m.parquet"


def started(folder: Path) -> subprocess.Popen[str]:
    """A run of its own; every run has the same command line, in another working directory."""
    folder.mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "mesoscope",
        "data",
        "faces",
        "../many/m.parquet",
        "--out",
        "out",
        "--workers",
        "2",
    ]
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def noted(folder: Path) -> list[int]:
    """Rows in the journal, in the order of finishing."""
    journal = folder / "out/journal.jsonl"
    lines = journal.read_bytes().split(b"\n")[1:-1] if journal.exists() else []
    return [json.loads(line)["row"] for line in lines]


def stop_midway(run: subprocess.Popen[str], folder: Path, number: int) -> tuple[int, str]:
    """Send a signal as soon as some further files are done; returns the exit status and stderr."""
    before = len(noted(folder))
    while run.poll() is None and len(noted(folder)) < before + 3:
        time.sleep(0.002)
    os.kill(run.pid, number)
    _, complaint = run.communicate(timeout=60)
    assert before + 3 <= len(noted(folder)) < FILES
    return run.returncode, complaint


def test_interrupted_and_killed_it_ends_as_if_it_had_not_been(many: Path, tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert started(whole).wait(timeout=120) == 0

    code, complaint = stop_midway(started(torn), torn, signal.SIGINT)
    assert code == 130
    assert f"{len(noted(torn))} of {FILES} source files are done; the same command goes on from there" in complaint
    assert not (torn / "out/faces.parquet").exists()

    done = noted(torn)
    code, _ = stop_midway(started(torn), torn, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert noted(torn)[: len(done)] == done
    assert not (torn / "out/faces.parquet").exists()

    assert started(torn).wait(timeout=120) == 0
    assert sorted(noted(torn)) == list(range(FILES))
    for name in ("faces.parquet", "left-out.csv"):
        assert (torn / "out" / name).read_bytes() == (whole / "out" / name).read_bytes()
    crops = [
        {file.relative_to(run).as_posix(): file.read_bytes() for file in run.rglob("*-0.jpg")}
        for run in (whole, torn)
    ]
    assert len(crops[0]) == FILES
    assert crops[0] == crops[1]
    assert not list(torn.rglob("*.partial*"))
