"""Recipes: what the studies state stands in them; YAML and flags change them by one precedence; faults are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mesoscope.errors import UsageError
from mesoscope_train.errors import RecipeError
from mesoscope_train.recipes import as_yaml, recipe_named, recipes, settings_from
from mesoscope_train.recipes.settings import Recipe

EVERY = [f"{name}:{variant}" for name in recipes for variant in recipes[name].variants]


@pytest.mark.parametrize("name", EVERY)
def test_yaml_and_back(name: str) -> None:
    recipe = recipe_named(name)
    assert recipe.name == name
    assert Recipe.model_validate(yaml.safe_load(as_yaml(recipe))) == recipe
    assert settings_from(recipe) == recipe


@pytest.mark.parametrize("name", EVERY)
def test_chosen_settings_exist(name: str) -> None:
    """A name in `chosen` that leads nowhere would hide what we chose."""
    recipe = recipe_named(name)
    for way in recipe.chosen:
        part = recipe.model_dump(mode="json")
        for key in [] if way == "all" else way.split("."):
            part = part[int(key)] if isinstance(part, list) else part[key]


def test_the_five_studies_are_there() -> None:
    assert {"mesonet-visual", "gan-faces", "mesoinception-svm", "photo-vs-ai", "dfdc-transfer"} <= set(recipes)
    assert set(recipes["gan-faces"].variants) == {"cnn-1", "cnn-2", "densenet121", "xception", "resnet50"}


def test_what_study_two_states() -> None:
    for variant in recipes["gan-faces"].variants:
        recipe = recipe_named(f"gan-faces:{variant}")
        assert recipe.stages[0].epochs == 7
        assert recipe.loop.batch_size == 64
    assert recipe_named("gan-faces:densenet121").stages[0].train == "head"
    assert recipe_named("gan-faces:densenet121").model.weights == "imagenet"


def test_what_study_three_states() -> None:
    general, first, second = (
        recipe_named(f"mesoinception-svm:{variant}") for variant in ("general", "first-net", "second-net")
    )
    for recipe in (general, first, second):
        assert recipe.loss.kind == "squared-error"
        assert recipe.stages[0].optimiser.betas == (0.9, 0.999)
        assert recipe.stages[0].optimiser.learning_rate == 1e-3
    assert general.stages[0].schedule.model_dump() == {
        "kind": "step-iterations", "every": 1000, "factor": 0.1, "floor": 1e-6,
    }  # fmt: skip
    assert first.stages[0].schedule.kind == "computed-decay"
    assert (first.stages[0].schedule.planned_epochs, first.stages[0].epochs) == (30, 10)
    assert second.stages[0].schedule.model_dump() == {"kind": "step-epochs", "every": 5, "factor": 0.1}
    assert (general.loop.batch_size, first.loop.batch_size, second.loop.batch_size) == (32, 32, 64)


def test_precedence_recipe_file_flags(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("loop: {batch_size: 16, seed: 5}\nloss: {kind: bce}\n")
    recipe = settings_from(recipe_named("mesoinception-svm"), config, ["loop.batch_size=8", "stages.0.epochs=2"])
    assert recipe.loop.batch_size == 8, "flags come last"
    assert recipe.loop.seed == 5, "then the file"
    assert recipe.loss.kind == "bce"
    assert recipe.stages[0].epochs == 2
    assert recipe.stages[0].optimiser.learning_rate == 1e-3, "then the recipe"


def test_a_schedule_of_another_kind_replaces_the_whole(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("stages:\n- {epochs: 3, schedule: {kind: cosine, warmup: 0.1}}\n")
    stage = settings_from(recipe_named("mesoinception-svm"), config).stages[0]
    assert stage.schedule.model_dump() == {"kind": "cosine", "warmup": 0.1, "floor": 0.0}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("loop.batchsize=3", "loop.batchsize: unknown key"),
        ("loop.batch_size=many", "loop.batch_size: Input should be a valid integer"),
        ("stages.3.epochs=1", "'3' is no item of a list of 1"),
        ("loop", "write it as key=value"),
        ("lop.batch_size=1", "there is no 'lop'; known here: name, about"),
        ("loop.batch_size.x=1", "there is no|there is nothing below"),
        ("loop.batch_size=[1", "the value cannot be read"),
        ("loss.ranking=1", "loss.ranking needs data.pairs"),
        ("stages.0.train=head", "a frozen backbone needs weights"),
        ("stages=[]", "stages: Tuple should have at least 1 item"),
        ("augment.0.kind=sharpen", "augment.0"),
    ],
)
def test_what_flags_may_not_say(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        settings_from(recipe_named("mesoinception-svm"), None, [override])


def test_pairs_need_an_even_batch_and_stages_their_own_names() -> None:
    with pytest.raises(RecipeError, match=r"even loop\.batch_size"):
        settings_from(recipe_named("dfdc-transfer:slim-resnet"), None, ["loop.batch_size=33"])
    with pytest.raises(RecipeError, match="two stages have one name"):
        settings_from(recipe_named("photo-vs-ai"), None, ["stages.1.name=head"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("loop.batch_size=33", r"blend needs an even loop\.batch_size"),
        ("data.pairs=true", "blend makes its own pairs"),
        ("data.balance=even", "blend makes its own pairs"),
        ("blend.needs=eyes", r"blend\.needs"),
        ("blend.ratios=[0]", "blending ratios lie above 0"),
    ],
)
def test_what_does_not_go_with_blending(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        settings_from(recipe_named("self-blended"), None, [override])


def test_files_that_are_no_settings(tmp_path: Path) -> None:
    recipe = recipe_named("photo-vs-ai")
    with pytest.raises(RecipeError, match="cannot be read"):
        settings_from(recipe, tmp_path / "none.yaml")
    (tmp_path / "c.yaml").write_text("a: [")
    with pytest.raises(RecipeError, match="is no YAML"):
        settings_from(recipe, tmp_path / "c.yaml")
    (tmp_path / "c.yaml").write_text("- 1\n")
    with pytest.raises(RecipeError, match="holds no settings"):
        settings_from(recipe, tmp_path / "c.yaml")
    (tmp_path / "c.yaml").write_text("lop: {}\n")
    with pytest.raises(RecipeError, match="lop: unknown key"):
        settings_from(recipe, tmp_path / "c.yaml")


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match="unknown recipe 'x'"):
        recipe_named("x")
    with pytest.raises(RecipeError, match="no variant 'x'; it has: "):
        recipe_named("gan-faces:x")


@pytest.mark.parametrize("name", EVERY)
def test_detectors_exist_and_their_parts_too(name: str) -> None:
    """A recipe that names a network or a stage which does not exist would fail only when somebody trains it."""
    pytest.importorskip("torch", reason="the learning side needs the 'train' extra")
    import torch

    from mesoscope_train.detectors.stages import let_learn
    from mesoscope_train.training.session import architecture_of

    recipe = recipe_named(name)
    architecture, spec = architecture_of(recipe.model)
    architecture.at_size(recipe.model.train_size or spec.size)
    for stage in recipe.stages:
        if stage.train not in ("all", "head"):
            with torch.device("meta"):
                detector = architecture.build()
            let_learn(detector, stage.train, rank=stage.rank, seed=0)
            learning = {name for name, parameter in detector.named_parameters() if parameter.requires_grad}
            assert any(name.startswith("backbone") for name in learning)
