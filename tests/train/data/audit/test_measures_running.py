"""Measuring a manifest: the cache, what a kill leaves, several processes."""

from __future__ import annotations

import os
from collections import Counter

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from mesoscope.errors import UsageError
from mesoscope.manifest import ManifestBuilder, Row
from mesoscope_train.data.audit.measures import cache as cache_module
from mesoscope_train.data.audit.measures import measure, running
from mesoscope_train.data.audit.measures.schema import SCHEMA

NAMES = ("c.jpg", "a.jpg", "d.png", "b.jpg", "broken.jpg", "missing.jpg")


@pytest.fixture
def root(portrait, tmp_path):
    """Four pictures and a broken one; `missing.jpg` is not there."""
    image = Image.open(portrait).convert("RGB")
    root = tmp_path / "set"
    root.mkdir()
    for index, name in enumerate(NAMES[:4]):
        image.crop((index * 40, 0, index * 40 + 200, 200)).resize((48, 40)).save(root / name)
    (root / "broken.jpg").write_bytes(portrait.read_bytes()[:5000])
    return root


@pytest.fixture
def manifest_of(root):
    def make(*names):
        builder = ManifestBuilder(root)
        for name in names:
            builder.add(Row(path=name, label="real", group=name, dataset="test"))
        return builder.build()

    return make


@pytest.fixture
def manifest(manifest_of):
    return manifest_of(*NAMES)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "measures.parquet"


@pytest.fixture
def measured(monkeypatch):
    """Counts how often each file was measured in this process."""
    counts = Counter()

    def count(file, measure_file=running.measure_file):
        counts[file.name] += 1
        return measure_file(file)

    monkeypatch.setattr(running, "measure_file", count)
    return counts


@pytest.fixture
def small_batches(monkeypatch):
    """A batch and a part hold one file."""
    monkeypatch.setattr(running, "_BATCH", 1)
    monkeypatch.setattr(cache_module, "_ROWS_A_PART", 1)


def test_rows_stand_in_the_manifests_order(manifest, root, cache):
    table = measure(manifest, cache, workers=0)
    assert table.schema.equals(SCHEMA)
    assert table.column("path").to_pylist() == list(NAMES)
    row = table.to_pylist()[1]
    assert row["size_bytes"] == (root / "a.jpg").stat().st_size
    assert row["mtime_ns"] == (root / "a.jpg").stat().st_mtime_ns
    assert (row["width"], row["height"], len(row["pixels"]), len(row["spectrum_fixed"])) == (48, 40, 16, 16)


def test_what_cannot_be_read_has_an_error_and_nulls(manifest, cache):
    *good, broken, missing = measure(manifest, cache, workers=0).to_pylist()
    assert all(row["error"] is None for row in good)
    assert "damaged" in broken["error"]
    assert missing["error"] == "The file does not exist."
    assert missing["size_bytes"] is None
    assert all(broken[name] is None for name in SCHEMA.names[4:])


def test_nothing_is_measured_twice_but_what_failed(manifest, cache, measured):
    first = measure(manifest, cache, workers=0)
    again = measure(manifest, cache, workers=0)
    assert again.equals(first)
    assert measured == {**dict.fromkeys(NAMES[:4], 1), "broken.jpg": 2, "missing.jpg": 2}


@pytest.mark.parametrize("change", ["content", "time"])
def test_a_changed_file_is_measured_again(manifest, root, cache, measured, change):
    before = measure(manifest, cache, workers=0).to_pylist()
    if change == "content":
        Image.open(root / "a.jpg").transpose(Image.Transpose.ROTATE_90).save(root / "a.jpg")
    else:
        os.utime(root / "a.jpg", ns=(1, 1))
    after = measure(manifest, cache, workers=0).to_pylist()
    assert measured["a.jpg"] == 2
    assert (after[1]["width"] == before[1]["width"]) == (change == "time")
    assert [after[0], *after[2:]] == [before[0], *before[2:]]


def test_a_killed_run_goes_on_where_it_was(manifest, cache, measured, monkeypatch, small_batches):
    whole = measure(manifest, cache.with_name("other.parquet"), workers=0)
    measured.clear()

    def die(count, seen=[]):  # noqa: B006 - counts the calls
        seen.append(count)
        if len(seen) == 4:  # what is known is told first, then each of two files
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(manifest, cache, workers=0, progress=die)
    assert not cache.exists()
    assert len(list(cache.with_name("measures.parquet.parts").iterdir())) == 3
    resumed = measure(manifest, cache, workers=0)
    assert resumed.equals(whole)
    assert {measured[name] for name in NAMES[:4]} == {1}
    assert cache.exists()
    assert not cache.with_name("measures.parquet.parts").exists()


def test_a_half_written_part_is_not_used(manifest, cache, measured, small_batches):
    parts = cache.with_name("measures.parquet.parts")
    parts.mkdir()
    (parts / "000000.parquet").write_bytes(b"PAR1 and no more")
    remarks = []
    assert measure(manifest, cache, workers=0, remark=remarks.append).num_rows == len(NAMES)
    assert "cannot be read" in remarks[0]
    assert not parts.exists()


@pytest.mark.parametrize("damage", ["bytes", "version", "columns"])
def test_a_cache_that_cannot_be_used_is_redone_with_a_remark(manifest, cache, measured, damage):
    first = measure(manifest, cache, workers=0)
    if damage == "bytes":
        cache.write_bytes(cache.read_bytes()[:-100])
    elif damage == "version":
        parquet.write_table(first.replace_schema_metadata({b"mesoscope-measures": b"0"}), cache)
    else:
        parquet.write_table(first.drop_columns(["pixels"]), cache)
    remarks = []
    assert measure(manifest, cache, workers=0, remark=remarks.append).equals(first)
    assert len(remarks) >= 1
    assert "measured again" in remarks[0]
    assert measured["a.jpg"] == 2
    remarks.clear()
    measure(manifest, cache, workers=0, remark=remarks.append)
    assert not remarks


def test_manifests_of_one_root_share_a_cache(manifest_of, cache, measured):
    measure(manifest_of("a.jpg", "b.jpg"), cache, workers=0)
    measure(manifest_of("c.jpg"), cache, workers=0)
    table = measure(manifest_of("c.jpg", "b.jpg", "a.jpg"), cache, workers=0)
    assert table.column("path").to_pylist() == ["c.jpg", "b.jpg", "a.jpg"]
    assert measured == {"a.jpg": 1, "b.jpg": 1, "c.jpg": 1}


def test_processes_give_the_same_in_any_order(manifest, cache, monkeypatch):
    alone = measure(manifest, cache, workers=0)
    monkeypatch.setattr(running, "_BATCH", 2)
    steps = []
    others = cache.with_name("others.parquet")
    assert measure(manifest, others, workers=2, progress=steps.append).equals(alone)
    assert sum(steps) == len(NAMES)
    assert parquet.read_table(others).equals(parquet.read_table(cache))


def test_a_cache_that_cannot_be_written_is_told(manifest, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="cannot write"):
        measure(manifest, tmp_path / "file" / "measures.parquet", workers=0)


def test_rows_that_the_table_cannot_hold_fail_loudly():
    with pytest.raises(pa.ArrowInvalid):
        pa.RecordBatch.from_pylist([{"path": "a", "pixels": b"too short"}], schema=SCHEMA)
