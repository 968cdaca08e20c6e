"""``mesoscope tune``: a search of a recipe's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesoscope.cli.console import remark, stdout
from mesoscope.errors import UsageError


def command(  # noqa: PLR0917 - each parameter is a flag
    recipe: Annotated[str, typer.Argument(help="Recipe, NAME or NAME:VARIANT (see 'mesoscope train --list').")],
    manifest: Annotated[
        list[Path] | None, typer.Option(help="Manifest with a split; several are merged.", metavar="M.parquet")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory of the search.", metavar="DIR")] = None,
    search: Annotated[
        str | None,
        typer.Option(help="Settings, NAME, NAME=a|b or NAME=low..high, with commas; default: the recipe's."),
    ] = None,
    trials: Annotated[int, typer.Option(help="Trials in all, earlier ones among them.", min=1)] = 20,
    measure: Annotated[
        str | None, typer.Option(help="Validation value to compare: loss, auc or accuracy; default: the recipe's.")
    ] = None,
    pruner: Annotated[str, typer.Option(help="Who ends trials early: median, hyperband or none.")] = "median",
    storage: Annotated[
        str | None,
        typer.Option(help="Where trials are kept, for several workers; default: a file in --out.", metavar="URL"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the search in its storage; default: the recipe's.")] = None,
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
    epochs: Annotated[int | None, typer.Option(help="Epochs of the last stage, of every trial.", min=1)] = None,
    fold: Annotated[int | None, typer.Option(help="Of a manifest with folds: the one that is validation.")] = None,
    allow_leak: Annotated[
        list[str] | None, typer.Option(help="Accept this kind of leak by name.", metavar="KIND")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List what can be searched, and stop.")] = False,
) -> None:
    """Search a recipe's settings.

    Every trial is a run of the recipe with other values, chosen by Optuna; the recipe as it is comes first, so that
    the best has something to beat. Trials that fall behind are ended early. Test rows are cut off before anything
    else, and figures are of the validation part. Killed at any moment, the same command goes on; a trial that was
    running is tried again. Several workers share a search by one --storage and --name, each started by the same
    command.

    The directory holds the table of all trials (trials.csv), plots (history.png, importance.png), all of it on one
    page (search.html), and the best settings for 'train --config' (best.yaml).

    [bold]Examples[/]

      mesoscope tune dfdc-transfer:cnn-small --manifest dfdc.parquet --out searches/first

      mesoscope tune dfdc-transfer --search learning_rate=1e-4..1e-1,optimizer,head_units --manifest m.parquet --out s

      mesoscope tune mesonet-visual --storage postgresql://me@db/searches --manifest m.parquet --out s
    """
    from mesoscope_train import recipes

    if list_:
        _print_known()
        return
    base = recipes.recipe_named(recipe)
    flags = {
        "data.manifests": [str(path) for path in manifest or ()] or None,
        "data.fold": fold,
        "model.weights": weights,
        "model.detector": detector,
        f"stages.{len(base.stages) - 1}.epochs": epochs,
    }
    said = [f"{way}={value!r}" for way, value in flags.items() if value is not None]
    settings = recipes.settings_from(base, config, [*(set_ or ()), *said])
    if not settings.data.manifests:
        raise UsageError("name the data: --manifest M.parquet (mesoscope data split makes one)")
    if out is None:
        raise UsageError("name the search's directory: --out DIR")
    from mesoscope_train.commands.data_output import command_line
    from mesoscope_train.tuning.search import MEASURES, PRUNERS, Plan
    from mesoscope_train.tuning.space import fitting, parse_search

    measure = _one_of("--measure", measure or settings.loop.monitor, tuple(MEASURES))
    own = parse_search(recipes.recipes[recipe.partition(":")[0]].search)
    plan = Plan(
        recipe=settings,
        search=parse_search(search) if search else fitting(settings, own, measure),
        out=out,
        trials=trials,
        name=name or settings.name,
        measure=measure,
        pruner=_one_of("--pruner", pruner, PRUNERS),
        storage=storage,
        seed=settings.loop.seed if storage is None else None,
        allow_leaks=tuple(allow_leak or ()),
        command=command_line(),
    )
    _run(plan)


def _run(plan: object) -> None:
    from mesoscope_train.tuning.output import write_all, write_table
    from mesoscope_train.tuning.search import Plan, run

    assert isinstance(plan, Plan)  # noqa: S101 - Typer would load torch for the annotation
    for dimension in plan.search:
        remark(f"searching {dimension}")
    study = run(plan, lambda study: write_table(study, plan))
    shown = write_all(study, plan)
    _print(list(shown.lines))
    remark(shown.answer)
    remark("validation figures, on which the best was chosen; 'mesoscope evaluate' measures on test pictures")
    stdout().print(plan.out)


def _print(lines: list[object]) -> None:
    from mesoscope_train.commands.data_output import table_of
    from mesoscope_train.tuning.trials import table_of as cells_of

    head, rows = cells_of(lines)  # type: ignore[arg-type]
    # numbers stand to the right; words come first, which is where the eye looks for them
    words = [place for place, name in enumerate(head) if name in ("trial", "state", "optimiser", "model")]
    numbers = [place for place in range(len(head) - 1) if place not in words]
    order = [*words, *numbers, len(head) - 1]
    table = table_of([head[place] for place in words], [head[place] for place in numbers], [])
    table.add_column(head[-1])
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        table.add_row(*(row[place] for place in order))
    console = stdout()
    # as wide as it is: a cell that is cut off says nothing
    console.width = max(console.width, sum(max(map(len, column)) + 2 for column in zip(head, *rows, strict=True)))
    console.print(table)


def _print_known() -> None:
    from mesoscope_train.commands.data_output import table_of
    from mesoscope_train.tuning.space import KNOWN

    rows = [(name, str(known.range or "give it values"), known.about) for name, known in KNOWN.items()]
    stdout().print(table_of(["name", "range unless told otherwise", "what"], [], rows))
    remark(
        "also any dotted setting of the recipe (loop.clip=0.5|1) and option of the detector (detector.batch_norm=…)"
    )


def _one_of(flag: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"{flag} {value}: it is one of {', '.join(known)}")
    return value
