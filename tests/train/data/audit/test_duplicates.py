"""Identical and alike pictures, and groups united over them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mesoscope.manifest import ManifestBuilder, Row
from mesoscope_train.data.audit.duplicates import FORMER_GROUP, find_duplicates, join_groups
from mesoscope_train.data.audit.fingerprint import FLAT, fingerprint

GROUPS = ["a", "b", "c", "d", "e", "f", "b"]


@pytest.fixture
def manifest(tmp_path):
    builder = ManifestBuilder(tmp_path)
    for index, group in enumerate(GROUPS):
        builder.add(Row(path=f"{index}.jpg", label="real", group=f"set:{group}", dataset="set"))
    return builder.build()


@pytest.fixture
def measures(tiles, resaved):
    """0 and 2 identical; 3 a copy of 6 (group b); 4 shows nothing; 5 could not be read."""
    pictures = [tiles[0], tiles[1], tiles[0], resaved(tiles[2], 50), None, None, tiles[2]]
    prints = [fingerprint(np.asarray(picture)) if picture else None for picture in pictures]
    prints[4] = FLAT
    pixels = [name and name.ljust(16, b".") for name in (b"0", b"1", b"0", b"3", b"4", None, b"6")]
    return pa.table({"pixels": pa.array(pixels, pa.binary(16)), "fingerprint": pa.array(prints, pa.binary())})


def test_what_is_there_twice(manifest, measures):
    found = find_duplicates(measures, manifest.codes("group")[0])
    assert found.identical.tolist() == [0, -1, 0, -1, -1, -1, -1]
    assert found.near.rows.tolist() == [[3, 6]]
    assert found.near.distance[0] < 20
    assert found.flat == 1


def test_pictures_of_one_group_may_look_alike(manifest, measures):
    groups = np.array([0, 1, 2, 3, 4, 5, 3])
    assert find_duplicates(measures, groups).near.rows.tolist() == []


def test_identical_pictures_are_not_near_ones_besides(measures):
    same = measures.take([0, 2])
    assert find_duplicates(same, np.arange(2)).near.rows.tolist() == []


def test_chunks_do_not_matter(manifest, measures):
    chunked = pa.concat_tables([measures.slice(0, 3), measures.slice(3)])
    groups = manifest.codes("group")[0]
    assert find_duplicates(chunked, groups).identical.tolist() == find_duplicates(measures, groups).identical.tolist()


def test_groups_are_united_over_both(manifest, measures):
    joined = join_groups(manifest, find_duplicates(measures, manifest.codes("group")[0]))
    assert joined.values("group") == [f"set:{name}" for name in ("a", "b", "a", "b", "e", "f", "b")]
    assert joined.values(FORMER_GROUP) == manifest.values("group")


def test_the_first_groups_are_kept_when_joined_again(manifest, measures):
    joined = join_groups(manifest, find_duplicates(measures, manifest.codes("group")[0]))
    bridged = pa.table(
        {"pixels": pa.array([bytes([min(row, 1)] * 16) for row in range(7)]), "fingerprint": measures["fingerprint"]}
    )
    again = join_groups(joined, find_duplicates(bridged, joined.codes("group")[0]))
    assert set(again.values("group")) == {"set:a"}  # a and c (before), then all that now look the same
    assert again.values(FORMER_GROUP) == manifest.values("group")


def test_nothing_to_unite_changes_nothing(manifest, measures):
    alone = manifest.take([0, 1])
    assert join_groups(alone, find_duplicates(measures.take([0, 1]), np.arange(2))) is alone
