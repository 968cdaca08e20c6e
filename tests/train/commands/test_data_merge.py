"""`mesoscope data merge` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import ManifestBuilder, Row, read_manifest, write_manifest


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["data", "merge", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def lines(output: str) -> list[str]:
    return [" ".join(line.split()) for line in output.splitlines()]


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """Another set of the same name in a directory of its own."""
    (tmp_path / "more").mkdir()
    builder = ManifestBuilder(tmp_path / "more")
    builder.add(Row(path="a.jpg", label="real", group="v0", dataset="faces", split="test"))
    write_manifest(builder.build("made elsewhere"), tmp_path / "more" / "more.csv")
    return tmp_path / "more" / "more.csv"


def test_two_sets_of_one_name_need_a_second_name(faces: Path, more: Path) -> None:
    # the set of `faces` lies above the other, so that they could be one: they are moved apart
    apart = faces.parent / "apart"
    apart.mkdir()
    write_manifest(read_manifest(faces, root=apart), faces)
    out = faces.with_name("m.parquet")
    code, output, remarks = invoke(faces, more, "--out", out)
    assert (code, output) == (2, "")
    assert f"--rename {more}:faces=faces-2" in " ".join(remarks.split())
    code, output, remarks = invoke(faces, more, "--out", out, "--rename", f"{more}:faces=faces-2")
    assert code == 0
    assert lines(output)[:4] == [
        "dataset label part rows groups",
        "faces fake none 80 40",
        "faces real none 20 10",
        "faces-2 real test 1 1",
    ]
    assert "1 group of equal name became one (v0)" in remarks
    merged = read_manifest(out)
    assert merged.root == faces.parent
    assert (merged.values("path")[0], merged.values("path")[-1]) == ("apart/0-0.jpg", "more/a.jpg")
    assert merged.history[:2] == (f"{faces}: made by hand", f"{more}: made elsewhere")


def test_a_file_in_two_manifests_and_json(faces: Path) -> None:
    split, out = faces.with_name("split.parquet"), faces.with_name("m.parquet")
    write_manifest(read_manifest(faces).with_column("split", ["train"] * 60 + ["test"] * 40), split)
    code, output, remarks = invoke(faces, split, "--out", out, "--json")
    assert code == 0
    answer = json.loads(output)
    assert (answer["rows"], answer["repeated"], answer["root"]) == (100, 100, str(faces.parent))
    assert answer["cells"][0]["part"] == "train"
    assert "100 rows are files that an earlier manifest has too" in remarks
    assert read_manifest(out).values("split") == read_manifest(split).values("split")


def test_what_cannot_be(faces: Path, more: Path) -> None:
    out = faces.with_name("m.parquet")
    assert invoke(faces, "--out", out)[0] == 2
    assert invoke(faces, more, "--out", out, "--rename", "faces")[0] == 2
    assert invoke(faces, faces.with_name("none.parquet"), "--out", out)[0] == 2
    assert not out.exists()
