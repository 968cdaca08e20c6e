"""`mesoscope data split` from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import read_manifest, write_manifest


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["data", "split", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def lines(output: str) -> list[str]:
    return [" ".join(line.split()) for line in output.splitlines()]


def test_the_table_says_what_was_reached(faces: Path) -> None:
    out = faces.with_name("split.csv")
    code, output, remarks = invoke(faces, "--out", out)
    assert (code, remarks) == (0, "")
    assert lines(output) == [
        "dataset label part rows share groups",
        "faces fake train 56 70.0% 28",
        "faces fake validation 16 20.0% 8",
        "faces fake test 8 10.0% 4",
        "faces real train 14 70.0% 7",
        "faces real validation 4 20.0% 2",
        "faces real test 2 10.0% 1",
        "all all train 70 70.0% 35",
        "all all validation 20 20.0% 10",
        "all all test 10 10.0% 5",
        f"written: {out}",
    ]
    made = read_manifest(out)
    assert made.values("split").count("test") == 10
    assert made.root == faces.parent


def test_folds_and_json(faces: Path) -> None:
    out = faces.with_name("folds.parquet")
    code, output, _ = invoke(faces, "--out", out, "--folds", 5, "--json")
    assert code == 0
    answer = json.loads(output)
    assert (answer["manifest"], answer["rows"], answer["units"]) == (str(out), 100, 50)
    assert [cell["part"] for cell in answer["totals"]] == [f"fold {number}" for number in range(5)]
    fold = {"part": "fold 0", "label": "fake", "dataset": "faces", "rows": 16, "groups": 8, "share": 0.2}
    assert answer["cells"][0] == fold
    assert (answer["notes"], answer["warnings"]) == ([], [])
    assert set(read_manifest(out).values("fold")) == set(range(5))


def test_the_history_holds_the_command_and_the_seed(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = faces.with_name("s.parquet")
    monkeypatch.setattr(sys, "argv", ["/somewhere/mesoscope", "data", "split", "a file.parquet"])
    assert invoke(faces, "--out", out)[0] == 0
    assert read_manifest(out).history[-1] == "mesoscope data split 'a file.parquet' --seed 0"
    monkeypatch.setattr(sys, "argv", ["/somewhere/mesoscope", "data", "split", "--seed=7"])
    assert invoke(faces, "--out", out, "--seed", 7, "--force")[0] == 0
    assert read_manifest(out).history == ("made by hand", "mesoscope data split --seed=7")


def test_another_process_gives_the_same_split(faces: Path) -> None:
    """Nothing hangs on the hash seed of a process."""
    out, again = faces.with_name("s.parquet"), faces.with_name("t.parquet")
    invoke(faces, "--out", out)
    command = [sys.executable, "-m", "mesoscope", "data", "split", str(faces), "--out", str(again)]
    subprocess.run(command, check=True, capture_output=True)
    assert read_manifest(again).digest() == read_manifest(out).digest()


def test_two_fractions_and_other_parts(faces: Path) -> None:
    out = faces.with_name("s.parquet")
    assert invoke(faces, "--out", out, "--fractions", "80:20")[0] == 0
    assert set(read_manifest(out).values("split")) == {"train", "validation"}
    again = ("--fractions", "80:20", "--parts", "train,test", "--force")
    assert invoke(faces, "--out", out, *again)[0] == 0
    assert set(read_manifest(out).values("split")) == {"train", "test"}


def test_official_splits_are_kept_or_opened(faces: Path) -> None:
    manifest = read_manifest(faces)
    given = ["test" if group in ("v0", "v1", "v2") else "train" for group in manifest.values("group")]
    official, out = faces.with_name("official.parquet"), faces.with_name("s.parquet")
    write_manifest(manifest.with_column("split", given), official)
    code, _, remarks = invoke(official, "--out", out)
    assert code == 0
    assert "warning: nothing was cut" in remarks
    assert read_manifest(out).values("split") == given
    code, _, remarks = invoke(official, "--out", out, "--reopen", "train", "--force")
    assert code == 0
    assert "faces came with test; the rest of it was cut into train 77.8% : validation 22.2%" in remarks
    assert read_manifest(out).values("split")[:6] == ["test"] * 6
    assert invoke(official, "--out", out, "--ignore-official", "--force")[0] == 0
    assert read_manifest(out).values("split").count("test") == 10


def test_a_leak_ends_with_exit_code_1_unless_allowed(faces: Path) -> None:
    manifest = read_manifest(faces)
    leaky, out = faces.with_name("leaky.parquet"), faces.with_name("s.parquet")
    write_manifest(manifest.with_column("split", ["train", "test", *[None] * 98]), leaky)
    code, output, remarks = invoke(leaky, "--out", out)
    assert (code, output) == (1, "")
    assert "1 group in several parts (v0)" in remarks
    assert not out.exists()
    code, _, remarks = invoke(leaky, "--out", out, "--allow-leak", "group")
    assert code == 0
    assert "kept as published: 1 group in several parts (v0)" in remarks


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "1"], "--folds 1: 2 to 100 folds"),
        (["--folds", "5", "--fractions", "70:30"], "give --fractions (with --parts) or --folds, not both"),
        (["--folds", "5", "--parts", "train,test"], "give --fractions (with --parts) or --folds, not both"),
        (["--folds", "60"], "would be empty: 50 groups are too few"),
        (["--fractions", "100"], "two or three positive numbers"),
        (["--parts", "train,exam"], "name different ones of train, validation, test"),
        (["--reopen", "exam"], "--reopen exam: name one of train, validation, test"),
        (["--allow-leak", "all"], "--allow-leak all: an official split leaks by group"),
        (["--by", "identity"], "groups are never split"),
        (["--by", "group,identity"], "the manifest has no column 'identity'"),
        (["--stratify", "path,generator"], "the manifest has no column 'generator'"),
        (["--root", "/nowhere"], "which is no directory"),
    ],
)
def test_what_cannot_be(faces: Path, arguments: list[str], message: str) -> None:
    out = faces.with_name("s.parquet")
    code, output, remarks = invoke(faces, "--out", out, *arguments)
    assert (code, output) == (2, "")
    assert message in " ".join(remarks.split())
    assert not out.exists()
