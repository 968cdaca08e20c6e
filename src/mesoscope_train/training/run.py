"""The directory of a run: everything that is needed to understand it, go on with it, or do it again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import ValidationError

import mesoscope
from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import UsageError
from mesoscope_train.recipes.settings import Recipe

_PARTS = ("torch", "torchvision", "timm", "lightning", "numpy", "pillow", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Run:
    """A run's directory.

    Files: ``recipe.yaml`` all settings; ``manifest.parquet`` all rows; ``data.json`` the manifest's digest, counts,
    what was left out and the audit's warnings; ``environment.json`` for every
    session of the run its command, commit, versions and machine;
    ``history.csv`` a line an epoch; ``curves.png``; ``tensorboard/``; ``stages/NUMBER-NAME/`` with ``last.ckpt``,
    ``best.ckpt`` and, once it is done, its best weights; ``model.safetensors`` the best weights of the last stage;
    ``result.json`` once the run is done.
    """

    path: Path

    @property
    def recipe_file(self) -> Path:
        """All settings."""
        return self.path / "recipe.yaml"

    @property
    def history_file(self) -> Path:
        """A line an epoch."""
        return self.path / "history.csv"

    @property
    def manifest_file(self) -> Path:
        """All rows, the test part among them."""
        return self.path / "manifest.parquet"

    @property
    def weights_file(self) -> Path:
        """The best weights of the last stage."""
        return self.path / "model.safetensors"

    @property
    def result_file(self) -> Path:
        """There once the run is done."""
        return self.path / "result.json"

    @property
    def stages_directory(self) -> Path:
        """Of all stages; empty until one has its first checkpoint."""
        return self.path / "stages"

    def stage(self, number: int, name: str) -> Path:
        """Directory of a stage, the first has number 1."""
        return self.stages_directory / f"{number}-{name}"

    def recipe(self) -> Recipe:
        """The settings.

        Raises:
            UsageError: this is no run, or its settings are of another version.
        """
        if not self.recipe_file.is_file():
            raise UsageError(f"{self.path} is no run: it has no recipe.yaml")
        try:
            return Recipe.model_validate(yaml.safe_load(self.recipe_file.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            raise UsageError(f"{self.recipe_file} cannot be read: {error}") from error

    def facts(self, name: str) -> dict[str, Any]:
        """One of the JSON files: ``data``, ``environment``, ``result``; empty where it is not there."""
        path = self.path / f"{name}.json"
        if not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"{path} is not JSON: {error}") from error
        return found if isinstance(found, dict) else {}

    def write_facts(self, name: str, facts: dict[str, Any]) -> None:
        """Write one of the JSON files; whole or not at all."""
        path = self.path / f"{name}.json"
        with replacing(path) as partial, explained(path):
            partial.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def begin(path: Path, recipe: Recipe, command: str) -> Run:
    """Make the directory of a new run.

    Raises:
        UsageError: something is there already.
    """
    run = Run(path)
    if run.recipe_file.is_file():
        raise UsageError(f"{path} holds a run already: go on with it (--resume) or choose another --out")
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"{path} is not empty and holds no run; choose another --out")
    make_directory(path / "stages")
    run.write_facts("environment", {"sessions": [environment(command)]})
    with replacing(run.recipe_file) as partial, explained(run.recipe_file):
        text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        partial.write_text(text, encoding="utf-8")
    return run


def go_on(path: Path, command: str) -> Run:
    """A run that was begun earlier; the command and its machine are added to its environment.

    Raises:
        UsageError: there is none.
    """
    run = Run(path)
    run.recipe()
    if not run.result_file.is_file():  # a finished run is not gone on with
        sessions = run.facts("environment").get("sessions", [])
        run.write_facts("environment", {"sessions": [*sessions, environment(command)]})
    return run


def environment(command: str) -> dict[str, Any]:
    """What one session of a run ran on: a run that was gone on with may have had several machines."""
    versions = {name: metadata.version(name) for name in _PARTS}
    return {
        "mesoscope": mesoscope.__version__,
        "commit": _commit(),
        "command": command,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": versions,
        "machine": {"system": platform.platform(), "processors": os.cpu_count(), "gpus": _gpus()},
    }


def _gpus() -> list[str]:
    """Names of the GPUs that torch sees."""
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def _commit() -> str | None:
    """The commit of the program's own checkout; None where it is installed without one."""
    where = Path(mesoscope.__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],  # noqa: S607
            cwd=where,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
