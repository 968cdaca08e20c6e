"""Finding the files of a folder that enter themselves in a registry, so that a new part is one new file."""

from __future__ import annotations

import importlib
import pkgutil


def import_modules_of(package: str) -> None:
    """Import every module that lies directly in `package`, which is being imported itself."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
