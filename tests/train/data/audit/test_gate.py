"""The gate: no leak passes unless it was allowed by name, and an audit is made once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mesoscope.errors import UsageError
from mesoscope.manifest import write_manifest
from mesoscope_train.data.audit import gate, run
from mesoscope_train.data.audit.findings import Audit
from mesoscope_train.data.audit.gate import audited, cross_leaks, refuse
from mesoscope_train.data.audit.measures import measure
from mesoscope_train.data.audit.run import audit_file, cache_directory
from mesoscope_train.data.audit.shortcuts import Shortcuts
from mesoscope_train.errors import LeakError


@pytest.fixture(autouse=True)
def _no_shortcuts(monkeypatch):
    """Their cross-validation takes its time, and has tests of its own."""
    monkeypatch.setattr(run, "find_shortcuts", lambda *_, **__: Shortcuts((), ()))


@pytest.fixture
def leaking(clean, tiles):
    """A group on both sides, and a picture on both sides."""
    clean.add("v/0.jpg", tiles[40], "fake", "video", split="train")
    clean.add("v/1.jpg", tiles[41], "fake", "video", split="test")
    clean.add("copy.png", Image.open(clean.root / "real/0.jpg"), "real", split="test")
    return clean


@pytest.fixture
def written(tmp_path):
    def write(tree) -> Path:
        path = tmp_path / "m.parquet"
        write_manifest(tree.manifest(), path)
        return path

    return write


def test_a_clean_manifest_passes_and_its_audit_is_kept(clean, written, monkeypatch):
    path = written(clean)
    first = audited(path, workers=0)
    assert Audit.from_json(audit_file(path).read_text()) == first
    assert list(cache_directory(path).glob("measures-*.parquet"))
    monkeypatch.setattr(gate, "audit", lambda *_, **__: pytest.fail("audited again"))
    assert audited(path) == first
    assert audited(path, clean.manifest()) == first


def test_another_content_or_bound_is_audited_anew(clean, written):
    path = written(clean)
    first = audited(path, workers=0)
    clean.rows.pop()
    assert audited(written(clean), workers=0).rows == first.rows - 1
    assert audited(path, workers=0, bound=0.99).bound == 0.99


def test_a_damaged_audit_is_made_anew(clean, written):
    path = written(clean)
    first = audited(path, workers=0)
    for damage in ("{", "[]", json.dumps({"schema": 99}), first.to_json().replace('"schema": 1', '"schema": 2')):
        audit_file(path).write_text(damage)
        assert audited(path, workers=0) == first


def test_leaks_stop_with_numbers_examples_and_the_way_out(leaking, written):
    path = written(leaking)
    with pytest.raises(LeakError) as raised:
        audited(path, workers=0)
    message = str(raised.value)
    assert message.startswith(f"{path} leaks (group, duplicate)")
    assert "group: 1 group stands in more than one part of the split (train and test: 1)" in message
    assert "(for example set:video, v/0.jpg, v/1.jpg)" in message
    assert "(for example real/0.jpg, copy.png)" in message
    assert message.endswith("--allow-leak group --allow-leak duplicate")
    assert audit_file(path).is_file()


def test_every_kind_must_be_allowed_by_name(leaking, written):
    path = written(leaking)
    with pytest.raises(LeakError, match="leaks \\(duplicate\\)"):
        audited(path, workers=0, allow=["group"])
    found = audited(path, workers=0, allow=["group", "duplicate"])
    assert {finding.kind for finding in found.leaks()} == {"group", "duplicate"}


def test_a_name_that_is_no_leak_is_refused_before_the_work(leaking, written):
    with pytest.raises(UsageError, match="--allow-leak shortcut: there is no such leak; there are group, identity"):
        audited(written(leaking), allow=["group", "shortcut"])


def test_an_audit_that_cannot_be_kept_is_remarked(clean, written, tmp_path):
    path = written(clean)
    audit_file(path).mkdir()
    remarks = []
    assert audited(path, workers=0, cache_dir=tmp_path / "elsewhere", remark=remarks.append).rows == 40
    assert "could not be kept" in remarks[0]


def test_refuse_names_the_two_manifests(leaking):
    findings = leaking.audit().findings
    refuse(findings, ["group", "duplicate"], "a")
    with pytest.raises(
        LeakError, match=r"^judging t.parquet after training on m.parquet leaks \(group, duplicate\)\. To"
    ):
        refuse(findings, [], "judging t.parquet after training on m.parquet", brief=True)


def test_what_two_manifests_share(leaking, tmp_path):
    whole = leaking.manifest()
    training, judged = (
        whole.take([index for index, name in enumerate(whole.values("split")) if name == part])
        for part in ("train", "test")
    )
    names = cross_leaks(training, judged)
    assert [(finding.kind, finding.examples) for finding in names] == [
        ("group", (("set:video", "v/0.jpg", "v/1.jpg"),))
    ]
    assert "1 group stands in the training data and in what is judged: " in names[0].message
    measures = [measure(manifest, tmp_path / "c.parquet", workers=0) for manifest in (training, judged)]
    found = cross_leaks(training, judged, training_measures=measures[0], judged_measures=measures[1])
    assert {finding.kind for finding in found} == {"group", "duplicate"}


def test_manifests_that_share_nothing(clean, tmp_path):
    whole = clean.manifest()
    judged = whole.take(range(1, 40, 2)).with_column("identity", [f"id{row}" for row in range(20)])
    assert cross_leaks(whole.take(range(0, 40, 2)), judged) == ()
