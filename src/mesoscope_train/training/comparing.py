"""Runs side by side, as Study 2 compares its five networks: one table, one figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from mesoscope.errors import UsageError
from mesoscope_train.figures import SERIES, house_style, log_scale, new_figure, shortened
from mesoscope_train.training.history import Epoch, read_history
from mesoscope_train.training.run import Run


@dataclass(frozen=True, slots=True)
class Compared:
    """One run.

    Attributes:
        run: name of its directory.
        detector: with its options.
        recipe: its name.
        smoke_test: not a result.
        epochs: of all stages.
        val_loss, val_accuracy, val_auc: of the best epoch of its last stage.
        parameters: of the detector.
        seconds_per_epoch, images_per_second: of the last stage's training part, on the machine it ran on.
        data_share: share of the training time in which the network waited for pictures, mean over epochs.
    """

    run: str
    detector: str
    recipe: str
    smoke_test: bool
    epochs: int
    val_loss: float
    val_accuracy: float
    val_auc: float
    parameters: int
    seconds_per_epoch: float
    images_per_second: float
    data_share: float


def compared(paths: Sequence[Path]) -> list[Compared]:
    """The runs' figures, best validation loss first.

    Raises:
        UsageError: a directory is no run, or a run is not finished; or runs were validated on different rows.
    """
    runs = [Run(path) for path in paths]
    digests = {run.facts("data").get("manifest_sha256") for run in runs}
    lines = sorted((_line(run) for run in runs), key=lambda line: line.val_loss)
    if len(digests) > 1:
        raise UsageError("the runs were validated on different manifests: their figures cannot stand side by side")
    return lines


def _line(run: Run) -> Compared:
    recipe, result = run.recipe(), run.facts("result")
    if not result:
        raise UsageError(f"{run.path} is not finished: go on with it by 'mesoscope train --resume {run.path}'")
    history = read_history(run.history_file)
    return Compared(
        run=run.path.name,
        detector=recipe.model.detector,
        recipe=recipe.name,
        smoke_test=recipe.fast,
        epochs=len(history),
        val_loss=result["val_loss"],
        val_accuracy=result["val_accuracy"],
        val_auc=result["val_auc"],
        parameters=result["parameters"],
        seconds_per_epoch=result["seconds_per_epoch"],
        images_per_second=result["images_per_second"],
        data_share=sum(epoch.data_share for epoch in history) / max(1, len(history)),
    )


@house_style()
def comparison(paths: Sequence[Path]) -> Figure:
    """Validation loss and AUC of each run over its epochs, and parameters against seconds an epoch.

    Raises:
        UsageError: as `compared`.
    """
    lines = {line.run: line for line in compared(paths)}
    figure = new_figure("page", height=2.8)
    loss, auc, cost = figure.subplots(1, 3)
    for number, path in enumerate(paths):
        history, line = read_history(Run(path).history_file), lines[path.name]
        colour, name = SERIES[number % len(SERIES)], shortened(line.run, 24)
        epochs = range(1, len(history) + 1)
        marker = "o" if len(history) < 12 else ""
        loss.plot(epochs, _values(history, "val_loss"), color=colour, label=name, marker=marker, markersize=3)
        auc.plot(epochs, _values(history, "val_auc"), color=colour, marker=marker, markersize=3)
        cost.plot([line.parameters], [line.seconds_per_epoch], "o", color=colour)
        cost.annotate(name, (line.parameters, line.seconds_per_epoch), xytext=(4, 4), textcoords="offset points")
    loss.set(xlabel="epoch", ylabel="validation loss")
    auc.set(xlabel="epoch", ylabel="validation AUC")
    cost.set(xlabel="parameters", ylabel="seconds an epoch")
    log_scale(cost.xaxis, EngFormatter(sep=""))
    cost.margins(x=0.4)
    slowest = max(line.seconds_per_epoch for line in lines.values())
    cost.set_ylim(0, 1.15 * slowest or 1)  # so that its mark is whole
    loss.legend()
    for axes in (loss, auc):
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _values(history: Sequence[Epoch], name: str) -> list[float]:
    return [getattr(epoch, name) for epoch in history]
