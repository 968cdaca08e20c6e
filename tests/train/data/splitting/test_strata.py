"""The classes whose shares are kept."""

from __future__ import annotations

import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope_train.data.splitting.strata import strata_of


def test_combinations_that_occur_in_the_order_of_their_names(manifest_of) -> None:
    manifest = manifest_of(label=["real", "fake", "real"], dataset=["b", "b", "a"])
    strata = strata_of(manifest)
    assert strata.values == [("fake", "b"), ("real", "a"), ("real", "b")]
    assert strata.of_row.tolist() == [2, 0, 1]
    assert strata.name(0) == "fake of b"
    back = strata_of(manifest.take([2, 1, 0]))
    assert (back.values, back.of_row.tolist()) == (strata.values, [1, 0, 2])


def test_sums_over_several_strata_are_those_of_values_and_of_all_rows(manifest_of) -> None:
    strata = strata_of(manifest_of(label=["real", "fake", "real"], dataset=["b", "b", "a"]))
    # fake is the same as fake of b, and a the same as real of a: no sums over several strata
    assert {tuple(column) for column in strata.sums.T.tolist()} == {(0, 1, 1), (1, 0, 1), (1, 1, 1)}
    assert strata.sums.shape == (3, 3)


def test_an_empty_value_is_a_stratum_of_its_own(manifest_of) -> None:
    strata = strata_of(manifest_of(generator=["x", None, "x"]), ("generator",))
    assert strata.values == [("x",), ("–",)]


def test_no_column_means_one_stratum(manifest_of) -> None:
    strata = strata_of(manifest_of(label=["real", "fake"]), ())
    assert strata.of_row.tolist() == [0, 0]
    assert strata.sums.shape == (1, 0)
    assert strata.name(0) == "all rows"


def test_columns_that_are_no_classes_are_refused(manifest_of) -> None:
    with pytest.raises(UsageError, match="'time' holds measured numbers"):
        strata_of(manifest_of(time=[0.5, 1.5]), ("time",))
    many = manifest_of(path=[f"{index}.jpg" for index in range(1001)])
    with pytest.raises(UsageError, match="'path' has 1,001 different values"):
        strata_of(many, ("path",))
    columns = {"identity": [str(i % 40) for i in range(1600)], "category": [str(i // 40) for i in range(1600)]}
    with pytest.raises(UsageError, match="identity, category make 1,600 different combinations"):
        strata_of(manifest_of(**columns), ("identity", "category"))
    with pytest.raises(ManifestError, match="no column 'generator'"):
        strata_of(many, ("generator",))
