"""A search on one page: one HTML file with its plots inside, which needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import optuna
import plotly.graph_objects as go
from jinja2 import Environment
from markupsafe import Markup

import mesoscope
from mesoscope.atomic import explained, replacing
from mesoscope.report.template_setup import environment_of
from mesoscope.report.words import visible
from mesoscope_train.tuning.figures import Importance, history_plot, importance_plot
from mesoscope_train.tuning.trials import Line, table_of

_WORDS = ("state", "optimiser", "model")


def write_page(study: optuna.Study, lines: Sequence[Line], found: Importance, best: str, path: Path) -> None:
    """Write the page; whole or not at all.

    Args:
        study: with its notes.
        lines: of `mesoscope_train.tuning.trials.lines_of`.
        found: importance of the settings.
        best: the best settings as YAML; empty where there are none.
        path: of the HTML file.
    """
    head, rows = table_of(lines)
    measure = study.user_attrs["measure"]
    bars = importance_plot(found)
    text = (
        _environment()
        .get_template("search.html.j2")
        .render(
            program=mesoscope.__version__,
            recipe=study.study_name,
            digest=study.user_attrs["manifest"],
            trials=lines,
            answer=answer(lines, measure),
            history=_plot(history_plot(lines, measure), library=True),
            importance=None if bars is None else _plot(bars, library=False),
            absent=found.absent,
            head=head,
            rows=rows,
            words=[place for place, name in enumerate(head) if name in _WORDS],
            best=best or "no trial is finished",
            search=study.user_attrs["search"].replace(",", "\n"),
        )
    )
    with replacing(path) as partial, explained(path):
        partial.write_text(text, encoding="utf-8")


def answer(lines: Sequence[Line], measure: str) -> str:
    """What came of it, in a sentence: whether the best beats the recipe as it is."""
    finished = [line for line in lines if line.state == "finished"]
    early = sum(line.state == "ended early" for line in lines)
    counts = f"{len(finished)} trials finished and {early} were ended early."
    best = next((line for line in finished if line.best), None)
    if best is None:
        return f"{counts} There is no best one."
    value = getattr(best, measure)
    if best.defaults:
        return f"{counts} None is better than the recipe as it is, with a validation {measure} of {value:.4f}."
    defaults = next((getattr(line, measure) for line in finished if line.defaults), None)
    against = "" if defaults is None else f"; the recipe as it is has {defaults:.4f}"
    return f"{counts} The best is trial {best.trial}, with a validation {measure} of {value:.4f}{against}."


def _plot(figure: go.Figure, *, library: bool) -> Markup:
    html = figure.to_html(full_html=False, include_plotlyjs=library, config={"displaylogo": False})
    return Markup(html)  # noqa: S704 - Plotly writes names as JSON inside its script


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of("mesoscope_train.tuning")
    environment.filters["visible_lines"] = lambda text: "\n".join(visible(line) for line in text.splitlines())
    return environment
