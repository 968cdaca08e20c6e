"""The table of recipes, and how one becomes a run's settings: recipe, then YAML, then flags; the last wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mesoscope.registry import Registry
from mesoscope_train.errors import RecipeError
from mesoscope_train.recipes.settings import Recipe


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered recipe.

    Attributes:
        name: what ``--recipe`` takes; variants are ``NAME:VARIANT``.
        about: one sentence.
        variants: name to a function that makes the recipe; the first is the one without a variant's name.
        search: what ``mesoscope tune`` searches unless told otherwise (`mesoscope_train.tuning.space`).
    """

    name: str
    about: str
    variants: Mapping[str, Callable[[], Recipe]]
    search: str = "learning_rate,optimizer"


recipes: Registry[Entry] = Registry("recipe")


def register(entry: Entry) -> Entry:
    """Enter a recipe."""
    return recipes.register(entry.name)(entry)


def recipe_named(name: str) -> Recipe:
    """The settings of ``NAME`` or ``NAME:VARIANT``.

    Raises:
        UsageError: an unknown recipe.
        RecipeError: an unknown variant.
    """
    base, _, variant = name.partition(":")
    entry = recipes[base]
    if variant and variant not in entry.variants:
        raise RecipeError(f"the recipe '{base}' has no variant '{variant}'; it has: {', '.join(entry.variants)}")
    return entry.variants[variant or next(iter(entry.variants))]()


def settings_from(base: Recipe, config: Path | None = None, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe with values replaced.

    Args:
        base: the recipe.
        config: a YAML file with some of its keys; lists (stages, augment) are replaced as a whole.
        overrides: ``a.b=value`` with YAML's notation for the value; a list's item is named by its number from 0.

    Raises:
        RecipeError: the file is missing or no YAML; a key is unknown; a value is of the wrong kind.
    """
    tree = base.model_dump(mode="json")
    if config is not None:
        _merge(tree, _read(config), ())
    for override in overrides:
        way, equals, text = override.partition("=")
        if not equals:
            raise RecipeError(f"--set {override}: write it as key=value, for example loop.batch_size=64")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise RecipeError(f"--set {override}: the value cannot be read: {error}") from error
        _put(tree, way.split("."), value, override)
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        raise RecipeError(_told(error)) from error


def smoke_test(recipe: Recipe) -> Recipe:
    """The same run with one epoch a stage; few rows are taken, and nothing it says is a result."""
    stages = tuple(stage.model_copy(update={"epochs": 1}) for stage in recipe.stages)
    return recipe.model_copy(update={"stages": stages, "fast": True})


def as_yaml(recipe: Recipe) -> str:
    """All settings as YAML, which `settings_from` reads again."""
    text: str = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return text


def _read(config: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{config} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{config} is no YAML: {error}") from error
    if not isinstance(tree, dict):
        raise RecipeError(f"{config} holds no settings: it must be a mapping such as 'loop: {{batch_size: 64}}'")
    return tree


def _merge(tree: dict[str, Any], changes: Mapping[str, Any], way: tuple[str, ...]) -> None:
    for key, value in changes.items():
        known = tree.get(key)
        if (
            isinstance(known, dict)
            and isinstance(value, dict)
            and value.get("kind", known.get("kind")) == known.get("kind")
        ):
            _merge(known, value, (*way, key))
        else:
            tree[key] = value


def _put(tree: Any, way: Sequence[str], value: Any, override: str) -> None:  # noqa: ANN401 - any part of a YAML tree
    *parents, last = way
    for key in parents:
        tree = _step(tree, key, override)
    if isinstance(tree, list):
        tree[_index(tree, last, override)] = value
    elif isinstance(tree, dict):
        tree[last] = value
    else:
        raise RecipeError(f"--set {override}: there is nothing below '{'.'.join(parents)}'")


def _step(tree: Any, key: str, override: str) -> Any:  # noqa: ANN401 - see _put
    if isinstance(tree, list):
        return tree[_index(tree, key, override)]
    if isinstance(tree, dict) and tree.get(key) is not None:
        return tree[key]
    known = f"; known here: {', '.join(tree)}" if isinstance(tree, dict) else ""
    raise RecipeError(f"--set {override}: there is no '{key}'{known}")


def _index(items: list[Any], key: str, override: str) -> int:
    if not key.isdigit() or int(key) >= len(items):
        raise RecipeError(f"--set {override}: '{key}' is no item of a list of {len(items)} (counted from 0)")
    return int(key)


def _told(error: ValidationError) -> str:
    """One line a fault, with the way to the key."""
    lines = []
    for fault in error.errors():
        way = ".".join(str(part) for part in fault["loc"]) or "the recipe"
        message = "unknown key" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
        lines.append(f"{way}: {message}")
    return "the settings do not make a run: " + "; ".join(lines)
