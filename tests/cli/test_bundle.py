"""`mesoscope bundle`."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesoscope.bundle import find_bundle
from mesoscope.cli import application


def invoke(*arguments: str) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(application(), list(arguments))
    return result.exit_code, result.output, result.exception


def test_list_names_the_packaged_bundle(home: Path) -> None:
    code, output, _ = invoke("bundle", "list")
    assert code == 0
    assert "mesoscope-face-2" in output
    assert "slim-resnet" in output


def test_list_reports_a_damaged_bundle_and_goes_on(home: Path) -> None:
    target = home / "bundles" / "broken-1"
    target.mkdir(parents=True)
    (target / "bundle.json").write_text("{}")
    code, output, _ = invoke("bundle", "list")
    assert code == 3
    assert "mesoscope-face-2" in output
    assert "schema_version" in output


def test_show_prints_card_and_contract() -> None:
    code, output, _ = invoke("bundle", "show")
    assert code == 0
    assert "Manifest sha256" in output
    assert "max-fpr 0.01" in " ".join(output.split())
    code, output, _ = invoke("bundle", "show", "mesoscope-face", "--json")
    assert json.loads(output)["name"] == "mesoscope-face"


def test_verify_says_which_is_bad(bundle_copy: Path) -> None:
    assert invoke("bundle", "verify", "mesoscope-face")[0] == 0
    (bundle_copy / "card.md").write_text("changed")
    code, output, _ = invoke("bundle", "verify", "mesoscope-face", str(bundle_copy))
    assert code == 3
    assert "ok  mesoscope-face-2" in output
    assert "was changed or damaged" in output


def test_an_unknown_bundle_is_said_to_be_unknown(home: Path) -> None:
    code, output, _ = invoke("bundle", "show", "nonsense")
    assert code == 2
    assert "no bundle 'nonsense'" in output


def test_pull_of_an_unknown_name() -> None:
    code, output, _ = invoke("bundle", "pull", "nonsense")
    assert code == 2
    assert "known: yunet" in output


def test_verify_opens_the_graph(bundle_copy: Path) -> None:
    (bundle_copy / "model.onnx").write_bytes(b"not a graph")
    contract = json.loads((bundle_copy / "bundle.json").read_text())
    contract["files"]["model.onnx"] = hashlib.sha256(b"not a graph").hexdigest()
    (bundle_copy / "bundle.json").write_text(json.dumps(contract))
    code, output, _ = invoke("bundle", "verify", str(bundle_copy))
    assert code == 3
    assert "cannot open" in output


def test_import_finds_its_way_to_the_other_package(home: Path, data_dir: Path, tmp_path: Path) -> None:
    weights = data_dir / "mesonet-weights" / "weights" / "Meso4_DF.h5"
    if not weights.is_file():
        pytest.skip(f"{weights} is absent")
    shutil.copy(weights, tmp_path / "Meso4_DF.h5")
    code, output, _ = invoke("bundle", "import", "--format", "mesonet", str(tmp_path / "Meso4_DF.h5"))
    assert code == 0, output
    assert find_bundle("mesonet-meso4-df").parent == home / "bundles"
    code, output, _ = invoke("bundle", "list")
    assert "mesonet-meso4-df-1" in output
