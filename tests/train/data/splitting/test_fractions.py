"""What may be asked."""

from __future__ import annotations

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.splitting import Folds, Fractions


@pytest.mark.parametrize("text", ["70:20:10", "7:2:1", "0.7:0.2:0.1"])
def test_three_numbers(text: str) -> None:
    plan = Fractions.parse(text)
    assert plan.parts == ("train", "validation", "test")
    assert plan.shares == pytest.approx((0.7, 0.2, 0.1))


def test_two_numbers_are_train_and_validation_unless_said() -> None:
    assert Fractions.parse("80:20").parts == ("train", "validation")
    assert Fractions.parse("80:20", ["train", "test"]).parts == ("train", "test")
    assert str(Fractions.parse("80:20")) == "train 80.0% : validation 20.0%"


def test_what_is_missing_is_scaled_to_one() -> None:
    plan = Fractions.parse("70:20:10")
    assert plan.among({"train", "validation"}).shares == pytest.approx((7 / 9, 2 / 9))
    assert plan.among({"test"}).shares == (1,)
    assert plan.among(()) == plan


@pytest.mark.parametrize("text", ["80", "70:20:5:5", "a:b", "80:-20", "100:0", "nan:1", "inf:1", "", "80:"])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="two or three positive numbers"):
        Fractions.parse(text)


def test_parts_that_do_not_fit() -> None:
    with pytest.raises(UsageError, match="different ones of train, validation, test"):
        Fractions.parse("80:20", ["train", "exam"])
    with pytest.raises(UsageError, match="different ones of"):
        Fractions.parse("80:20", ["train", "train"])
    with pytest.raises(UsageError, match="2 numbers for 3 parts"):
        Fractions.parse("80:20", ["train", "validation", "test"])


@pytest.mark.parametrize("count", [1, 0, -3, 101])
def test_folds_that_cannot_be(count: int) -> None:
    with pytest.raises(UsageError, match="2 to 100 folds"):
        Folds(count)


def test_folds_are_equal() -> None:
    assert Folds(4).shares == (0.25,) * 4
    assert Folds(2).parts == ("fold 0", "fold 1")
