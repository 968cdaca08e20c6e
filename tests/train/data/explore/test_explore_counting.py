"""What is counted equals what the manifest holds."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope.manifest import Manifest
from mesoscope_train.data.explore.columns import column_facts, is_measured, slice_columns
from mesoscope_train.data.explore.histograms import histogram
from mesoscope_train.data.explore.sampling import sample_rows
from mesoscope_train.data.explore.tallies import (
    group_sizes,
    label_masks,
    natural,
    split_tallies,
    tally,
    tally_values,
)


@pytest.fixture
def many(tmp_path):
    """1,000 rows of 40 sets, without pictures."""
    random = np.random.default_rng(3)
    table = pa.table(
        {
            "path": [f"{index}.jpg" for index in range(1000)],
            "label": random.choice(["real", "fake"], 1000, p=[0.7, 0.3]),
            "group": [f"g:{number}" for number in random.integers(0, 300, 1000)],
            "dataset": [f"set{number}" for number in np.minimum(random.integers(0, 60, 1000), 39)],
            "split": random.choice(np.array(["train", "test", None], object), 1000),
            "generator": [None] * 1000,
        }
    )
    labels = table.column("label").to_pylist()
    generators = [f"gan{index % 5}" if label == "fake" else None for index, label in enumerate(labels)]
    return Manifest(table.drop_columns(["generator"]).append_column("generator", pa.array(generators)), tmp_path)


def counted(manifest, column, label):
    pairs = zip(manifest.values(column), manifest.values("label"), strict=True)
    return Counter(value for value, of in pairs if of == label)


def test_numbers_are_the_manifests(many):
    found = tally(many, "dataset", most=100)
    for label in ("real", "fake"):
        assert dict(zip(found.values, found.counts[label], strict=True)) == {
            value: counted(many, "dataset", label)[value] for value in set(many.values("dataset"))
        }


def test_most_frequent_first_and_the_rare_ones_together(many):
    found = tally(many, "dataset", most=10)
    both = [sum(numbers) for numbers in zip(*found.counts.values(), strict=True)]
    assert both[:-1] == sorted(both[:-1], reverse=True)
    assert sum(both) == 1000
    assert (len(found.values), found.folded, found.names[-1]) == (10, 31, "31 others")


def test_a_label_without_values_is_left_out(many):
    found = tally(many, "generator")
    assert list(found.counts) == ["fake"]
    assert None not in found.values
    assert found.total("fake") == many.values("label").count("fake")


def test_rows_without_a_value_are_counted_as_such(many):
    found = tally(many, "split")
    assert found.values[-1] is None
    assert found.names[-1] == "not stated"
    assert found.counts["real"][-1] == counted(many, "split", "real")[None]


def test_splits_share_the_order_and_add_up(many):
    parts = split_tallies(many, most=8)
    assert list(parts) == ["train", "test", None]
    assert len({part.values for part in parts.values()}) == 1
    whole = tally(many, "dataset", most=8)
    for label in ("real", "fake"):
        added = np.sum([part.counts[label] for part in parts.values()], axis=0)
        assert tuple(added) == whole.counts[label]


def test_a_set_without_splits_is_one_part(many):
    plain = Manifest(many.table.drop_columns(["split"]), many.root)
    assert list(split_tallies(plain)) == [None]


def test_numbers_go_by_size_and_yes_has_words():
    masks = {"fake": np.ones(5, bool)}
    assert tally_values(pa.chunked_array([[10, 9, 9, 9, 2]]), masks).values == ("2", "9", "10")
    assert tally_values(pa.chunked_array([[True, True, False, None, True]]), masks).values == ("no", "yes", None)


def test_equally_frequent_text_goes_naturally():
    found = tally_values(pa.chunked_array([["c40", "c0", "c23", "c9"]]), {"fake": np.ones(4, bool)})
    assert found.values == ("c0", "c9", "c23", "c40")
    assert natural("a") != natural("b")
    assert sorted(["x²", "x1", "7", "x"], key=natural) == ["7", "x", "x1", "x²"]


def test_group_sizes(many):
    sizes = group_sizes(many)
    expected = Counter(
        group for group, label in zip(many.values("group"), many.values("label"), strict=True) if label == "fake"
    )
    assert sizes["fake"].tolist() == sorted(expected.values())
    assert sum(sizes["real"]) == many.values("label").count("real")


def test_slices_are_text_with_few_values(make_manifest):
    extra = [{"age": age, "smiling": age > 2, "name": f"n{age}", "same": "x"} for age in range(30)]
    rows = [{"label": "real", "extra": values, "generator": f"g{values['age'] % 2}"} for values in extra]
    manifest = make_manifest(rows)
    assert slice_columns(manifest) == ("generator", "smiling")
    assert slice_columns(manifest, ["age", "age", "name"]) == ("age", "name")
    assert is_measured(manifest, "age")
    assert not is_measured(manifest, "name")
    with pytest.raises(UsageError, match="no column 'absent'; it has: path"):
        slice_columns(manifest, ["absent"])
    with pytest.raises(UsageError, match="different in every row"):
        slice_columns(manifest, ["path"])


def test_folds_are_slices(make_manifest):
    assert slice_columns(make_manifest([{"label": "real", "fold": fold} for fold in (0, 1, 1)])) == ("fold",)


def test_columns_are_described(make_manifest):
    manifest = make_manifest(
        [
            {"label": "real", "frame": 7, "extra": {"smiling": True}},
            {"label": "fake", "frame": 12, "extra": {"smiling": None}},
        ]
    )
    facts = {entry.name: entry for entry in column_facts(manifest)}
    assert list(facts) == list(manifest.columns)
    assert (facts["frame"].kind, facts["frame"].example, facts["frame"].different) == ("whole number", "7 to 12", 2)
    assert (facts["smiling"].filled, facts["smiling"].example, facts["smiling"].meaning) == (1, "true", "")
    assert facts["label"].example == "fake, real"


def test_a_missing_column_is_told(many):
    with pytest.raises(ManifestError, match="no column 'difficulty'"):
        tally(many, "difficulty")


def test_shares_are_numpys():
    values = np.array([1.5, 2.25, 2.5, 9.0, np.nan])
    found = histogram({"real": values, "fake": np.array([3.0]), "none": np.array([np.nan])})
    counts = np.histogram(values[:4], found.edges)[0]
    np.testing.assert_allclose(found.shares["real"], counts / 4)
    assert found.counts == {"real": 4, "fake": 1}
    assert found.medians == {"real": 2.375, "fake": 3.0}
    assert not found.whole


@pytest.mark.parametrize(
    "values",
    [
        np.array([300]),
        np.arange(36, 666),
        np.array([1, 1, 1, 2, 900]),
        np.array([0, 5]),
        np.array([-3.5, 7.25]),
        np.array([0.001, 0.002, 80.0]),
        np.geomspace(2, 4000, 50).astype(int),
    ],
    ids=["one", "wide", "skewed", "zero", "negative", "small", "logarithmic"],
)
def test_every_value_is_in_a_bin(values):
    found = histogram({"real": values})
    assert found.shares["real"].sum() == pytest.approx(1)
    assert (np.diff(found.edges) > 0).all()


def test_skewed_ranges_are_logarithmic_and_others_are_not():
    assert histogram({"real": np.array([1, 1, 2, 3, 900])}).logarithmic
    assert not histogram({"real": np.arange(1, 91)}).logarithmic
    assert not histogram({"real": np.array([0, 1, 1, 900])}).logarithmic


def test_no_numbers_no_histogram():
    assert histogram({"real": np.array([np.nan])}) is None


def test_samples_are_from_different_groups(many):
    mask = label_masks(many)["fake"]
    rows = sample_rows(many, mask, 24, seed=0)
    groups = np.array(many.values("group"))[rows]
    assert len(set(rows)) == len(set(groups)) == 24
    assert mask[rows].all()


def test_groups_come_again_only_after_all_came(make_manifest):
    manifest = make_manifest([{"label": "fake", "group": f"g:{index % 3}"} for index in range(9)])
    rows = sample_rows(manifest, np.ones(9, bool), 7, seed=1)
    drawn = Counter(manifest.values("group")[row] for row in rows)
    assert len(rows) == 7
    assert sorted(drawn.values()) == [2, 2, 3]


def test_samples_do_not_depend_on_the_order_of_rows_but_on_the_seed(many):
    order = np.random.default_rng(9).permutation(1000)
    other = many.take(order)
    paths = []
    for manifest, seed in ((many, 0), (other, 0), (many, 1)):
        drawn = sample_rows(manifest, label_masks(manifest)["real"], 24, seed)
        paths.append([manifest.values("path")[row] for row in drawn])
    assert paths[0] == paths[1] != paths[2]


def test_fewer_rows_than_wanted_and_none(many):
    assert len(sample_rows(many, np.arange(1000) < 5, 24, seed=0)) == 5
    assert len(sample_rows(many, np.zeros(1000, bool), 24, seed=0)) == 0
