"""Loss, accuracy and learning rate over the epochs of a run, all stages behind each other."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope.errors import UsageError
from mesoscope_train.figures import INK, QUIET, SERIES, house_style, log_scale, new_figure, save
from mesoscope_train.training.history import Epoch, read_history
from mesoscope_train.training.run import Run

TRAIN, VALIDATION = SERIES[2], SERIES[0]


def write_curves(run: Run) -> None:
    """Write ``curves.png`` into the run's directory; nothing before the first epoch is over.

    Raises:
        UsageError: the file cannot be written.
    """
    history = read_history(run.history_file)
    if history:
        save(curves(history), run.path / "curves.png")


@house_style()
def curves(history: list[Epoch]) -> Figure:
    """Three panels: loss, accuracy with AUC, learning rate; stages are set apart by a line.

    Raises:
        UsageError: there is no epoch.
    """
    if not history:
        raise UsageError("the run has no finished epoch: there is nothing to draw")
    figure = new_figure("page", height=2.4)
    loss, quality, rate = figure.subplots(1, 3)
    epochs = list(range(1, len(history) + 1))
    _lines(loss, epochs, {"training": [e.train_loss for e in history], "validation": [e.val_loss for e in history]})
    loss.set_ylabel("loss")
    _lines(
        quality,
        epochs,
        {"training": [e.train_accuracy for e in history], "validation": [e.val_accuracy for e in history]},
    )
    quality.plot(epochs, [e.val_auc for e in history], color=VALIDATION, linestyle=":", label="validation AUC")
    quality.set_ylabel("accuracy, AUC")
    quality.legend()
    rate.plot(epochs, [e.learning_rate for e in history], color=INK)
    if all(e.learning_rate > 0 for e in history):
        log_scale(rate.yaxis)
    rate.set_ylabel("learning rate")
    loss.legend()
    for axes in (loss, quality, rate):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        _mark_stages(axes, history)
    return figure


def _lines(axes: Axes, epochs: list[int], series: dict[str, list[float]]) -> None:
    for (name, values), colour in zip(series.items(), (TRAIN, VALIDATION), strict=True):
        # one epoch is a point, not an invisible line
        axes.plot(epochs, values, color=colour, label=name, marker="o" if len(epochs) < 12 else "", markersize=3)


def _mark_stages(axes: Axes, history: list[Epoch]) -> None:
    for number, (before, after) in enumerate(pairwise(history), start=1):
        if before.stage != after.stage:
            axes.axvline(number + 0.5, color=QUIET, linewidth=0.8, linestyle="--")
            axes.annotate(
                after.stage, (number + 0.5, 1), xycoords=("data", "axes fraction"), xytext=(3, -8),
                textcoords="offset points", fontsize="small", color=QUIET,
            )  # fmt: skip
