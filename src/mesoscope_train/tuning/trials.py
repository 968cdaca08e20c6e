"""The table of all trials as Study 5 has it: optimiser, rate, loss, accuracy, model; and what else was searched."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.trial import FrozenTrial, TrialState

from mesoscope.atomic import explained, replacing
from mesoscope_train.recipes import recipe_named, settings_from
from mesoscope_train.recipes.settings import Recipe
from mesoscope_train.tuning.search import DEFAULTS, DONE, ENDED, MEASURES, SETTINGS, Plan, best_of
from mesoscope_train.tuning.space import Value, applied
from mesoscope_train.tuning.storage import ERROR, RETRY_OF

_STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "ended early",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
_IN_SETTINGS = ("learning_rate", "optimizer", "detector")
"""Searched names that stand in the table under the study's own headings."""


@dataclass(frozen=True, slots=True)
class Line:
    """One trial.

    Attributes:
        trial: number.
        state: in words.
        optimiser, rate, model: what it trained with.
        loss, accuracy, auc: validation, of its best epoch; None where it has none.
        values: what was searched, beside those.
        epochs, seconds: that it took.
        note: why it ended early, what it repeats, what went wrong.
        defaults: it is the recipe as it is.
        best: no finished trial is better.
    """

    trial: int
    state: str
    optimiser: str
    rate: float | None
    loss: float | None
    accuracy: float | None
    auc: float | None
    model: str
    values: Mapping[str, Value]
    epochs: int
    seconds: float
    note: str
    defaults: bool
    best: bool


def lines_of(study: optuna.Study) -> list[Line]:
    """All trials; finished ones first, best first, then those that were ended early, then the rest."""
    best = best_of(study)
    measure = study.user_attrs["measure"]
    sign = 1 if MEASURES[measure] == "minimize" else -1
    lines = [_line(trial, best) for trial in study.get_trials(deepcopy=False)]
    order = list(_STATES.values())

    def place(line: Line) -> tuple[int, float, int]:
        value = getattr(line, measure)
        return order.index(line.state), float("inf") if value is None else sign * value, line.trial

    return sorted(lines, key=place)


def table_of(lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells as text, for every format."""
    searched = sorted({name for line in lines for name in line.values})
    head = ["trial", "state", "optimiser", "rate", "loss", "accuracy", "AUC", "model", *searched, "epochs", "seconds"]
    return [*head, "note"], [_cells(line, searched) for line in lines]


def write_csv(lines: Sequence[Line], path: Path) -> None:
    """Write the table; whole or not at all."""
    head, rows = table_of(lines)
    with replacing(path) as partial, explained(path), partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def write_best(study: optuna.Study, plan: Plan, path: Path) -> Recipe | None:
    """Write the settings of the best trial, as ``train --config`` reads them: what differs from the named recipe.

    Args:
        study: with at least one finished trial, or nothing is written.
        plan: of the search.
        path: of the YAML file.
    """
    best = best_of(study)
    if best is None:
        return None
    found = settings_from(
        applied(plan.recipe, best.params), None, ["data.manifests=[]", f"loop.monitor={plan.measure}"]
    )
    named = recipe_named(plan.recipe.name)
    changes = _differing(named.model_dump(mode="json"), found.model_dump(mode="json"))
    text = yaml.safe_dump(changes, sort_keys=False, allow_unicode=True) if changes else "{}\n"
    number = "the recipe as it is" if best.user_attrs.get(DEFAULTS) else f"trial {best.number}"
    count = len(study.get_trials(deepcopy=False, states=DONE))
    about = f"""# Best of {count} trials by validation {plan.measure} ({best.value:.4f}): {number}.
# mesoscope train --recipe {plan.recipe.name} --config {path.name} --manifest M.parquet --out RUN
"""
    with replacing(path) as partial, explained(path):
        partial.write_text(about + text, encoding="utf-8")
    return found


def _differing(named: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `found` with other values; lists as a whole, for so they are replaced."""
    changes: dict[str, Any] = {}
    for key, value in found.items():
        known = named.get(key)
        if value == known:
            continue
        inside = isinstance(value, dict) and isinstance(known, dict)
        changes[key] = _differing(known, value) if inside else value
    return changes


def _line(trial: FrozenTrial, best: FrozenTrial | None) -> Line:
    notes = trial.user_attrs
    settings = notes.get(SETTINGS, {})
    return Line(
        trial=trial.number,
        state=_STATES[trial.state],
        optimiser=settings.get("optimiser", ""),
        rate=settings.get("rate"),
        loss=notes.get("val_loss"),
        accuracy=notes.get("val_accuracy"),
        auc=notes.get("val_auc"),
        model=_model(settings.get("model", ""), trial.params),
        values={name: value for name, value in trial.params.items() if name not in _IN_SETTINGS},
        epochs=notes.get("epochs", 0),
        seconds=notes.get("seconds", 0.0),
        note=_note(trial),
        defaults=bool(notes.get(DEFAULTS)),
        best=best is not None and trial.number == best.number,
    )


def _model(detector: str, searched: Mapping[str, Value]) -> str:
    """The detector without the options that stand in columns of their own."""
    name, _, options = detector.partition(":")
    columns = {key.removeprefix("detector.") for key in searched}
    others = [part for part in options.split(",") if part and part.partition("=")[0] not in columns]
    return f"{name}:{','.join(others)}" if others else name


def _note(trial: FrozenTrial) -> str:
    notes = trial.user_attrs
    lost = "its worker was lost" if trial.state is TrialState.FAIL and ERROR not in notes else ""
    parts = [
        "the recipe as it is" if notes.get(DEFAULTS) else "",
        f"trial {notes[RETRY_OF]} again" if RETRY_OF in notes else "",
        notes.get(ENDED, ""),
        notes.get(ERROR, lost),
    ]
    return "; ".join(part for part in parts if part)


def _cells(line: Line, searched: Sequence[str]) -> list[str]:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.4f}"

    values = [line.values.get(name, "") for name in searched]
    return [
        str(line.trial),
        line.state + (", best" if line.best else ""),
        line.optimiser,
        "" if line.rate is None else f"{line.rate:.3g}",
        *(number(value) for value in (line.loss, line.accuracy, line.auc)),
        line.model,
        *(f"{value:.3g}" if isinstance(value, float) else str(value) for value in values),
        str(line.epochs),
        f"{line.seconds:.0f}",
        line.note,
    ]
