"""`mesoscope data audit`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import ManifestBuilder, Row, read_manifest, write_manifest


@pytest.fixture(scope="module")
def pictures(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 real and 24 fake pictures, PNG all, and copy/0.jpg: the first real one, half as large."""
    root = tmp_path_factory.mktemp("pictures")
    for label, kind in (("real", "photo"), ("fake", "generated")):
        (root / label).mkdir()
        for index in range(24):
            portrait = (
                Image.open(examples / f"portrait-{kind}-{1 + index // 12}.jpg").convert("RGB").resize((480, 480))
            )
            left, top = index % 4 * 120, index // 4 % 3 * 160
            portrait.crop((left, top, left + 120, top + 120)).save(root / label / f"{index}.png")
    (root / "copy").mkdir()
    Image.open(root / "real" / "0.png").resize((60, 60)).save(root / "copy" / "0.jpg", quality=60)
    return root


@pytest.fixture
def rows() -> list[Row]:
    names = [f"{label}/{index}.png" for label in ("real", "fake") for index in range(24)]
    parts = ["train", "train", "test"] * 16
    return [
        Row(path=name, label=name[:4], group=f"set:{name}", dataset="set", split=part)
        for name, part in zip(names, parts, strict=True)
    ]


@pytest.fixture
def written(pictures: Path, tmp_path: Path):
    def write(rows: list[Row]) -> Path:
        builder = ManifestBuilder(pictures)
        for row in rows:
            builder.add(row)
        write_manifest(builder.build(), tmp_path / "m.parquet")
        return tmp_path / "m.parquet"

    return write


COPY = Row(path="copy/0.jpg", label="real", group="set:copy", dataset="set", split="test")


def invoke(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["data", "audit", *map(str, arguments), "--workers", "0"])
    return result.exit_code, result.stdout, result.stderr


def test_a_clean_set_passes_with_a_table(rows, written) -> None:
    manifest = written(rows)
    code, out, err = invoke(manifest)
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[:4] == ["label train test", "fake 16 8", "real 16 8", "48 rows in 48 groups"]
    assert "leak" not in out
    assert any(line.startswith("format 0.50 0.50 to 0.50 48 48") for line in lines)
    assert lines[-1] == f"written: {manifest.with_name('m.audit.json')}"
    assert json.loads(manifest.with_name("m.audit.json").read_text())["rows"] == 48


def test_a_leak_ends_with_1_and_is_written_all_the_same(rows, written, tmp_path) -> None:
    code, out, err = invoke(written([*rows, COPY]), "--out", tmp_path / "a.json")
    assert code == 1
    assert "leak  near-duplicate: 1 pair of pictures of different groups look alike" in out
    assert "    real/0.png | copy/0.jpg" in out
    assert "leaks (near-duplicate). To mend it, unite the groups" in err
    assert err.rstrip().endswith("--allow-leak near-duplicate")
    assert json.loads((tmp_path / "a.json").read_text())["findings"][0]["kind"] == "near-duplicate"
    assert not (tmp_path / "m.audit.json").exists()


def test_an_allowed_leak_is_still_told(rows, written) -> None:
    code, out, err = invoke(written([*rows, COPY]), "--allow-leak", "near-duplicate")
    assert (code, err) == (0, "")
    assert "allowed leak  near-duplicate: 1 pair" in out


def test_json_for_programs(rows, written) -> None:
    code, out, err = invoke(written([*rows, COPY]), "--json")
    answer = json.loads(out)
    assert code == 1
    assert answer["counts"]["real"] == {"test": 9, "train": 16}
    assert [finding["kind"] for finding in answer["findings"] if finding["severity"] == "leak"] == ["near-duplicate"]
    assert "real/0.png, copy/0.jpg" in err


def test_joined_groups_cannot_be_parted(rows, written, tmp_path) -> None:
    unsplit = [
        Row(path=row.path, label=row.label, group=row.group, dataset="set") for row in [*rows, COPY]
    ]  # before a split
    joined = tmp_path / "joined.parquet"
    code, out, err = invoke(written(unsplit), "--join-duplicates", joined)
    assert code == 0
    assert "note  near-duplicate-inside: 1 pair" in out
    assert f"written: {joined}, 49 groups united to 48" in err
    found = read_manifest(joined)
    assert found.values("group")[-1] == "set:real/0.png"
    assert found.history[-1].startswith("mesoscope")
    code, _, err = invoke(written(unsplit), "--join-duplicates", joined)
    assert code == 2
    assert "--force replaces it" in err


def test_joining_after_a_split_says_that_it_must_be_made_anew(rows, written, tmp_path) -> None:
    _, _, err = invoke(
        written([*rows, COPY]), "--join-duplicates", tmp_path / "j.parquet", "--allow-leak", "near-duplicate"
    )
    assert "its split is as before: split it anew" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--allow-leak", "shortcut"], "there is no such leak; there are group, identity, duplicate, near-duplicate"),
        (["--shortcut-bound", "0.3"], "an AUC from 0.5 (tells nothing) to 1 is meant"),
        (["--join-duplicates", "out.txt"], "is no manifest by its name"),
        (["--root", "nowhere"], "which is no directory"),
    ],
)
def test_wrong_usage(arguments, said, rows, written) -> None:
    code, out, err = invoke(written(rows), *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_bound_moves_the_warnings(rows, written, pictures) -> None:
    manifest = written(rows)
    low, high = (invoke(manifest, "--shortcut-bound", bound, "--json")[1] for bound in ("0.5", "1"))
    assert json.loads(low)["bound"] == 0.5
    assert not any(shortcut["above_bound"] for shortcut in json.loads(high)["shortcuts"] if shortcut["auc"] < 1)


def test_as_a_process(rows, written) -> None:
    command = [sys.executable, "-m", "mesoscope", "data", "audit", str(written([*rows, COPY])), "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "near-duplicate: 1 pair" in done.stdout
    assert "Traceback" not in done.stderr
