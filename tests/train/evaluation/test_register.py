"""The register of test parts: it forgets nothing, and a column more makes no new test set."""

from __future__ import annotations

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.register import (
    Entry,
    add_to_register,
    earlier,
    read_register,
    refuse_again,
    rows_digest,
    siblings,
    user_register,
)


def entry(**changes) -> Entry:
    values = {
        "id": "first",
        "date": "2026-01-02T03:04:05+00:00",
        "bundle": "meso-1",
        "bundle_sha256": "aa",
        "manifest": "m",
        "manifest_sha256": "m1",
        "part": "test",
        "test_sha256": "t1",
        "rows": 8,
        "out": "somewhere",
        "mesoscope": "1",
        **changes,
    }
    return Entry(**values)


def test_entries_are_added_once_each(tmp_path) -> None:
    path = tmp_path / "home" / "evaluations.jsonl"
    assert read_register(path) == []
    add_to_register(path, [entry(), entry(manifest_sha256="m2")])
    add_to_register(path, [entry(), entry(id="second")])
    assert [(one.id, one.manifest_sha256) for one in read_register(path)] == [
        ("first", "m1"),
        ("first", "m2"),
        ("second", "m1"),
    ]


def test_a_torn_line_is_passed_over_and_not_added_to(tmp_path) -> None:
    path = tmp_path / "r.jsonl"
    add_to_register(path, [entry()])
    path.write_bytes(path.read_bytes() + b'{"id": "torn')
    add_to_register(path, [entry(id="second")])
    assert [one.id for one in read_register(path)] == ["first", "second"]


def test_a_register_that_cannot_be_read_or_written_is_told(tmp_path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_register(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot"):
        add_to_register(tmp_path / "file" / "r.jsonl", [entry()])


@pytest.mark.parametrize(
    ("changes", "is_earlier"),
    [
        ({"id": "now"}, False),  # the very evaluation that goes on
        ({}, True),
        ({"manifest_sha256": "m2"}, True),  # a column was added
        ({"test_sha256": "t2"}, True),  # all rows of the same manifest, the test rows among them
        ({"manifest_sha256": "m2", "test_sha256": "t2"}, False),
        ({"test_sha256": None}, False),  # its validation part
        ({"bundle_sha256": "bb"}, False),
    ],
)
def test_what_counts_as_the_same_test(changes, is_earlier) -> None:
    assert bool(earlier([entry(**changes)], entry(id="now"))) is is_earlier


def test_other_bundles_of_the_name_are_counted() -> None:
    known = [entry(bundle_sha256="bb"), entry(bundle="meso-2", bundle_sha256="cc"), entry(bundle="other-1"), entry()]
    assert siblings(known, entry(id="now")) == ["bb", "cc"]


def test_a_second_look_is_refused_with_the_ways_out() -> None:
    refuse_again([])
    with pytest.raises(UsageError) as refused:
        refuse_again([(entry(id="now"), entry())] * 4)
    told = str(refused.value)
    assert "meso-1 on the test part of m (2026-01-02, in somewhere)" in told
    assert "and 1 more" in told
    assert "--again" in told and "--split validation" in told


def test_only_the_test_rows_are_named(manifest, written, rows) -> None:
    digest = rows_digest(manifest)
    assert digest is not None
    assert rows_digest(manifest.with_column("note", [str(n) for n in range(len(manifest))])) == digest
    assert rows_digest(manifest.take(list(reversed(range(len(manifest)))))) == digest
    labels = [
        "fake" if split == "test" else label
        for split, label in zip(manifest.values("split"), manifest.values("label"), strict=True)
    ]
    assert rows_digest(manifest.with_column("label", labels)) != digest
    training = [split == "train" for split in manifest.values("split")]
    assert rows_digest(manifest.take([n for n, wanted in enumerate(training) if wanted])) is None
    assert rows_digest(manifest.with_column("split", [None] * len(manifest))) is None


def test_the_users_register_lies_beside_the_bundles(home) -> None:
    assert user_register() == home / "evaluations.jsonl"
