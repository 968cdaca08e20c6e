"""What a search found, as figures in the house style and as Plotly's for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
import plotly.graph_objects as go
from matplotlib.figure import Figure
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import TrialState

from mesoscope_train.figures import GRID, INK, QUIET, SERIES, house_style, new_figure, shortened
from mesoscope_train.tuning.search import DEFAULTS, MEASURES
from mesoscope_train.tuning.trials import Line

FEWEST = 4
"""Finished trials from which on the importance of settings is computed."""
_NAMES = {"loss": "validation loss", "auc": "validation AUC", "accuracy": "validation accuracy"}
_FINISHED, _EARLY, _BEST = SERIES[0], SERIES[5], SERIES[1]


@dataclass(frozen=True, slots=True)
class Importance:
    """How much of the spread of the finished trials each setting explains, in descending order; or why not.

    Source: Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance", ICML 2014;
    computed by Optuna.
    """

    shares: dict[str, float]
    trials: int
    absent: str = ""


def importance_of(study: optuna.Study) -> Importance:
    """Importance of the searched settings; trials that were ended early take no part."""
    found = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not trial.user_attrs.get(DEFAULTS)
    ]
    if len(found) < FEWEST:
        return Importance({}, len(found), f"only {len(found)} trials ran to their end; {FEWEST} are needed")
    if len({trial.value for trial in found}) < 2:
        return Importance({}, len(found), "all trials came to the same value")
    # a study in memory without the recipe's own trial, which has no searched values
    copy = optuna.create_study(direction=study.direction)
    copy.add_trials(found)
    shares = optuna.importance.get_param_importances(copy, evaluator=FanovaImportanceEvaluator(seed=0))
    return Importance({name: float(share) for name, share in shares.items()}, len(found))


@house_style()
def history(lines: Sequence[Line], measure: str) -> Figure:
    """Each trial's value, the best so far, and the recipe as it is."""
    figure = new_figure("page", height=2.6)
    axes = figure.add_subplot()
    edge = edge_of(lines, measure)
    for state, colour, fill, name in _groups():
        there = [line for line in lines if line.state == state and getattr(line, measure) is not None]
        if there:
            places = [line.trial for line in there], [within(getattr(line, measure), edge) for line in there]
            axes.plot(*places, "o", color=colour, markersize=4, markerfacecolor=fill or "none", label=name)
    far = [line.trial for line in lines if _is_far(line, measure, edge)]
    if far:
        axes.plot(far, [edge] * len(far), "^", color=QUIET, markersize=6, label=f"beyond {edge:.3g}")
    numbers, values = so_far(lines, measure)
    axes.plot(numbers, values, color=_BEST, linestyle="-", drawstyle="steps-post", label="best so far")
    defaults = defaults_of(lines, measure)
    if defaults is not None:
        axes.axhline(defaults, color=QUIET, linewidth=0.8, linestyle="--", label="the recipe as it is")
    axes.set(xlabel="trial", ylabel=_NAMES[measure])
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y")
    figure.legend(loc="outside upper left", ncols=5)
    return figure


@house_style()
def importance(found: Importance) -> Figure:
    """Bars, the most important on top; or the reason why there are none."""
    figure = new_figure("column", height=0.9 + 0.24 * max(1, len(found.shares)))
    axes = figure.add_subplot()
    if found.absent:
        axes.axis("off")
        axes.text(0.5, 0.5, found.absent, ha="center", va="center", color=QUIET, transform=axes.transAxes, wrap=True)
        return figure
    names = list(found.shares)[::-1]
    bars = axes.barh([shortened(name) for name in names], [found.shares[name] for name in names], color=_FINISHED)
    axes.bar_label(bars, fmt="%.2f", padding=2, color=INK)
    axes.set_xlim(0, 1.12)
    axes.set_xlabel(f"share of the spread over {found.trials} finished trials")
    axes.tick_params(axis="y", length=0)
    return figure


