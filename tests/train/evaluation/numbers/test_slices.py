"""Slices: which there are, what is compared, and that the correction counts every test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mesoscope.errors import UsageError
from mesoscope.metrics import holm
from mesoscope_train.evaluation.measuring import measure
from mesoscope_train.evaluation.metrics_schema import Absent, PValue, Settings
from mesoscope_train.evaluation.parts import parts_of
from mesoscope_train.evaluation.scores import score_schema
from mesoscope_train.evaluation.slices import columns_for, cuts_of, refuse_unknown


def cuts(known, column: str, minimum: int = 10):
    return cuts_of(next(parts_of(known, "m", ["clean"])), column, minimum)


@pytest.fixture
def made(rows, logits_of, table, scores):
    """Function from changes of 120 rows to their scores."""

    def make(change=lambda index: {}, **fields):
        changed = [{**row, **change(index)} for index, row in enumerate(rows())]
        return scores(table(changed, logits_of(rows()), **fields))

    return make


def test_quarters_hold_equally_many_and_name_their_span(made):
    known = made(lambda index: {"width": index + 1})
    told, found = cuts(known, "size_quartile")
    assert told.values == ["lowest quarter", "second quarter", "third quarter", "highest quarter"]
    assert [int(cut.inside.sum()) for cut in found] == [30, 30, 30, 30]
    assert [cut.slice.title for cut in found][:2] == ["size, px: 1 to 30", "size, px: 31 to 60"]
    assert np.stack([cut.inside for cut in found]).sum(axis=0).tolist() == [1] * 120


def test_size_is_that_before_a_crop_was_scaled_where_it_is_known(made):
    known = made(lambda index: {"original_width": 2 * (index + 1), "original_height": 8 * (index + 1), "width": 224})
    _, found = cuts(known, "size_quartile")
    assert found[0].slice.title == "original size, px: 4 to 120"


def test_equal_values_stay_in_one_quarter_and_unknown_ones_apart(made):
    known = made(lambda index: {"brightness": None if index < 20 else 7.0 if index < 90 else float(index)})
    _, found = cuts(known, "brightness_quartile", minimum=1)
    sizes = {cut.slice.value: int(cut.inside.sum()) for cut in found}
    assert sizes == {"lowest quarter": 70, "third quarter": 5, "highest quarter": 25, "(none)": 20}


def test_words_are_slices_the_frequent_first_and_small_ones_are_named(made):
    known = made(lambda index: {"kind": "rare" if index < 4 else None if index < 40 else "often"})
    told, found = cuts(known, "kind")
    assert told.values == ["often", "(none)"] == [cut.slice.value for cut in found]
    assert told.too_few == {"rare": 4}
    assert found[0].slice.title == "kind = often"


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        (lambda _: {"width": 224}, "size_quartile", "all alike: size, px: 224 to 224"),
        (lambda _: {"brightness": None}, "brightness_quartile", "does not have it"),
        (lambda _: {"kind": "one"}, "kind", "all alike: kind = one"),
        (lambda _: {}, "kind", "does not have it"),
        (lambda index: {"kind": str(index)}, "kind", "no value has 10 pictures"),
    ],
)
def test_columns_that_cut_nothing_say_why(made, change, column, words):
    told, found = cuts(made(change), column)
    assert words in told.absent
    assert found == []


def test_many_small_values_are_summed_up(made):
    told, _ = cuts(made(lambda index: {"kind": str(index)}), "kind")
    assert len(told.too_few) == 51
    assert told.too_few["(others)"] == 70


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (lambda index: index % 3, {"0", "1", "2"}),
        (lambda index: index % 2 == 0, {"yes", "no"}),
        (lambda index: 0.5 * (index % 2), {"0", "0.5"}),
        (lambda index: index, {"lowest quarter", "second quarter", "third quarter", "highest quarter"}),
    ],
)
def test_numbers_are_values_where_they_are_few_and_quarters_else(made, value, wanted):
    told, _ = cuts(made(lambda index: {"number": value(index)}), "number")
    assert set(told.values) == wanted


def test_usual_columns_are_those_with_few_words(made):
    known = made(
        lambda index: {"dataset": str(index % 2), "generator": str(index % 5), "split": "test", "note": str(index)}
    )
    assert columns_for(known.table, ()) == ["dataset", "size_quartile", "brightness_quartile", "generator", "sex"]
    # the set's name is always one; whatever else is asked for comes alone
    assert columns_for(known.table, ("age",)) == ["dataset", "age"]


def test_an_unknown_column_is_refused_with_those_there_are(made, quick):
    known = made()
    with pytest.raises(UsageError, match=r"'hair', 'eyes' to slice by; there are: size_quartile.*, sex"):
        measure(known, Settings(slices=("sex", "hair", "eyes")))
    # before anything is scored, from the columns' names alone
    with pytest.raises(UsageError, match="'hair'"):
        refuse_unknown(("hair",), score_schema([known.table.select(["path", "label", "sex"]).schema]).names)
    for never in ("path", "logit", "bundle"):
        with pytest.raises(UsageError):
            refuse_unknown((never,), known.table.column_names)


@pytest.fixture(scope="module")
def biased(rows, logits_of, table, scores):
    """1,200 independent pictures; reals of men look more like fakes, fakes alike for all."""
    made = rows(1200, frames=1, seed=1)
    shift = [2.0 * (row["sex"] == "male" and row["label"] == "real") for row in made]
    known = scores(table(made, logits_of(made, seed=1) + np.array(shift)))
    return known, measure(known, Settings(draws=100, minimum_n=30, slices=("sex", "size_quartile")))


def gap(metrics, value: str, metric: str):
    (found,) = (one for one in metrics.gaps if (one.slice.value, one.metric) == (value, metric))
    return found


def test_a_planted_bias_is_found_and_warned_of_and_nothing_else(biased):
    _, metrics = biased
    assert {one.metric for one in metrics.gaps if one.significant} == {"false_positive_rate", "auc"}
    assert {one.slice.column for one in metrics.gaps if one.significant} == {"sex"}
    (warned,) = (one for one in metrics.warnings if one.code == "gap")
    assert "of the reals of m fake where sex = " in warned.message


def test_gaps_are_those_of_the_rows_and_tested_by_fisher(biased):
    known, metrics = biased
    rows = known.table.to_pylist()
    value = next(one.slice.value for one in metrics.gaps if one.slice.column == "sex")
    called = {
        inside: [
            row["outcome"] == "fake" for row in rows if row["label"] == "real" and (row["sex"] == value) == inside
        ]
        for inside in (True, False)
    }
    found = gap(metrics, value, "false_positive_rate")
    assert found.inside.value == pytest.approx(np.mean(called[True]))
    assert found.outside.value == pytest.approx(np.mean(called[False]))
    assert found.difference.value == pytest.approx(found.inside.value - found.outside.value)
    assert found.difference.low < found.difference.value < found.difference.high
    table = [[sum(side), len(side) - sum(side)] for side in called.values()]
    assert found.test.name == "Fisher, exact"
    assert found.test.p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)


def test_every_test_is_counted_in_the_correction(biased):
    _, metrics = biased
    tests = [one.test for one in metrics.gaps]
    # three measures of four quarters and of one half: the other half is its rest
    assert len(tests) == 3 * 5
    assert {one.family for one in tests} == {15}
    np.testing.assert_allclose([one.p_holm for one in tests], holm([one.p for one in tests]))
    np.testing.assert_allclose([one.q for one in tests], stats.false_discovery_control([one.p for one in tests]))


def test_slices_add_up_to_the_whole(biased):
    _, metrics = biased
    of_sex = [one for one in metrics.readings if one.slice and one.slice.column == "sex"]
    (whole,) = (one for one in metrics.readings if one.slice is None)
    assert sum(one.counts.total for one in of_sex) == whole.counts.total
    assert sum(one.confusion.real_as_fake for one in of_sex) == whole.confusion.real_as_fake
    assert all(one.curves is None for one in of_sex)


def test_too_few_of_a_class_have_no_rate_but_the_rest(made):
    known = made(lambda index: {"kind": "few" if index in (0, 1, 2) or index % 6 == 5 else "many"})
    metrics = measure(known, Settings(draws=100, minimum_n=10, slices=("kind",)))
    (few,) = (one for one in metrics.readings if one.slice and one.slice.value == "few")
    assert few.metrics["false_positive_rate"] == Absent(absent="3 answered reals are fewer than 10")
    assert few.metrics["auc"] == Absent(absent="3 answered reals are fewer than 10")
    assert few.value("accuracy_fake") is not None
    found = gap(metrics, "many", "false_positive_rate")
    assert isinstance(found.test, Absent)
    assert found.difference == Absent(absent="of the rest: 3 answered reals are fewer than 10")
    assert not found.significant
    # what cannot be tested is not corrected for
    assert {one.test.family for one in metrics.gaps if isinstance(one.test, PValue)} == {1}


def test_rows_of_one_group_are_tested_as_one(made):
    metrics = measure(made(), Settings(draws=100, minimum_n=10, slices=("sex",)))
    names = {one.metric: one.test.name for one in metrics.gaps}
    assert names["false_positive_rate"] == "Fisher by group (Rao and Scott)"
    assert names["auc"] == "DeLong by group, two samples"
