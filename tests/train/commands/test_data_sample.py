"""`mesoscope data sample` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import read_manifest, write_manifest


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["data", "sample", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def lines(output: str) -> list[str]:
    return [" ".join(line.split()) for line in output.splitlines()]


def test_the_table_says_from_how_many_groups(faces: Path) -> None:
    out = faces.with_name("even.parquet")
    code, output, _ = invoke(faces, "--out", out, "--even")
    assert code == 0
    assert lines(output) == [
        "class rows drawn from groups most of one group rows there groups there",
        "fake 20 20 1 80 40",
        "real 20 10 2 20 10",
        f"written: {out} (40 rows)",
    ]
    assert read_manifest(out).history[-1].endswith("--seed 0")


def test_per_class_and_json(faces: Path) -> None:
    out = faces.with_name("even.parquet")
    code, output, _ = invoke(faces, "--out", out, "--per-class", 3, "--json", "--by", "label,dataset")
    assert code == 0
    answer = json.loads(output)
    assert answer["rows"] == 6
    assert answer["classes"][0] == {
        "name": "fake of faces", "rows": 80, "groups": 40, "taken": 3, "taken_groups": 3, "most": 1,
    }  # fmt: skip


def test_uneven_labels_are_a_warning(faces: Path) -> None:
    manifest = read_manifest(faces)
    datasets = ["a" if label == "real" else f"b{row % 2}" for row, label in enumerate(manifest.values("label"))]
    write_manifest(manifest.with_column("dataset", datasets), faces)
    out = faces.with_name("even.parquet")
    _, _, remarks = invoke(faces, "--out", out, "--even", "--by", "dataset")
    assert "warning: the labels are not even (40 fake, 20 real)" in remarks


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say how much to draw: --per-class N, or --even"),
        (["--even", "--per-class", "3"], "say how much to draw"),
        (["--per-class", "3", "--total", "6"], "--total goes with --even"),
        (["--per-class", "21"], "there are not 21 rows of each class; there are: fake 80, real 20"),
        (["--per-class", "0"], "at least 1 row"),
        (["--even", "--by", "difficulty"], "no column 'difficulty'"),
    ],
)
def test_what_cannot_be(faces: Path, arguments: list[str], message: str) -> None:
    out = faces.with_name("s.parquet")
    code, output, remarks = invoke(faces, "--out", out, *arguments)
    assert (code, output) == (2, "")
    assert message in " ".join(remarks.split())
    assert not out.exists()
