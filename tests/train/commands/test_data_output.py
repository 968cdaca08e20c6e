"""What `mesoscope data` split, sample and merge have in common."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import read_manifest, write_manifest


def invoke(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(application(), ["data", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("arguments", [["split"], ["sample", "--even"], ["merge", "{0}"]], ids=lambda words: words[0])
def test_what_is_there_is_replaced_only_by_force(faces: Path, arguments: list[str]) -> None:
    copy = faces.with_name("copy.parquet")
    write_manifest(read_manifest(faces), copy)
    out = faces.with_name("out.parquet")
    out.write_text("mine")
    typed = [arguments[0], faces, *(word.format(copy) for word in arguments[1:]), "--out"]
    code, _, remarks = invoke(*typed, out)
    assert code == 2
    assert "--force replaces it" in remarks
    assert out.read_text() == "mine"
    assert invoke(*typed, out, "--force")[0] == 0
    assert len(read_manifest(out)) > 0
    assert "there is no directory" in invoke(*typed, faces.parent / "none" / "m.parquet")[2]
    assert "must end in .parquet or .csv" in " ".join(invoke(*typed, faces.with_name("m.xlsx"))[2].split())


def test_help_comes_without_numpy() -> None:
    script = (
        "import sys; from mesoscope.cli import main; sys.argv = ['mesoscope', 'data', sys.argv[1], '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert 'mesoscope_train.data.splitting' not in sys.modules"
    )
    for name in ("split", "sample", "merge"):
        done = subprocess.run([sys.executable, "-c", script, name], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "Examples" in done.stdout
