"""The method is chosen by what held-out groups say, and the simpler one wins where they say nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, log_loss

from mesoscope.bundle import Calibration
from mesoscope_train.calibration.budgets import Origin
from mesoscope_train.calibration.choosing import UNCHANGED, choose_method, folds_of, standard_error
from mesoscope_train.calibration.deciding import PLAIN, decide
from mesoscope_train.calibration.fitting import fit_isotonic, fit_platt, probabilities
from mesoscope_train.calibration.reliability import reliability_of
from mesoscope_train.calibration.sample import Sample, checked
from mesoscope_train.errors import CalibrationError

HERE = Origin("made-up numbers")


def crooked(n: int) -> Sample:
    """P(fake) rises in two steps, which no sigmoid can follow."""
    random = np.random.default_rng(5)
    logits = random.uniform(-6, 6, n)
    fake = random.random(n) < np.select([logits < -3, logits < 3], [0.02, 0.5], 0.98)
    return Sample(logits, fake, np.arange(n))


def balanced_line(slope: float, shift: float, n: int) -> Sample:
    """As many fakes as reals, normal around two centres: the log of their odds is a line of the logit."""
    random = np.random.default_rng(6)
    fake = np.repeat([False, True], n)
    line = np.where(fake, 1.0, -1.0) + random.normal(0, np.sqrt(2), 2 * n)
    return Sample((line - shift) / slope, fake, np.arange(2 * n))


@pytest.mark.parametrize(
    ("sample", "method"),
    [
        (balanced_line(1.0, 0.0, 1000), UNCHANGED),
        (balanced_line(0.3, 0.0, 1000), "temperature"),
        (balanced_line(0.7, 1.5, 1000), "platt"),
        (crooked(4000), "isotonic"),
    ],
    ids=[UNCHANGED, "temperature", "platt", "isotonic"],
)
def test_the_method_is_the_one_that_made_the_data(sample, method):
    choice = choose_method(sample)
    assert choice.method == method
    assert choice.chosen.worse <= choice.chosen.error


def test_what_is_there_already_is_kept_where_nothing_is_better():
    sample = balanced_line(0.5, 1.0, 800)
    earlier = Calibration(method="platt", slope=0.5, intercept=1.0)
    decided = decide(sample, HERE, earlier=earlier)
    assert decided.choice.method == UNCHANGED
    assert decided.calibration == earlier
    assert decide(balanced_line(1, 0, 800), HERE).calibration == PLAIN


def test_a_method_that_is_asked_for_is_taken():
    assert choose_method(balanced_line(1, 0, 300), "isotonic").method == "isotonic"
    assert "was asked for" in choose_method(balanced_line(1, 0, 300), "platt").why


def test_no_group_is_in_two_folds_and_every_fold_has_both_classes(videos):
    sample = videos(20, 6)
    folds = folds_of(sample)
    for group in np.unique(sample.groups):
        assert np.unique(folds[sample.groups == group]).size == 1
    assert all(np.unique(sample.fake[folds == fold]).size == 2 for fold in np.unique(folds))


def test_held_out_scores_are_not_those_of_a_fit_that_saw_them():
    """A line made the data: isotonic regression beats a line on what it saw, and loses elsewhere."""
    random = np.random.default_rng(8)
    fake = np.repeat([False, True], 200)
    sample = Sample(random.normal(size=400) + fake, fake, random.permutation(400))
    loss = {one.method: one.loss for one in choose_method(sample).candidates}
    seen = reliability_of(probabilities(fit_isotonic(sample), sample.logits), sample).log_loss
    line = reliability_of(probabilities(fit_platt(sample), sample.logits), sample).log_loss
    assert seen < line
    assert loss["isotonic"] > loss["platt"]
    assert choose_method(sample).method != "isotonic"


def test_the_error_of_a_difference_is_as_large_as_it_varies(videos):
    random = np.random.default_rng(9)
    means, errors = [], []
    for _ in range(300):
        sample = videos(30, 4)
        # frames of a video say the same: only groups count
        values = np.repeat(random.normal(size=60), 4)
        means.append(sample.balanced @ values)
        errors.append(standard_error(values, sample))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.12)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: Sample(np.where(np.arange(len(s)) == 3, np.nan, s.logits), s.fake, s.groups), "1 of 120 scores"),
        (lambda s: s.take(s.fake), "all 60 pictures with a score are fake"),
        (lambda s: s.take(~s.fake), "all 60 pictures with a score are real"),
        (lambda s: s.take(s.groups < 24), r"20 groups of real and 4 of fake pictures are too few: at least 5"),
        (lambda s: Sample(np.ones(len(s)), s.fake, s.groups), "all scores are equal"),
        (lambda s: Sample(-s.logits, s.fake, s.groups), "do not rise from real to fake"),
    ],
    ids=["nan", "fakes", "reals", "groups", "equal", "backwards"],
)
def test_what_cannot_be_calibrated_is_refused_with_the_reason(change, says, videos):
    with pytest.raises(CalibrationError, match=says):
        decide(change(videos(20, 3)), HERE)


def test_enough_is_enough(videos):
    assert checked(videos(5, 1)) is not None


def test_notes_say_what_the_sample_is_too_small_for(videos):
    few = decide(videos(9, 10), HERE)
    assert "9 groups of real pictures are too few for a budget of 0.01, 0.02, 0.05" in few.notes[0]
    assert "0.1 in expectation, and 0.283 with 95 % confidence; 99 groups are needed for 0.01" in few.notes[0]
    assert decide(videos(120, 1), HERE).notes == []
    assert "made for 0.125" in decide(videos(7, 10), HERE).notes[1]


def test_reliability_is_scikit_learns_and_sums_to_the_bins(singles):
    sample = singles(900, slope=0.5)
    found = expit(sample.logits)
    measured = reliability_of(found, sample)
    assert measured.log_loss == pytest.approx(log_loss(sample.fake, found, sample_weight=sample.balanced))
    assert measured.brier == pytest.approx(brier_score_loss(sample.fake, found, sample_weight=sample.balanced))
    filled = [one for one in measured.bins if one.weight > 0]
    assert measured.ece == pytest.approx(sum(one.weight * abs(one.stated - one.found) for one in filled))
    assert sum(one.weight for one in filled) == pytest.approx(1)


def test_certainty_that_is_wrong_is_finite():
    sample = Sample(np.array([900.0, -900.0]), np.array([False, True]), np.array([0, 1]))
    assert np.isfinite(reliability_of(expit(sample.logits), sample).log_loss)


def test_calibrating_helps_on_groups_that_the_fit_had_not_seen():
    decided = decide(balanced_line(0.25, 1.0, 500), HERE)
    assert decided.after.log_loss < decided.before.log_loss
    assert decided.after.ece < decided.before.ece / 2
