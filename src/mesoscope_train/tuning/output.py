"""The files a search leaves: table, figures, page, best settings."""

from __future__ import annotations

from dataclasses import dataclass

import optuna

from mesoscope_train.figures import save
from mesoscope_train.tuning.figures import history, importance, importance_of
from mesoscope_train.tuning.page import answer, write_page
from mesoscope_train.tuning.search import Plan
from mesoscope_train.tuning.trials import Line, lines_of, write_best, write_csv


@dataclass(frozen=True, slots=True)
class Shown:
    """What the terminal is told: the table's lines, and what came of it in a sentence."""

    lines: list[Line]
    answer: str


def write_table(study: optuna.Study, plan: Plan) -> None:
    """Write what can be looked at while the search runs: ``trials.csv`` and ``best.yaml``."""
    write_csv(lines_of(study), plan.out / "trials.csv")
    write_best(study, plan, plan.out / "best.yaml")


def write_all(study: optuna.Study, plan: Plan) -> Shown:
    """Write everything: also ``history.png``, ``importance.png`` and ``search.html``."""
    write_table(study, plan)
    lines, found = lines_of(study), importance_of(study)
    save(history(lines, plan.measure), plan.out / "history.png")
    save(importance(found), plan.out / "importance.png")
    best = plan.out / "best.yaml"
    text = best.read_text(encoding="utf-8") if best.is_file() else ""
    write_page(study, lines, found, text, plan.out / "search.html")
    return Shown(lines, answer(lines, plan.measure))
