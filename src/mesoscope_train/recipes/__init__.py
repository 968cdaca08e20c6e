"""Recipes: the settings of the five studies and of our own networks, one file each, entered in `recipes`.

A new recipe is one new file beside this one that registers an `Entry`. What a study states stands there as it
states it; what it leaves open is listed in the recipe's ``chosen``.
"""

from __future__ import annotations

from mesoscope_train.plugins import import_modules_of
from mesoscope_train.recipes.registry import (
    Entry,
    as_yaml,
    recipe_named,
    recipes,
    register,
    settings_from,
    smoke_test,
)
from mesoscope_train.recipes.settings import Recipe

__all__ = ["Entry", "Recipe", "as_yaml", "recipe_named", "recipes", "register", "settings_from", "smoke_test"]

import_modules_of(__name__)
