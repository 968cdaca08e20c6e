"""``mesoscope data explore`` as it is typed."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import ManifestBuilder, Row, write_manifest


@pytest.fixture
def manifest(examples, tmp_path):
    """Two real and two generated portraits, one of each in the test part."""
    builder = ManifestBuilder(tmp_path / "data")
    (tmp_path / "data").mkdir()
    for name, label, split in (
        ("portrait-photo-1", "real", "train"),
        ("portrait-photo-2", "real", "test"),
        ("portrait-generated-1", "fake", "train"),
        ("portrait-generated-2", "fake", "test"),
    ):
        Image.open(examples / f"{name}.jpg").resize((64, 64)).save(tmp_path / "data" / f"{name}.jpg")
        builder.add(Row(path=f"{name}.jpg", label=label, group=f"g:{name}", dataset="portraits", split=split))
    path = tmp_path / "m.parquet"
    write_manifest(builder.build(), path)
    return path


@pytest.fixture
def run(monkeypatch):
    """Function that types a command; the words are seen where the history takes them from."""

    def typed(*words):
        monkeypatch.setattr("sys.argv", ["mesoscope", *map(str, words)])
        return CliRunner().invoke(application(), [*map(str, words)], prog_name="mesoscope")

    return typed


def test_page_and_figures(run, manifest, tmp_path):
    result = run("data", "explore", manifest, "--out", tmp_path / "page", "--workers", "0", "--samples", "1")
    assert result.exit_code == 0, result.output
    page = tmp_path / "page" / "index.html"
    assert result.stdout.strip() == str(page)
    text = page.read_text()
    assert f"mesoscope data explore {manifest} --out {tmp_path / 'page'}" in text
    assert text.count("data:image/jpeg") == 2
    assert "All files are 64 × 64 pixels." in text
    kept = json.loads((tmp_path / "m.audit.json").read_text())
    assert kept["rows"] == 4
    assert (tmp_path / ".mesoscope").is_dir()


def test_no_audit_reads_and_leaves_nothing(run, manifest, tmp_path):
    result = run("data", "explore", manifest, "--out", tmp_path / "page", "--no-audit", "--samples", "0")
    assert result.exit_code == 0, result.output
    assert "Not audited" in (tmp_path / "page" / "index.html").read_text()
    assert not (tmp_path / ".mesoscope").exists()
    assert not (tmp_path / "m.audit.json").exists()


def test_a_leak_is_told_and_shown(run, manifest, tmp_path):
    data = tmp_path / "data"
    (data / "portrait-photo-2.jpg").write_bytes((data / "portrait-photo-1.jpg").read_bytes())
    result = run(
        "data", "explore", manifest, "--out", tmp_path / "page", "--workers", "0", "--cache", tmp_path / "kept"
    )
    assert result.exit_code == 0, result.output
    assert "warning: duplicate: 1 picture is in more than one part of the split" in result.stderr
    assert "level-leak" in (tmp_path / "page" / "index.html").read_text()
    assert (tmp_path / "page" / "figures" / "finding-1-duplicate.png").exists()
    assert (tmp_path / "kept").is_dir() and not (tmp_path / ".mesoscope").exists()


def test_another_root(run, manifest, tmp_path):
    (tmp_path / "data").rename(tmp_path / "moved")
    failed = run("data", "explore", manifest, "--out", tmp_path / "page")
    assert failed.exit_code != 0
    result = run("data", "explore", manifest, "--root", tmp_path / "moved", "--out", tmp_path / "page", "--no-audit")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "page" / "index.html").read_text().count("data:image/jpeg") == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--columns", "absent"), "no column 'absent'"),
        (("--samples", "-1"), "samples"),
        (("--workers", "-1"), "workers"),
    ],
)
def test_wrong_usage_is_told_before_the_work(run, manifest, tmp_path, words, message):
    result = run("data", "explore", manifest, "--out", tmp_path / "page", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / ".mesoscope").exists()


def test_no_such_manifest(run, tmp_path):
    result = run("data", "explore", tmp_path / "absent.parquet", "--out", tmp_path / "page")
    assert result.exit_code == 2
    assert "there is no manifest" in result.stderr
