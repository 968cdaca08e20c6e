"""The table from name to thing."""

import pytest

from mesoscope.errors import UsageError
from mesoscope.registry import Registry


def test_registered_things_are_found_in_order() -> None:
    things: Registry[int] = Registry("thing")
    things.register("b")(2)
    assert things.register("a")(1) == 1
    assert list(things) == ["a", "b"]
    assert things["b"] == 2
    assert "a" in things
    assert "c" not in things


def test_unknown_name_lists_the_known() -> None:
    things: Registry[int] = Registry("thing")
    things.register("a")(1)
    with pytest.raises(UsageError, match=r"unknown thing 'z'; known: a"):
        things["z"]


def test_a_name_is_taken_once() -> None:
    things: Registry[int] = Registry("thing")
    things.register("a")(1)
    with pytest.raises(ValueError, match="registered twice"):
        things.register("a")(2)
