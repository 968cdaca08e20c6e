"""Reading bundles: what is right is read, and every way to be wrong is refused with a sentence."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesoscope.bundle import (
    BundleContract,
    find_bundle,
    installed_bundles,
    load_bundle,
    packaged_bundle_directory,
    read_bundle,
    sha256_of,
)
from mesoscope.errors import BundleError, BundleIntegrityError, BundleNotFound


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    contract = bundle / "bundle.json"
    data = json.loads(contract.read_text())
    change(data)
    contract.write_text(json.dumps(data))


def test_the_packaged_bundle_is_whole_and_small() -> None:
    bundle = load_bundle("mesoscope-face")
    assert bundle.contract.judges == "face"
    assert bundle.contract.calibration is not None
    assert bundle.path.name == bundle.contract.identifier
    assert bundle.sha256 == sha256_of(bundle.path / "bundle.json")
    assert bundle.card.startswith(f"# {bundle.contract.identifier}")
    assert sum(file.stat().st_size for file in bundle.path.iterdir()) < 5_000_000


def test_the_packaged_bundle_says_what_it_saw_and_keeps_parity() -> None:
    contract = load_bundle("mesoscope-face").contract
    assert {data.name for data in contract.training_data} == {"dfdc-faces", "mesonet"}
    assert all(data.manifest_sha256 for data in contract.training_data)
    assert max(contract.parity.openvino_logit, contract.parity.onnxruntime_logit, contract.parity.map) <= 1e-4


def test_a_copy_reads(bundle_copy: Path) -> None:
    assert read_bundle(bundle_copy).contract == load_bundle("mesoscope-face").contract


@pytest.mark.parametrize("name", ["model.onnx", "weights.safetensors", "card.md"])
def test_a_changed_file_is_refused(bundle_copy: Path, name: str) -> None:
    with (bundle_copy / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleIntegrityError, match=rf"{name} was changed or damaged"):
        read_bundle(bundle_copy)


def test_a_missing_file_is_refused(bundle_copy: Path) -> None:
    (bundle_copy / "model.onnx").unlink()
    with pytest.raises(BundleIntegrityError, match=r"model\.onnx is missing"):
        read_bundle(bundle_copy)


def test_a_newer_schema_asks_for_an_upgrade(bundle_copy: Path) -> None:
    edit(bundle_copy, lambda data: data.update(schema_version=3, something_new=True))
    with pytest.raises(BundleError, match=r"schema 3.*upgrade mesoscope"):
        read_bundle(bundle_copy)


def test_an_older_schema_asks_for_another_export(bundle_copy: Path) -> None:
    edit(bundle_copy, lambda data: (data.update(schema_version=1), data.pop("quantisation")))
    with pytest.raises(BundleError, match=r"schema 1.*export or import it again"):
        read_bundle(bundle_copy)


@pytest.mark.parametrize("field", sorted(BundleContract.model_fields))
def test_every_field_is_required(bundle_copy: Path, field: str) -> None:
    edit(bundle_copy, lambda data: data.pop(field))
    with pytest.raises(BundleError, match=field):
        read_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.update(extra=1), "extra"),
        (lambda data: data.update(labels={"real": 1, "fake": 0}), "higher means fake"),
        (lambda data: data.update(name="Not A Name"), "name"),
        (lambda data: data.update(version="1-beta"), "version"),
        (lambda data: data["files"].pop("card.md"), "files must name exactly"),
        (lambda data: data["files"].update({"model.onnx": "zz"}), "files"),
        (lambda data: data.update(band=None), "come together"),
        (lambda data: data.update(calibration=None), "need a calibration"),
        (lambda data: data["band"].update(upper=0.999999), "upper edge is the default"),
        (lambda data: data["band"].update(lower=1.0), "lower edge is above"),
        (
            lambda data: data["thresholds"].update(budgets=data["thresholds"]["budgets"][1:]),
            "0.01 and 0.05 are required",
        ),
        (lambda data: data["thresholds"].update(budgets=[]), "budgets"),
        (
            lambda data: data["thresholds"].update(n_real_groups=98),
            "98 groups of reals cannot promise a budget of 0.01",
        ),
        (lambda data: data["thresholds"].update(n_real_groups=0), "n_real_groups"),
        (lambda data: data["thresholds"]["budgets"][0].pop("upper_95"), "upper_95"),
        (lambda data: data["band"].pop("max_missed"), "max_missed"),
        (lambda data: data["parity"].update(against="float32"), "int8 graph states its quantisation"),
        (lambda data: data.update(calibration={"method": "isotonic", "knots": [[0, 0]]}), "knots"),
        (
            lambda data: data.update(calibration={"method": "isotonic", "knots": [[0, 0], [1, 0]]}),
            "increase strictly",
        ),
        (
            lambda data: data.update(calibration={"method": "isotonic", "knots": [[1, 0], [1, 2]]}),
            "increase strictly",
        ),
        (lambda data: data.update(calibration={"method": "beta", "slope": 1.0, "intercept": 0.0}), "calibration"),
        (lambda data: data["calibration"].update(slope=-1.0), "slope"),
        (lambda data: data["explanation"].update(floor=0.0), "floor"),
        (lambda data: data.update(limits=[]), "limits"),
        (lambda data: data["preprocess"].update(size="160"), "size"),
    ],
)
def test_a_contract_that_does_not_hold_is_refused(
    bundle_copy: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    edit(bundle_copy, change)
    with pytest.raises(BundleError, match=says):
        read_bundle(bundle_copy)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"{}", b'{"schema_version": "1"}'])
def test_a_contract_that_is_no_contract_is_refused(bundle_copy: Path, content: bytes) -> None:
    (bundle_copy / "bundle.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"not JSON|no schema_version"):
        read_bundle(bundle_copy)


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "last.CKPT", "setup.py", "head.joblib"])
def test_what_can_carry_code_is_refused_unread(bundle_copy: Path, name: str) -> None:
    (bundle_copy / name).write_bytes(b"\x80\x04.")
    with pytest.raises(BundleError, match="refused unread"):
        read_bundle(bundle_copy)


def test_a_foreign_file_is_refused(bundle_copy: Path) -> None:
    (bundle_copy / "notes.txt").write_text("hello")
    with pytest.raises(BundleError, match="no part of a bundle"):
        read_bundle(bundle_copy)


def test_a_directory_without_contract_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle"):
        read_bundle(tmp_path)


def test_bundles_are_found_by_name_name_version_directory_and_parent(bundle_copy: Path) -> None:
    packaged = packaged_bundle_directory() / "mesoscope-face-2"
    assert find_bundle("mesoscope-face") == packaged
    assert find_bundle("mesoscope-face-2") == packaged
    assert find_bundle(str(bundle_copy)) == bundle_copy
    assert find_bundle(str(bundle_copy.parent)) == bundle_copy


def test_the_users_newest_version_comes_first(home: Path, bundle_copy: Path) -> None:
    for version in ("9", "10", "9.1", "10.0.3"):
        target = home / "bundles" / f"mesoscope-face-{version}"
        target.mkdir(parents=True)
        (target / "bundle.json").write_text("{}")
    assert find_bundle("mesoscope-face").name == "mesoscope-face-10.0.3"
    versions = [path.name.rpartition("-")[2] for path in installed_bundles()]
    assert versions[:4] == ["10.0.3", "10", "9.1", "9"]


def test_an_unknown_name_lists_what_is_there(home: Path) -> None:
    with pytest.raises(BundleNotFound, match=r"no bundle 'nonsense'.*mesoscope-face-2"):
        find_bundle("nonsense")


def test_a_directory_of_several_bundles_is_not_guessed_from(tmp_path: Path) -> None:
    for name in ("a-1", "b-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bundle.json").write_text("{}")
    with pytest.raises(BundleNotFound, match="holds several"):
        find_bundle(str(tmp_path))


def test_a_folder_of_that_name_does_not_stand_in_for_an_installed_bundle(
    bundle_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle_copy.rename(bundle_copy.parent / "mesoscope-face")
    monkeypatch.chdir(bundle_copy.parent)
    assert find_bundle("mesoscope-face").parent == packaged_bundle_directory()
    assert find_bundle("./mesoscope-face") == Path("mesoscope-face")


def test_a_directory_without_bundle_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound, match=r"is no bundle and holds no bundle\.json"):
        find_bundle(str(tmp_path))


def test_a_card_that_is_no_text_is_refused(bundle_copy: Path) -> None:
    raw = b"\xff\xfe\x00"
    (bundle_copy / "card.md").write_bytes(raw)
    edit(bundle_copy, lambda data: data["files"].update({"card.md": hashlib.sha256(raw).hexdigest()}))
    with pytest.raises(BundleError, match="not UTF-8"):
        read_bundle(bundle_copy)
