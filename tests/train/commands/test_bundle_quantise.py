"""``mesoscope bundle quantise``: from a bundle to its int8 copy in both engines."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("nncf", reason="int8 needs the 'train' extra")

from PIL import Image

from mesoscope.bundle import load_bundle
from mesoscope.cli import application
from mesoscope.manifest import ManifestBuilder, Row, read_manifest, write_manifest
from mesoscope_train.export import load_module


@pytest.fixture(scope="module")
def bundle(bundle_of):
    return bundle_of("meso4")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Twenty training and sixteen validation pictures; labels that mean nothing."""
    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(1)
    builder = ManifestBuilder(root)
    for number in range(36):
        noise = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        noise.resize((64, 64), Image.Resampling.BICUBIC).save(root / f"{number:02}.png")
        label, split = "fake" if number % 2 else "real", "train" if number < 20 else "validation"
        builder.add(Row(path=f"{number:02}.png", label=label, group=f"g{number}", dataset="noise", split=split))
    write_manifest(builder.build("made by hand"), root / "m.parquet")
    return root / "m.parquet"


def run(*arguments: object):
    return CliRunner().invoke(application(), [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(bundle, manifest, tmp_path_factory):
    """Labels mean nothing, so that the loss may be anything: it is allowed."""
    out = tmp_path_factory.mktemp("out")
    done = run("bundle", "quantise", bundle.path, "-m", manifest, "--out", out, "--max-loss", "0.9", "--json")
    assert done.exit_code == 0, done.output
    return load_bundle(str(out / "test-meso4-int8-1")), json.loads(done.stdout)


def test_the_contract_states_what_it_is_and_what_it_costs(bundle, made, manifest):
    copy, said = made
    contract = copy.contract
    facts = contract.quantisation
    assert (contract.name, contract.version, contract.architecture) == ("test-meso4-int8", "1", "meso4")
    assert (facts.source, facts.source_sha256) == (bundle.contract.identifier, bundle.sha256)
    assert facts.manifest_sha256 == read_manifest(manifest).digest()
    assert (facts.n_ranges, facts.n_real, facts.n_fake, facts.n_groups) == (20, 8, 8, 16)
    assert facts.bytes_after == copy.graph.stat().st_size < facts.bytes_before == bundle.graph.stat().st_size
    assert contract.parity.against == "float32"
    assert contract.parity.openvino_logit == facts.openvino.largest_logit > 0
    assert said["openvino"]["after"]["auc"] == facts.openvino.after.auc
    assert "int8 copy of test-meso4-1" in contract.limits[-1]


def test_the_card_has_the_figures(made):
    copy, _ = made
    facts = copy.contract.quantisation
    assert "## Int8 copy" in copy.card
    assert f"{facts.onnxruntime.after.auc:.4f}" in copy.card
    assert f"{facts.bytes_after:,} bytes instead of {facts.bytes_before:,}" in copy.card


def test_the_state_stays_for_explanations(bundle, made):
    copy, _ = made
    before, after = load_module(bundle).state_dict(), load_module(copy).state_dict()
    assert all((before[name] == after[name]).all() for name in before)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_detect_uses_it_with_either_engine(made, manifest, engine):
    copy, _ = made
    picture = manifest.parent / "30.png"
    done = run("detect", picture, "--bundle", copy.path, "--faces", "none", "--engine", engine, "--json")
    assert done.exit_code == 0, done.output
    (answer,) = json.loads(done.stdout)
    assert 0 < answer["probability"] < 1


def test_int8_of_int8_is_refused(made, manifest, tmp_path):
    done = run("bundle", "quantise", made[0].path, "-m", manifest, "--out", tmp_path)
    assert done.exit_code == 2
    assert "is int8 already; quantise test-meso4-1" in done.stderr


def test_a_taken_place_is_refused(bundle, manifest, made):
    done = run("bundle", "quantise", bundle.path, "-m", manifest, "--out", made[0].path.parent)
    assert done.exit_code == 2
    assert "already there" in done.stderr


def test_a_bound_that_is_no_share_is_refused(bundle, manifest, tmp_path):
    done = run("bundle", "quantise", bundle.path, "-m", manifest, "--out", tmp_path, "--max-loss", "3")
    assert done.exit_code == 2
    assert "write a share" in done.stderr


def test_thresholds_of_the_source_promise_nothing_any_more():
    from mesoscope_train.quantising.run import _without_promises

    thresholds = load_bundle("mesoscope-face").contract.thresholds
    left = _without_promises(thresholds)
    assert [budget.threshold for budget in left.budgets] == [budget.threshold for budget in thresholds.budgets]
    assert all(budget.upper_95 is None for budget in left.budgets)
