"""``mesoscope study``: one of the five studies, from data to one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesoscope.cli.console import remark, stdout, warn
from mesoscope.errors import UsageError

LIST = "list"


def command(  # noqa: PLR0917 - each parameter is a flag
    name: Annotated[str, typer.Argument(help="A study, or 'list'.")],
    data: Annotated[Path | None, typer.Option(help="Directory that holds the data sets.", metavar="DIR")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory of the study; made, or gone on with.", metavar="DIR")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Smoke test: few pictures, one epoch a stage; no result.")
    ] = False,
    imagenet: Annotated[
        bool, typer.Option("--imagenet", help="Run the rows that need ImageNet weights, which timm downloads.")
    ] = False,
    redo: Annotated[
        list[str] | None, typer.Option(help="Run this step again, and what needs it.", metavar="STEP")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the steps' commands and stop.")] = False,
) -> None:
    """Run one of the five studies: import, audit, split, train, evaluate, explain, and one page.

    Each step is an ordinary command, printed before it runs and on the page. Steps that are done are kept: the same
    command goes on where it was interrupted. Where the study's own data are not at hand, the nearest real data are
    used under their own names. The page (index.html, study.pdf) puts each claim beside what was measured.

    [bold]Examples[/]

      mesoscope study list

      mesoscope study dfdc-transfer --data data/ --out studies/dfdc-transfer

      mesoscope study mesonet-visual --data data/ --out studies/s1 --fast

      mesoscope study gan-faces --data data/ --out studies/s2 --imagenet --redo compare

    [bold]Exit codes[/]  0 done; 2 wrong usage, or data are missing; 3 some steps failed
    """
    from mesoscope_train.studies import Inputs, find_sources, run_steps, studies

    if name == LIST:
        _list()
        return
    study = studies[name]
    if data is None or (out is None and not show):
        raise UsageError(
            f"say where the data sets are and where the study goes: mesoscope study {name} --data DIR --out DIR"
        )
    found, missing = find_sources(study, data)
    inputs = Inputs(data.resolve(), found, fast, imagenet)
    steps = study.plan(inputs)
    if show:
        from mesoscope_train.studies.content import command_of

        for step in steps:
            stdout().print(command_of(step, inputs))
        return
    assert out is not None  # noqa: S101 - refused above
    for source in missing:
        remark(f"not at hand: {source.folder} ({source.about})")
    if fast:
        warn("--fast is a smoke test: its figures mean nothing")
    records = run_steps(steps, out, redo=redo or (), tell=remark)
    from mesoscope_train.studies.content import Ran
    from mesoscope_train.studies.writing import write_study

    for path in write_study(Ran(study, inputs, steps, records, missing, out)):
        stdout().print(path)
    failed = [record for record in records.values() if record.state == "failed"]
    for record in failed:
        warn(f"{record.step} failed: {record.reason}; see {out / 'steps' / record.step}.log")
    if failed:
        raise typer.Exit(3)


def _list() -> None:
    from rich.table import Table

    from mesoscope_train.studies import studies

    table = Table("study", "question", "reads", box=None, header_style="bold")
    for name in sorted(studies, key=lambda name: studies[name].number):
        study = studies[name]
        reads = ", ".join(source.folder + ("" if source.required else " (optional)") for source in study.sources)
        table.add_row(name, study.question, reads)
    stdout().print(table)
