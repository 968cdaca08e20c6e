"""``mesoscope train``: a recipe on a manifest, into a directory that can be gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesoscope.cli.console import remark, stdout, warn
from mesoscope.errors import UsageError


def command(  # noqa: PLR0917 - each parameter is a flag
    recipe: Annotated[str | None, typer.Option(help="Recipe, NAME or NAME:VARIANT (see --list).")] = None,
    manifest: Annotated[
        list[Path] | None, typer.Option(help="Manifest with a split; several are merged.", metavar="M.parquet")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the run; new or empty.", metavar="DIR")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run where it was killed or stopped.", metavar="RUN")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML with settings that replace the recipe's.", metavar="FILE")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="One setting, for example loop.batch_size=64.", metavar="KEY=VALUE"),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="imagenet, none, or a file, run or bundle to go on from.", metavar="WHAT")
    ] = None,
    detector: Annotated[str | None, typer.Option(help="Another detector than the recipe's.", metavar="NAME")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of the last stage.", min=1)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures a step and process.", min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the last stage.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.", min=0)] = None,
    devices: Annotated[int | None, typer.Option(help="Processes on this machine (GPUs, or CPU processes).")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that read pictures ahead.", min=0)] = None,
    fold: Annotated[int | None, typer.Option(help="Of a manifest with folds: the one that is validation.")] = None,
    allow_leak: Annotated[
        list[str] | None,
        typer.Option(help="Accept this kind of leak by name; it follows the bundle.", metavar="KIND"),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Smoke test: few rows, one epoch a stage; no result.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print all settings as YAML and stop.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List recipes and their variants, and stop.")] = False,
) -> None:
    """Train a detector by a recipe.

    Settings come from the recipe, then from --config, then from --set, then from the flags that abbreviate them
    (--epochs and --learning-rate mean the last stage); the last wins. Before anything is trained the manifest is
    audited: a leak between its splits stops the run unless --allow-leak names it.

    The run's directory keeps settings, manifest, environment, a line an epoch (history.csv), curves, TensorBoard's
    files and checkpoints. Killed at any moment, --resume goes on to the same result. 'mesoscope bundle export' makes
    a bundle of it.

    [bold]Examples[/]

      mesoscope train --list

      mesoscope train --recipe mesonet-visual --manifest faces.parquet --out runs/meso4

      mesoscope train --recipe dfdc-transfer:xception --devices 4 --manifest dfdc.parquet --out runs/xception

      mesoscope train --recipe photo-vs-ai --set loop.ema=0.99 --epochs 5 --manifest m.parquet --out runs/photos

      mesoscope train --resume runs/meso4
    """
    from mesoscope_train import recipes
    from mesoscope_train.commands.data_output import command_line

    if list_:
        _print_recipes()
        return
    if resume is not None:
        if recipe or out:
            raise UsageError("--resume goes on with the settings of its run: leave --recipe and --out out")
        from mesoscope_train.training import session

        run = session.resume(resume, allow_leaks=allow_leak or (), command=command_line())
        _report(run)
        return
    if recipe is None:
        raise UsageError("name a recipe: --recipe NAME ('mesoscope train --list' shows them)")
    base = recipes.recipe_named(recipe)
    last = len(base.stages) - 1
    flags = {
        "data.manifests": [str(path) for path in manifest or ()] or None,
        "data.fold": fold,
        "data.workers": workers,
        "model.weights": weights,
        "model.detector": detector,
        f"stages.{last}.epochs": epochs,
        f"stages.{last}.optimiser.learning_rate": learning_rate,
        "loop.batch_size": batch_size,
        "loop.seed": seed,
        "loop.devices": devices,
    }
    said = [f"{way}={value!r}" for way, value in flags.items() if value is not None]
    settings = recipes.settings_from(base, config, [*(set_ or ()), *said])
    if fast:
        settings = recipes.smoke_test(settings)
    if show:
        stdout().print(recipes.as_yaml(settings), end="")
        return
    if out is None:
        raise UsageError("name the run's directory: --out DIR")
    if fast:
        warn("--fast is a smoke test: few rows, one epoch a stage; its figures mean nothing")
    from mesoscope_train.training import session

    _report(session.start(settings, out, allow_leaks=allow_leak or (), command=command_line()))


def _print_recipes() -> None:
    from rich.table import Table

    from mesoscope_train.recipes import recipes

    table = Table("recipe", "about", "variants", box=None, header_style="bold")
    for name in recipes:
        entry = recipes[name]
        table.add_row(name, entry.about, ", ".join(entry.variants))
    stdout().print(table)


def _report(run: object) -> None:
    from mesoscope_train.training.run import Run

    assert isinstance(run, Run)  # noqa: S101 - Typer would load torch for the annotation
    result, data = run.facts("result"), run.facts("data")
    if not result:  # another process of the same run writes it
        return
    for warning in (*data.get("leaks", ()), *data.get("warnings", ())):
        warn(warning)
    chosen = f"epoch {result['epoch']}, which was chosen on these very pictures"
    remark(f"validation figures of {chosen if result['epoch'] else 'the network, which was kept as it was'}:")
    figures = {"loss": "val_loss", "accuracy": "val_accuracy", "AUC": "val_auc"}
    stdout().print("  ".join(f"{name} {result[key]:.4f}" for name, key in figures.items()))
    if "svm" in result:
        remark("of the SVM, whose C and gamma were chosen on training pictures:")
        stdout().print(f"accuracy {result['svm']['accuracy']:.4f}  AUC {result['svm']['auc']:.4f}")
    stdout().print(run.path)
