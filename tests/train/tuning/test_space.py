"""Names, ranges, and how values become a recipe."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from mesoscope.errors import UsageError
from mesoscope_train.recipes import recipe_named, recipes
from mesoscope_train.tuning.space import KNOWN, Choice, Span, applied, check, fitting, parse_search, with_option


def ranges(text):
    return {dimension.name: dimension.range for dimension in parse_search(text)}


def test_names_have_documented_ranges_or_own_ones():
    assert ranges("learning_rate,optimiser=sgd|adam, head_units=8..64,dropout=0|0.5") == {
        "learning_rate": KNOWN["learning_rate"].range,
        "optimizer": Choice(("sgd", "adam")),
        "head_units": Span(8, 64, log=True, whole=True),
        "dropout": Choice((0, 0.5)),
    }
    assert ranges("learning_rate=1e-4..1e-1")["learning_rate"] == Span(1e-4, 1e-1, log=True)
    assert ranges("dropout=0..0.5")["dropout"] == Span(0, 0.5)
    assert ranges("loop.clip=0.1..10")["loop.clip"] == Span(0.1, 10, log=True)
    assert ranges("loop.accumulate=1..4")["loop.accumulate"] == Span(1, 4, whole=True)
    assert ranges("detector.batch_norm=true|false")["detector.batch_norm"] == Choice((True, False))


def test_every_known_setting_can_be_set():
    base = recipe_named("dfdc-transfer:cnn-small")
    for name, known in KNOWN.items():
        for value in known.range.examples() if known.range else ("meso4",):
            if name != "head_units" or value:
                assert applied(base, {name: value}) != base or value in (1.0, 32, 128, "nadam", 0.0), name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("learning_rat", "'learning_rat' is no setting that can be searched; known are detector=…"),
        ("learning_rate,learning_rate=1|2", "stands there twice"),
        ("optimizer,optimiser", "stands there twice"),
        ("detector", "give it values"),
        ("loop.clip", "give it values"),
        ("learning_rate=1e-1..1e-4", "write a range as low..high"),
        ("learning_rate=..1", "write a range as low..high"),
        ("learning_rate=a..b", "write a range as low..high"),
        ("dropout=", "write different values"),
        ("dropout=0.1||0.2", "write different values"),
        ("optimizer=sgd|sgd", "write different values"),
        ("", "is no setting that can be searched"),
    ],
)
def test_what_is_no_search_is_said(text, says):
    with pytest.raises(UsageError, match=says.replace("…", ".")):
        parse_search(text)


@pytest.mark.parametrize(
    ("recipe", "search", "measure", "says"),
    [
        ("dfdc-transfer:cnn-small", "optimizer=lion", "loss", "optimiser.name"),
        ("dfdc-transfer:cnn-small", "dropout=0..1", "loss", "option 'dropout'"),
        ("dfdc-transfer:cnn-small", "loop.no=1|2", "loss", "loop.no: unknown key"),
        ("dfdc-transfer:cnn-small", "no.way=1|2", "loss", "there is no 'no'"),
        ("mesonet-visual", "head_units", "auc", "meso4 has no option 'head_units'"),
        ("dfdc-transfer:cnn-small", "detector=meso4|cnn-small,dropout", "loss", "meso4 has no option 'dropout'"),
        ("dfdc-transfer:cnn-small", "detector.depth=1|2", "loss", "has no option 'depth'"),
        ("dfdc-transfer:cnn-small", "smoothing", "loss", "changes the loss itself"),
        ("dfdc-transfer:cnn-small", "loss.kind=bce|squared-error", "loss", "changes the loss itself"),
    ],
)
def test_values_that_cannot_be_set_are_said_before_anything_is_trained(recipe, search, measure, says):
    with pytest.raises(UsageError, match=says):
        check(recipe_named(recipe), parse_search(search), measure)


def test_losses_may_be_searched_by_what_stays_comparable():
    check(recipe_named("dfdc-transfer:cnn-small"), parse_search("smoothing"), "auc")


def test_later_stages_keep_their_ratio():
    base = recipe_named("photo-vs-ai")
    before = [stage.optimiser.learning_rate for stage in base.stages]
    assert len(set(before)) == 2
    after = [stage.optimiser.learning_rate for stage in applied(base, {"learning_rate": 0.5}).stages]
    assert after == pytest.approx([0.5, 0.5 * before[1] / before[0]])


def test_units_of_a_head_without_a_hidden_layer_make_one():
    assert with_option("xception:head=gap", "head_units", 64) == "xception:head=dense,head_units=64"
    assert with_option("xception", "head_units", 64) == "xception:head=dense,head_units=64"
    assert with_option("densenet121:head=dense", "head_units", 64) == "densenet121:head=dense,head_units=64"
    assert with_option("cnn-small:dropout=0.5", "dropout", 0.3) == "cnn-small"


def test_the_detector_is_set_before_its_options():
    found = applied(recipe_named("dfdc-transfer:cnn-small"), {"dropout": 0.25, "detector": "cnn-small:head_units=32"})
    assert found.model.detector == "cnn-small:head_units=32,dropout=0.25"


@pytest.mark.parametrize("name", list(recipes))
def test_every_recipe_has_a_search_that_fits_all_its_variants(name):
    for variant in recipes[name].variants:
        recipe = recipe_named(f"{name}:{variant}")
        search = fitting(recipe, parse_search(recipes[name].search), "auc")
        assert {"learning_rate", "optimizer"} <= {dimension.name for dimension in search}
        check(recipe, search, "auc")


def test_settings_that_a_variant_lacks_are_left_out_of_its_own_search():
    search = parse_search(recipes["dfdc-transfer"].search)
    slim = fitting(recipe_named("dfdc-transfer:slim-resnet"), search, "auc")
    assert {dimension.name for dimension in slim} < {dimension.name for dimension in search}
    with pytest.raises(UsageError, match="none of the settings"):
        fitting(recipe_named("mesonet-visual"), parse_search("head_units"), "auc")


def test_study_five_is_searched_as_it_states():
    found = ranges(recipes["dfdc-transfer"].search)
    assert found["learning_rate"] == Choice((0.1, 0.01))
    assert found["optimizer"] == Choice(("sgd", "adam", "nadam"))
    assert set(found) == {"learning_rate", "optimizer", "head_units", "dropout"}
