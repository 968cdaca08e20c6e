"""Whole manifests: what holds for every seed and shape, official splits, and what must be said."""

from __future__ import annotations

import numpy as np
import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope.manifest import read_manifest, write_manifest
from mesoscope_train.data.splitting import Folds, Fractions, split
from mesoscope_train.errors import LeakError

SEVENTY = Fractions.parse("70:20:10")


def parts_of_groups(manifest, column: str = "split") -> dict[str, set]:
    found: dict[str, set] = {}
    for group, part in zip(manifest.values("group"), manifest.values(column), strict=True):
        found.setdefault(group, set()).add(part)
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(120, 2, 150), (40, 1, 40), (600, 3, 400)], ids=["mixed", "few", "many"])
def test_no_group_is_split_and_fractions_are_near(skewed, seed: int, shape: tuple[int, int, int]) -> None:
    manifest = skewed(seed, *shape)
    made = split(manifest, SEVENTY, seed=seed)
    assert all(len(parts) == 1 for parts in parts_of_groups(made.manifest).values())
    assert made.manifest.table.drop_columns(["split"]).equals(manifest.table), "rows keep their order and content"
    assert None not in made.manifest.values("split")
    for total, share in zip(made.totals, SEVENTY.shares, strict=True):
        assert total.share == pytest.approx(share, abs=0.02)
    folded = split(manifest, Folds(4), seed=seed)
    assert all(len(parts) == 1 for parts in parts_of_groups(folded.manifest, "fold").values())
    assert set(folded.manifest.values("fold")) == {0, 1, 2, 3}
    assert "split" not in folded.manifest


@pytest.mark.parametrize("plan", [SEVENTY, Folds(3)], ids=["fractions", "folds"])
@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_rows_does_not_matter_and_the_seed_does(skewed, plan, seed: int) -> None:
    manifest = skewed(seed)
    column = "fold" if isinstance(plan, Folds) else "split"
    made = split(manifest, plan, seed=seed).manifest
    order = np.random.default_rng(seed).permutation(len(manifest))
    again = split(manifest.take(order), plan, seed=seed).manifest
    assert again.values(column) == [made.values(column)[row] for row in order]
    assert split(manifest, plan, seed=seed + 100).manifest.values(column) != made.values(column)


