"""`mesoscope data import`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import read_manifest
from mesoscope_train.data.importers import importers


@pytest.fixture(scope="module")
def pictures(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label folders of two real and three fake pictures, with an empty file and a folder without a label."""
    root = tmp_path_factory.mktemp("pictures")
    for kind, name, number in [("photo", "real", 2), ("generated", "fake", 2), ("generated", "other", 1)]:
        for index in range(1, number + 1):
            (root / name).mkdir(exist_ok=True)
            picture = Image.open(examples / f"portrait-{kind}-{index}.jpg").resize((64, 64))
            picture.save(root / name / f"{index}.jpg")
    (root / "fake" / "empty.jpg").touch()
    return root


def invoke(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(application(), ["data", "import", *map(str, arguments)])
    return result.exit_code, result.output


def test_as_a_process_with_results_on_stdout(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.parquet"
    command = ["data", "import", "--format", "folders", str(pictures), "--dataset", "mine", "--out", str(out)]
    done = subprocess.run([sys.executable, "-m", "mesoscope", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[:3] == ["real fake rows groups", "mine 2 2 4 4", "left out: 2"]
    assert "1 x the file is empty (0 bytes)" in lines
    assert "fake/empty.jpg" in lines
    assert f"written: {out}" in lines
    assert done.stderr == ""
    manifest = read_manifest(out)
    assert manifest.values("path") == ["fake/1.jpg", "fake/2.jpg", "real/1.jpg", "real/2.jpg"]
    assert manifest.root.resolve() == pictures.resolve()
    assert manifest.history[0].startswith("mesoscope data import --format folders")


def test_json_for_programs(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.csv"
    code, output = invoke(
        "--format", "folders", pictures, "--label", "other=fake", "--out", out, "--json", "--limit", "1"
    )
    assert code == 0
    answer = json.loads(output)
    assert answer["manifest"] == str(out)
    assert (answer["rows"], answer["real"], answer["fake"], answer["beyond_limit"]) == (2, 1, 1, 3)
    assert answer["skipped"] == [
        {"reason": "the file is empty (0 bytes)", "count": 1, "examples": ["fake/empty.jpg"]}
    ]
    assert len(read_manifest(out)) == 2


def test_a_dry_run_writes_nothing_and_shows_rows(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.parquet"
    code, output = invoke("--format", "folders", pictures, "--dry-run", "--out", out)
    assert code == 0
    assert output.startswith("first rows\n  fake/1.jpg\n      label=fake  group=")
    assert "nothing was written" in output
    code, output = invoke("--format", "folders", pictures, "--dry-run", "--json")
    answer = json.loads(output)
    assert answer["manifest"] is None
    assert [row["path"] for row in answer["first"]] == ["fake/1.jpg", "fake/2.jpg", "real/1.jpg", "real/2.jpg"]
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_is_replaced_only_when_asked(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.parquet"
    out.write_text("precious")
    code, output = invoke("--format", "folders", pictures, "--out", out)
    assert code == 2
    assert "is already there; --force replaces it" in output
    assert out.read_text() == "precious"
    assert invoke("--format", "folders", pictures, "--out", out, "--force")[0] == 0
    assert len(read_manifest(out)) == 4


def test_all_that_a_table_may_be_told(pictures: Path, tmp_path: Path) -> None:
    table = tmp_path / "index.csv"
    table.write_text("n;kind;video\n1;AI;v1\n2;AI;v1\n9;AI;v2\n")
    mapping = ["--column", "path=fake/{n}.jpg", "--column", "label=kind", "--column", "group=video"]
    words = ["--label", "AI=fake", "--constant", "generator=StyleGAN", "--constant", "prompt=a=b"]
    out = tmp_path / "m.parquet"
    code, output = invoke(
        "--format", "table", pictures, "--table", table, *mapping, *words, "--out", out, "--dataset", "t"
    )
    assert code == 0
    assert "1 x the file is missing" in output
    rows = list(read_manifest(out).rows())
    assert [row["path"] for row in rows] == ["fake/1.jpg", "fake/2.jpg"]
    assert {(row["group"], row["label"], row["generator"], row["prompt"]) for row in rows} == {
        ("t:v1", "fake", "StyleGAN", "a=b")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "folders"], "name the directory of the set"),
        (["ROOT"], "name the layout with --format; known: "),
        (["--format", "folders", "ROOT"], "--out FILE.parquet, or look first with --dry-run"),
        (["--format", "folders", "ROOT", "--out", "m.txt"], "must end in .parquet or .csv"),
        (["--format", "folders", "ROOT", "--out", "no/m.csv"], "cannot write no/m.csv: there is no directory no"),
        (["--format", "folders", "ROOT", "--dry-run", "--label", "real"], "--label 'real': write it as NAME=VALUE"),
        (["--format", "folders", "ROOT", "--dry-run", "--label", "=real"], "write it as NAME=VALUE"),
        (["--format", "folders", "ROOT", "--dry-run", "--label", "x=unreal"], "must be one of real, fake"),
        (
            ["--format", "folders", "ROOT", "--dry-run", "--label", "x=real", "--label", "x=fake"],
            "--label x: said twice, as 'real' and as 'fake'",
        ),
        (["--format", "folders", "ROOT", "--dry-run", "--compression", "c23"], "does not heed --compression"),
        (["--format", "nonsense", "ROOT", "--dry-run"], "unknown data format 'nonsense'"),
        (["--format", "ciplab", "ROOT", "--dry-run"], "is not of this layout: looked for"),
    ],
)
def test_wrong_usage(pictures: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, output = invoke(*(str(pictures) if word == "ROOT" else word for word in arguments))
    assert code == 2
    assert message in " ".join(output.split())


def test_help_lists_every_layout_and_has_examples() -> None:
    code, output = invoke("--help")
    assert code == 0
    text = " ".join(output.split())
    assert "Examples" in text
    for name in importers:
        assert f"{name} {importers[name].title}" in text


def test_formats_shows_every_layout_in_full() -> None:
    code, output = invoke("--formats")
    assert code == 0
    for name in importers:
        assert f"{name}  {importers[name].title}" in output
        assert importers[name].source in output
        for line in importers[name].layout.splitlines():
            assert line in output