def history_plot(lines: Sequence[Line], measure: str) -> go.Figure:
    """`history`, to be pointed at."""
    figure = go.Figure()
    edge = edge_of(lines, measure)
    for state, colour, fill, name in _groups():
        there = [line for line in lines if line.state == state and getattr(line, measure) is not None]
        figure.add_scatter(
            x=[line.trial for line in there],
            y=[within(getattr(line, measure), edge) for line in there],
            mode="markers",
            name=name,
            hovertext=[_hover(line, measure) for line in there],
            hoverinfo="text",
            marker={
                "color": fill or "#ffffff",
                "line": {"color": colour, "width": 1.5},
                "size": 9,
                "symbol": ["triangle-up" if _is_far(line, measure, edge) else "circle" for line in there],
            },
        )
    numbers, values = so_far(lines, measure)
    figure.add_scatter(x=numbers, y=values, mode="lines", name="best so far", line={"color": _BEST, "shape": "hv"})
    defaults = defaults_of(lines, measure)
    if defaults is not None:
        figure.add_hline(defaults, line={"color": QUIET, "dash": "dash", "width": 1})
    return _styled(figure, "trial", _NAMES[measure])


def importance_plot(found: Importance) -> go.Figure | None:
    """`importance`, to be pointed at; None where there is none."""
    if found.absent:
        return None
    names = list(found.shares)[::-1]
    bars = go.Bar(x=[found.shares[name] for name in names], y=names, orientation="h", marker={"color": _FINISHED})
    figure = _styled(go.Figure(bars), f"share of the spread over {found.trials} finished trials", "")
    figure.update_layout(height=160 + 32 * len(names))
    return figure


def so_far(lines: Sequence[Line], measure: str) -> tuple[list[int], list[float]]:
    """Trial numbers at which the best value changed, up to the last finished one, and those values."""
    better = min if MEASURES[measure] == "minimize" else max
    numbers: list[int] = []
    values: list[float] = []
    for line in sorted(lines, key=lambda line: line.trial):
        value = getattr(line, measure)
        if line.state == "finished" and value is not None:
            numbers.append(line.trial)
            values.append(better([*values[-1:], value]))
    return numbers, values


def defaults_of(lines: Sequence[Line], measure: str) -> float | None:
    """The value of the recipe as it is, where that trial is finished."""
    return next((getattr(line, measure) for line in lines if line.defaults and line.state == "finished"), None)


def _groups() -> tuple[tuple[str, str, str | None, str], ...]:
    return ("finished", _FINISHED, _FINISHED, "finished"), ("ended early", _EARLY, None, "ended early, best epoch")


def edge_of(lines: Sequence[Line], measure: str) -> float | None:
    """The largest loss that is drawn where it is: one that ran away would press all others flat. None: all are."""
    values = sorted(getattr(line, measure) for line in lines if getattr(line, measure) is not None)
    if measure != "loss" or not values:
        return None
    quarter = values[(3 * (len(values) - 1)) // 4]
    edge = max(quarter + 3 * (quarter - values[0]), defaults_of(lines, measure) or 0.0, values[0] * 1.05)
    return edge if values[-1] > edge else None


def within(value: float, edge: float | None) -> float:
    """A value, or the edge where it lies beyond."""
    return value if edge is None else min(value, edge)


def _is_far(line: Line, measure: str, edge: float | None) -> bool:
    value = getattr(line, measure)
    return edge is not None and value is not None and value > edge


def _hover(line: Line, measure: str) -> str:
    values = "<br>".join(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
                         for name, value in line.values.items())  # fmt: skip
    rate = "" if line.rate is None else f" {line.rate:.3g}"
    return f"trial {line.trial}, {measure} {getattr(line, measure):.4f}<br>{line.optimiser}{rate}<br>{values}"


def _styled(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure.update_layout(
        template="plotly_white",
        height=380,
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        legend={"orientation": "h", "y": 1.08},
        xaxis={"title": x, "gridcolor": GRID},
        yaxis={"title": y, "gridcolor": GRID},
    )
    return figure