def test_the_split_of_a_seed_stays_what_it_is(manifest_of) -> None:
    """Papers name a seed: the same names and seed give the same split in every version."""
    made = split(manifest_of(group=list("abcdefghij")), SEVENTY, seed=0).manifest
    assert [SEVENTY.parts.index(part) for part in made.values("split")] == [2, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_every_label_of_every_set_is_spread(manifest_of) -> None:
    manifest = manifest_of(
        label=["fake"] * 100 + ["real"] * 300 + ["fake"] * 50 + ["real"] * 10,
        dataset=["a"] * 400 + ["b"] * 60,
    )
    made = split(manifest, SEVENTY)
    rows = {(cell.dataset, cell.label, cell.part): cell.rows for cell in made.cells}
    expected = {
        ("a", "fake"): (70, 20, 10),
        ("a", "real"): (210, 60, 30),
        ("b", "fake"): (35, 10, 5),
        ("b", "real"): (7, 2, 1),
    }
    for (dataset, label), counts in expected.items():
        assert tuple(rows[dataset, label, part] for part in SEVENTY.parts) == counts
    assert [(cell.part, cell.rows, cell.dataset) for cell in made.totals] == [
        ("train", 322, "all"),
        ("validation", 92, "all"),
        ("test", 46, "all"),
    ]
    assert not made.warnings
    assert not made.notes


def test_other_columns_can_be_spread(manifest_of) -> None:
    manifest = manifest_of(generator=["x"] * 40 + ["y"] * 40 + [None] * 20, label=["fake"] * 80 + ["real"] * 20)
    made = split(manifest, Fractions.parse("50:50"), stratify=("generator",)).manifest
    for generator, count in (("x", 20), ("y", 20), (None, 10)):
        chosen = [
            part
            for part, value in zip(made.values("split"), made.values("generator"), strict=True)
            if value == generator
        ]
        assert chosen.count("train") == count
    assert [total.rows for total in split(manifest, Fractions.parse("50:50"), stratify=()).totals] == [50, 50]


def test_groups_and_rows_of_each_cell_are_counted(manifest_of) -> None:
    manifest = manifest_of(
        group=["a", "a", "a", "b"], label=["real", "fake", "fake", "real"], split=["train", "train", "train", "test"]
    )
    cells = split(manifest, SEVENTY).cells
    assert [(cell.label, cell.part, cell.rows, cell.groups, cell.share) for cell in cells] == [
        ("fake", "train", 2, 1, 1.0),
        ("real", "train", 1, 1, 0.5),
        ("real", "test", 1, 1, 0.5),
    ]


def test_no_identity_is_split_where_asked(manifest_of) -> None:
    rng = np.random.default_rng(0)
    people = [f"p{index}" for index in rng.integers(0, 60, 400)]
    manifest = manifest_of(identity=people, group=[f"{name}/{index}" for index, name in enumerate(people)])
    loose, tied = split(manifest, SEVENTY), split(manifest, SEVENTY, by=("group", "identity"))
    assert (loose.units, tied.units) == (400, len(set(people)))

    def crossing(made) -> int:
        pairs = set(zip(people, made.manifest.values("split"), strict=True))
        return len(pairs) - len(set(people))

    assert crossing(loose) > 0
    assert crossing(tied) == 0


class TestOfficial:
    def test_official_rows_keep_their_split_and_the_rest_is_cut_into_what_is_missing(self, manifest_of) -> None:
        manifest = manifest_of(split=["test"] * 30 + [None] * 90)
        made = split(manifest, SEVENTY)
        assert made.manifest.values("split")[:30] == ["test"] * 30
        assert [total.rows for total in made.totals] == [70, 20, 30]
        assert made.notes == ("d came with test; the rest of it was cut into train 77.8% : validation 22.2%",)
        assert not made.warnings

    @pytest.mark.parametrize("seed", range(6))
    def test_official_rows_are_untouched_whatever_the_shape(self, skewed, seed: int) -> None:
        manifest = skewed(seed)
        rng = np.random.default_rng(seed)
        place = {group: rng.choice(["train", "validation", "test", None]) for group in set(manifest.values("group"))}
        given = [place[group] if rng.random() < 0.7 else None for group in manifest.values("group")]
        marked = manifest.with_column("split", given)
        made = split(marked, SEVENTY, seed=seed).manifest
        for before, after in zip(given, made.values("split"), strict=True):
            assert before in (None, after)
        assert all(len(parts) == 1 for parts in parts_of_groups(made).values())
        folded = split(marked, Folds(3), seed=seed).manifest
        for before, after, fold in zip(given, folded.values("split"), folded.values("fold"), strict=True):
            assert after == ("test" if fold is None else None)
            assert before != "test" or after == "test"
        assert all(len(parts) == 1 for parts in parts_of_groups(folded, "fold").values())

    def test_the_rest_of_a_group_goes_with_it(self, manifest_of) -> None:
        manifest = manifest_of(
            group=["a", "a", "b", *[f"x{index}" for index in range(9)]], split=[None, "test", None, *[None] * 9]
        )
        made = split(manifest, SEVENTY)
        assert made.manifest.values("split")[:2] == ["test", "test"]
        assert "1 row without a split went where the rest of the group officially stands" in made.notes

    def test_each_set_is_completed_on_its_own(self, manifest_of) -> None:
        manifest = manifest_of(
            dataset=["a"] * 50 + ["b"] * 90 + ["c"] * 100,
            split=["train"] * 30 + ["validation"] * 10 + ["test"] * 10 + ["test"] * 45 + [None] * 145,
        )
        made = split(manifest, SEVENTY)
        rows = {(cell.dataset, cell.part): cell.rows for cell in made.cells}
        assert [rows["a", part] for part in SEVENTY.parts] == [30, 10, 10]
        assert [rows["b", part] for part in SEVENTY.parts] == [35, 10, 45]
        assert [rows["c", part] for part in SEVENTY.parts] == [70, 20, 10]

    def test_a_group_of_two_sets_goes_where_both_are_open(self, manifest_of) -> None:
        shared = [f"s{index}" for index in range(40)]
        manifest = manifest_of(
            group=[*shared, *shared, "t1", "v2"],
            dataset=["a"] * 40 + ["b"] * 40 + ["a", "b"],
            split=[None] * 80 + ["test", "validation"],
        )
        made = split(manifest, SEVENTY)
        assert set(made.manifest.values("split")[:80]) == {"train"}, "a has its test, b its validation"
        everywhere = manifest_of(
            group=["s", "s", "t1", "v2", *"klmno"],
            dataset=["a", "b", "a", "b", *"bbbbb"],
            split=[None, None, "test", "train", *[None] * 5],
        )
        both = split(everywhere, Fractions.parse("50:50", ["train", "test"])).manifest.values("split")
        assert both[0] == both[1]

    def test_rows_outside_a_complete_official_split_are_cut_with_a_warning(self, manifest_of) -> None:
        manifest = manifest_of(split=["train", "validation", "test", *[None] * 10])
        made = split(manifest, SEVENTY)
        assert [total.rows for total in made.totals] == [8, 3, 2]
        assert "10 of its rows are in none" in made.warnings[0]

    def test_nothing_to_cut_is_said(self, manifest_of) -> None:
        manifest = manifest_of(split=["train", "test"])
        made = split(manifest, SEVENTY)
        assert made.manifest.table.equals(manifest.table)
        assert "nothing was cut" in made.warnings[0]

    def test_a_part_can_be_reopened(self, manifest_of) -> None:
        manifest = manifest_of(split=["train"] * 90 + ["test"] * 10)
        made = split(manifest, SEVENTY, reopened=["train"])
        assert [total.rows for total in made.totals] == [70, 20, 10]
        assert made.manifest.values("split")[90:] == ["test"] * 10
        anew = split(manifest, SEVENTY, reopened=["train", "validation", "test"])
        assert set(anew.manifest.values("split")[90:]) != {"test"}
        assert not anew.notes

    def test_a_leak_of_the_publisher_stops_unless_allowed(self, manifest_of) -> None:
        groups = ["a", "a", "a", "a", *[f"x{index}" for index in range(40)]]
        manifest = manifest_of(group=groups, split=["train", "train", "test", None, *[None] * 40])
        with pytest.raises(LeakError, match=r"1 group in several parts \(a\).*--allow-leak group.*--ignore-official"):
            split(manifest, SEVENTY)
        with pytest.raises(LeakError):
            split(manifest, SEVENTY, allowed=["identity"])
        made = split(manifest, SEVENTY, allowed=["group"])
        assert made.manifest.values("split")[:4] == ["train", "train", "test", "train"], (
            "as published; the rest with most"
        )
        assert made.warnings[0] == "kept as published: 1 group in several parts (a)"
        anew = split(manifest, SEVENTY, reopened=["train", "validation", "test"]).manifest
        assert len(parts_of_groups(anew)["a"]) == 1

    def test_a_person_in_two_official_parts_is_a_leak_of_its_own_kind(self, manifest_of) -> None:
        manifest = manifest_of(
            group=["v1", "v2", *[f"x{index}" for index in range(40)]],
            identity=["ann", "ann", *[None] * 40],
            split=["train", "test", *[None] * 40],
        )
        assert not [text for text in split(manifest, SEVENTY).warnings if "published" in text]
        with pytest.raises(
            LeakError, match=r"1 set of groups tied by 'identity' .*v1 with 1 more group.*--allow-leak identity"
        ):
            split(manifest, SEVENTY, by=("group", "identity"))
        made = split(manifest, SEVENTY, by=("group", "identity"), allowed=["identity"])
        assert made.manifest.values("split")[:2] == ["train", "test"]

    def test_folds_pool_official_train_and_validation(self, manifest_of) -> None:
        manifest = manifest_of(
            group=["a", "a", *[f"x{index}" for index in range(22)]],
            split=["train", "validation", *["train"] * 10, *["validation"] * 8, *["test"] * 4],
        )
        made = split(manifest, Folds(2))
        folds = made.manifest.values("fold")
        assert folds[0] == folds[1], "a group in train and validation leaks nothing into a fold"
        assert folds.count(0) == folds.count(1) == 10
        assert made.manifest.values("split") == [None] * 20 + ["test"] * 4
        assert made.notes == ("4 rows of an official test part stand in no fold",)

    def test_folds_know_a_leak_into_test(self, manifest_of) -> None:
        manifest = manifest_of(group=["a", "a", *"bcdef"], split=["train", "test", *["train"] * 5])
        with pytest.raises(LeakError, match="--allow-leak group"):
            split(manifest, Folds(2))
        made = split(manifest, Folds(2), allowed=["group"]).manifest
        assert made.values("split") == [None, "test", *[None] * 5]
        assert made.values("fold")[0] is not None

    def test_no_row_left_for_folds(self, manifest_of) -> None:
        with pytest.raises(UsageError, match="every row is in an official test part"):
            split(manifest_of(split=["test", "test"]), Folds(2))

    def test_old_folds_are_dropped(self, manifest_of) -> None:
        manifest = manifest_of(fold=[0] * 6 + [1] * 6)
        assert "fold" not in split(manifest, SEVENTY).manifest
        assert set(split(manifest, Folds(3)).manifest.values("fold")) == {0, 1, 2}


def test_what_is_too_coarse_is_said_with_the_reason(manifest_of) -> None:
    label = ["fake"] * 100 + ["real"] * 100
    group = ["big"] * 85 + [f"f{index}" for index in range(15)] + [f"r{index}" for index in range(100)]
    made = split(manifest_of(label=label, group=group), SEVENTY)
    assert len(made.warnings) == 1
    assert made.warnings[0].startswith(
        "fake of d: train has 85.0% of the rows instead of 70.0%; there are 100 rows in 16"
    )
    assert "the largest (big) holds 85%" in made.warnings[0]


def test_what_misses_by_less_than_a_row_is_not_said(manifest_of) -> None:
    made = split(manifest_of(label=["real"] * 8, group=[f"g{index}" for index in range(8)]), Fractions.parse("70:30"))
    assert made.totals[0].share == 0.75
    assert not made.warnings


def test_a_part_without_a_label_is_said(manifest_of) -> None:
    made = split(manifest_of(label=["real"] * 100 + ["fake"], group=[f"g{index}" for index in range(101)]), SEVENTY)
    assert "validation has no fake row" in made.warnings
    assert "test has no fake row" in made.warnings


def test_parts_that_would_be_empty_are_refused(manifest_of) -> None:
    manifest = manifest_of(group=["a", "a", "b", "b"])
    with pytest.raises(UsageError, match="would be empty: 2 groups are too few"):
        split(manifest, SEVENTY)
    with pytest.raises(UsageError, match="fold 2 would be empty"):
        split(manifest, Folds(3))


def test_columns_that_are_not_there(manifest_of) -> None:
    with pytest.raises(ManifestError, match="no column 'identity'"):
        split(manifest_of(label=["real"]), SEVENTY, by=("group", "identity"))
    with pytest.raises(UsageError, match="--allow-leak everything"):
        split(manifest_of(label=["real"]), SEVENTY, allowed=["everything"])


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_what_is_split_survives_the_disk(manifest_of, tmp_path, suffix: str) -> None:
    made = split(manifest_of(split=["test"] * 2 + [None] * 10), Folds(2)).manifest
    write_manifest(made, tmp_path / f"m{suffix}")
    assert read_manifest(tmp_path / f"m{suffix}").table.equals(made.table)
