"""`mesoscope explain` as a user runs it: what it writes, and every way to ask wrongly."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import ManifestBuilder, Row, write_manifest

QUICK = ("--controls", "1", "--threads", "1")
HEAVY = ("torch", "torchvision", "timm", "h5py", "captum")


def ask(*arguments: str | Path | int) -> tuple[int, str]:
    """Run it in this process; exit code and what stands on stderr, in one line."""
    done = CliRunner().invoke(application(), ["explain", *map(str, arguments)])
    return done.exit_code, " ".join(done.stderr.split())


def refused(*arguments: str | Path | int) -> str:
    """What it says to a wrong wish."""
    code, said = ask(*arguments)
    assert code == 2, said
    return said


@pytest.fixture(scope="module")
def crop(tmp_path_factory: pytest.TempPathFactory, portrait: Path) -> Path:
    path = tmp_path_factory.mktemp("crops") / "crop.png"
    Image.open(portrait).crop((150, 100, 362, 312)).save(path)
    return path


def test_a_folder_gets_documents_numbers_and_pictures(crop: Path, tmp_path: Path) -> None:
    builder = ManifestBuilder(crop.parent)
    builder.add(Row(path=crop.name, label="real", group="g", dataset="d"))
    manifest = tmp_path / "m.parquet"
    write_manifest(builder.build(), manifest)
    out = tmp_path / "shown"
    code, said = ask(crop, "--faces", "none", "--outside", *QUICK, "--manifest", manifest, "--out", out)
    assert code == 0, said
    names = sorted(path.suffix for path in out.iterdir())
    assert names == [".html", ".jsonl", ".pdf", ".png"]
    (line,) = (out / "explanations.jsonl").read_text().splitlines()
    numbers = json.loads(line)
    assert numbers["label"] == "real"
    (view,) = numbers["faces"][0]["views"]
    assert view["method"] == "graph-map"
    assert view["chance"] >= 0.5  # one random map proves nothing
    assert "labelled real" in (out / "explanations.html").read_text()
    # its own pictures are not its inputs
    code, _ = ask(tmp_path, "--faces", "none", "--outside", *QUICK, "--out", out)
    assert code == 3
    assert "The folder holds no picture and no video" in (out / "explanations.html").read_text()


def test_a_video_is_annotated_and_shown_beside_another(clip: Path, tmp_path: Path) -> None:
    code, said = ask(clip, "--beside", clip, "--frames", 3, "--outside", *QUICK, "--out", tmp_path)
    assert code == 0, said
    assert (tmp_path / "side-by-side.mp4").stat().st_size > 10_000
    assert "Side by side" in (tmp_path / "explanations.html").read_text()
    lines = [json.loads(line) for line in (tmp_path / "explanations.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert {face["title"] for face in lines[0]["faces"]} == {"track 1", "track 2"}


def test_a_picture_without_a_face_has_no_map(examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "why.html"
    code, _ = ask(examples / "no-face-rotated.jpg", "--outside", *QUICK, "--out", out)
    assert code == 3
    text = out.read_text()
    assert "no face was found" in text
    assert "colour" not in text.partition('id="file-1"')[2].partition("<h2>Methods")[0]


def test_labels_that_fit_nothing_are_told(crop: Path, tmp_path: Path, portrait: Path) -> None:
    builder = ManifestBuilder(portrait.parent)
    builder.add(Row(path=portrait.name, label="real", group="g", dataset="d"))
    write_manifest(builder.build(), tmp_path / "m.parquet")
    code, said = ask(
        crop,
        "--faces",
        "none",
        "--outside",
        *QUICK,
        "--manifest",
        tmp_path / "m.parquet",
        "--out",
        tmp_path / "o.html",
    )
    assert code == 0
    assert "nothing was labelled" in said


@pytest.fixture(scope="module")
def occupied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("occupied") / "file"
    path.write_text("x")
    return path


def wrong() -> Iterator[tuple[list[str], str]]:
    yield ["--method", "lime"], "unknown explanation 'lime'; known: graph-map, occlusion"
    yield ["--method", "occlusion", "--layer", "conv3"], "occlusion is not made of a layer"
    yield ["--layer", "conv3"], "for another layer take --method grad-cam"
    yield ["--frames", "3", "--fps", "2"], "give --frames or --fps"
    yield ["--manifest", "nowhere.parquet"], "nowhere.parquet"
    yield ["--faces", "eyes"], "unknown face finder 'eyes'"


@pytest.mark.parametrize(("arguments", "words"), list(wrong()))
def test_wrong_wishes_are_told(arguments: list[str], words: str, crop: Path, tmp_path: Path) -> None:
    assert words in refused(crop, "--outside", *QUICK, "--out", tmp_path / "o.html", *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("o.docx", "a document's name ends in .pdf or .html"),
        ("file/o.pdf", "it is a file, not a directory"),
        ("file", "it is a file, not a directory"),
    ],
)
def test_places_that_cannot_be_written_are_told(name: str, words: str, crop: Path, occupied: Path) -> None:
    assert words in refused(crop, "--faces", "none", "--outside", *QUICK, "--out", occupied.parent / name)


def test_beside_wants_two_videos(crop: Path, clip: Path, tmp_path: Path) -> None:
    assert "give exactly one PATH" in refused(crop, crop, "--beside", clip, "--out", tmp_path / "o.html")
    pictures = (crop, "--beside", crop, "--faces", "none", "--outside", *QUICK)
    assert "no video with a judged face" in refused(*pictures, "--out", tmp_path / "o.html")
    assert list(tmp_path.iterdir()) == []


def test_where_torch_is_missing_the_document_says_so(crop: Path, tmp_path: Path) -> None:
    out = tmp_path / "why.html"
    arguments = ["mesoscope", "explain", str(crop), "--faces", "none", *QUICK, "--out", str(out)]
    program = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name.partition('.')[0] in {HEAVY!r}: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "sys.argv = {arguments!r}\n"
        "from mesoscope.cli import main\nmain()"
    )
    quiet = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program.replace("{arguments!r}", repr(arguments))],
        capture_output=True,
        text=True,
        env=quiet,
    )
    assert done.returncode == 0, done.stderr
    assert "pip install 'mesoscope[train]'" in done.stderr
    text = out.read_text()
    assert "Missing here:" in text
    assert "mesoscope[train]" in text
    assert "Deletion" in text
    asked = [*arguments, "--method", "grad-cam"]
    done = subprocess.run(
        [sys.executable, "-c", program.replace("{arguments!r}", repr(asked))],
        capture_output=True,
        text=True,
        env=quiet,
    )
    assert done.returncode == 2
    assert "the explanation 'grad-cam' needs the 'train' extra" in done.stderr


def test_a_layer_that_does_not_exist_is_told_with_those_that_do(crop: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    wrong = ("--method", "grad-cam", "--layer", "conv9", *QUICK, "--out", tmp_path / "why.pdf")
    said = refused(crop, "--faces", "none", *wrong)
    assert "no layer 'conv9'" in said
    assert "stages.5.relu" in said
    assert list(tmp_path.iterdir()) == []


def test_inside_the_packaged_bundle(crop: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pypdf = pytest.importorskip("pypdf")
    out = tmp_path / "why.pdf"
    code, said = ask(crop, "--faces", "none", "--colours", "jet", "--channels", 4, *QUICK, "--out", out)
    assert code == 0, said
    text = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(out).pages).split())
    assert "stem.0 · 4 of " in text
    assert "Rank correlation with the maps of networks with random weights" in text
    assert "Evidence for fake" in text
    assert "Evidence for real" in text


def test_files_without_an_answer_are_named(crop: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.jpg"
    code, said = ask(crop, missing, "--faces", "none", "--outside", *QUICK, "--out", tmp_path / "why.html")
    assert code == 3
    assert "missing.jpg: There is no such file or folder." in said
