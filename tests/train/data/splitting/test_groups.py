"""Groups, and groups tied together by further columns."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope_train.data.splitting.groups import units_of


def together(units, groups: list[str]) -> bool:
    return len({int(units.of_group[units.groups.index(group)]) for group in groups}) == 1


def test_groups_alone_are_the_units(manifest_of) -> None:
    units = units_of(manifest_of(group=["b", "a", "b"]))
    assert units.of_row.tolist() == [0, 1, 0]
    assert len(units) == 2
    assert units.name(1) == "a"


def test_an_identity_ties_its_groups_and_chains_do_too(manifest_of) -> None:
    manifest = manifest_of(
        group=["v1", "v2", "v3", "v4", "v5", "v5"],
        identity=["ann", "ann", "bob", None, "bob", "cat"],
    )
    units = units_of(manifest, ("group", "identity"))
    assert together(units, ["v1", "v2"])
    assert together(units, ["v3", "v5"])
    assert not together(units, ["v1", "v3"])
    assert len(units) == 3, "a group without an identity is tied to nothing"
    assert units.name(int(units.of_row[2])) == "v3 with 1 more group"


def test_a_person_is_the_same_as_target_and_as_source(manifest_of) -> None:
    manifest = manifest_of(
        group=["v1", "v2", "v3"], identity=["ann", "bob", "dan"], source_identity=["bob", "cat", None]
    )
    assert together(units_of(manifest, ("group", "identity", "source_identity")), ["v1", "v2"])
    assert len(units_of(manifest, ("group", "identity"))) == 3
    assert len(units_of(manifest, ("group", "source_identity"))) == 3


def test_a_name_is_one_person_inside_a_corpus_only(manifest_of) -> None:
    manifest = manifest_of(group=["ffpp:1", "celebdf:1", "ffpp:2", "free", "loose"], identity=["id0"] * 5)
    units = units_of(manifest, ("group", "identity"))
    assert together(units, ["ffpp:1", "ffpp:2"])
    assert not together(units, ["ffpp:1", "celebdf:1"])
    assert together(units, ["free", "loose"]), "groups that name no corpus are of one"
    assert not together(units, ["free", "ffpp:1"])


def test_equal_words_of_other_columns_tie_nothing(manifest_of) -> None:
    manifest = manifest_of(group=["v1", "v2"], identity=["x", "y"], category=["z", "x"])
    assert len(units_of(manifest, ("group", "identity", "category"))) == 2


def test_random_ties_agree_with_union_find(manifest_of) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        group = [f"g{index}" for index in rng.integers(0, 30, 60)]
        people = [None if index < 10 else f"p{index}" for index in rng.integers(0, 40, 60)]
        parent = {name: name for name in [*group, *filter(None, people)]}

        def find(name: str, parent: dict[str, str] = parent) -> str:
            while parent[name] != name:
                name = parent[name]
            return name

        for one, other in zip(group, people, strict=True):
            if other is not None:
                parent[find(one)] = find(other)
        units = units_of(manifest_of(group=group, identity=people), ("group", "identity"))
        pairs = {(int(unit), find(name)) for unit, name in zip(units.of_row, group, strict=True)}
        assert len(pairs) == len(units) == len({find(name) for name in group})


def test_keys_do_not_depend_on_the_order_of_rows(manifest_of) -> None:
    manifest = manifest_of(group=["v1", "v2", "v3"], identity=["ann", "bob", "ann"])
    ahead = units_of(manifest, ("group", "identity"))
    back = units_of(manifest.take([2, 1, 0]), ("group", "identity"))
    assert ahead.keys(5)[ahead.of_row].tolist() == back.keys(5)[back.of_row].tolist()[::-1]
    assert ahead.keys(5).tolist() != ahead.keys(6).tolist()


@pytest.mark.parametrize("by", [("identity",), (), ("group", "group")])
def test_groups_are_always_kept(manifest_of, by: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--by group,identity"):
        units_of(manifest_of(group=["a"], identity=["x"]), by)


def test_an_unknown_column_is_named(manifest_of) -> None:
    with pytest.raises(ManifestError, match="no column 'identity'"):
        units_of(manifest_of(group=["a"]), ("group", "identity"))
