"""``mesoscope evaluate``: bundles on manifests, as numbers that survive a sceptic."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mesoscope.cli import exits
from mesoscope.cli.console import remark, warn
from mesoscope.engine import DEFAULT_ENGINE, engines
from mesoscope.errors import UsageError
from mesoscope.faces import FINDER_NAMES

JUDGING = "Judging"
HONESTY = "Honesty"
MEASURING = "Measuring and output"


def command(  # noqa: PLR0917 - each parameter is a flag
    bundle: Annotated[
        list[str] | None,
        typer.Option("--bundle", "-b", help="Bundle that is measured; repeatable.", metavar="B"),
    ] = None,
    manifest: Annotated[
        list[Path] | None,
        typer.Option("--manifest", "-m", help="Manifest it is measured by; repeatable.", metavar="M.parquet"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of numbers, figures, tables and page.", metavar="DIR")
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="test, validation, train or all; default: test, or all rows where there is no split. Once, or once "
            "for each manifest.",
            metavar="PART",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    faces: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Face finder: {', '.join(FINDER_NAMES)}; default: none, the pictures are what is judged. Once, or "
            "once for each manifest.",
            metavar="FINDER",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    face_model: Annotated[
        list[Path] | None,
        typer.Option(help="The finder's model file, likewise.", metavar="FILE", rich_help_panel=JUDGING),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            help="Where the pictures lie, if not where the manifest says, likewise.",
            metavar="DIR",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    tiers: Annotated[
        str, typer.Option(help="Degraded copies beside clean ones: web,hard,messenger.", rich_help_panel=JUDGING)
    ] = "",
    sweeps: Annotated[
        str, typer.Option(help="One operation from mild to strong: jpeg,blur,scale,noise.", rich_help_panel=JUDGING)
    ] = "",
    max_fpr: Annotated[
        float | None,
        typer.Option(help="Budget of false alarms, as in detect: sets the threshold.", rich_help_panel=JUDGING),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames sampled of a video.", rich_help_panel=JUDGING)] = 32,
    engine: Annotated[
        str, typer.Option(help=f"Inference engine: {', '.join(engines)}.", rich_help_panel=JUDGING)
    ] = DEFAULT_ENGINE,
    threads: Annotated[
        int, typer.Option(min=0, help="Threads of the engine; 0 for all cores.", rich_help_panel=JUDGING)
    ] = 0,
    training_manifest: Annotated[
        list[Path] | None,
        typer.Option(
            help="What a bundle was trained on (a manifest, or a run's folder): groups, people and pictures are "
            "compared; repeatable.",
            metavar="M",
            rich_help_panel=HONESTY,
        ),
    ] = None,
    allow_leak: Annotated[
        list[str] | None,
        typer.Option(
            help="Accept by name: trained-on, group, identity, duplicate, near-duplicate; it stands on the page.",
            metavar="KIND",
            rich_help_panel=HONESTY,
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Look at a test part once more; the page says so.", rich_help_panel=HONESTY),
    ] = False,
    slice_: Annotated[
        list[str] | None,
        typer.Option(
            "--slice",
            help="Measure each value of this column apart (gender, difficulty, size_quartile, brightness_quartile); "
            "repeatable.",
            metavar="COLUMN",
            rich_help_panel=MEASURING,
        ),
    ] = None,
    minimum_n: Annotated[int, typer.Option(min=1, help="Pictures a slice needs.", rich_help_panel=MEASURING)] = 30,
    draws: Annotated[int, typer.Option(min=100, help="Draws of the bootstrap.", rich_help_panel=MEASURING)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.", rich_help_panel=MEASURING)] = 0,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Judge nothing: measure and draw anew from the scores.parquet of an earlier evaluation.",
            metavar="FILE",
            rich_help_panel=MEASURING,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The short table as JSON, for programs.", rich_help_panel=MEASURING)
    ] = False,
) -> None:
    """Measure bundles on manifests: where each can be trusted, and where not.

    Every picture is decoded once and judged by every bundle, as 'mesoscope detect' would, also at degraded tiers and
    at one fixed threshold. The folder then holds metrics.json (all numbers, with intervals bootstrapped by group),
    scores.parquet (one row a picture, nothing dropped; all numbers can be made from it again), index.html (one page),
    figures/, tables/ (bundles against manifests as HTML, CSV, Markdown, LaTeX), cards/ (what each bundle's card
    should say) and register.jsonl. Killed at any moment, the same command goes on where it stood.

    A test part is looked at once per bundle: a second time is refused without --again. A bundle is not judged by
    what it was trained on, as far as that is known, unless --allow-leak names it; what is not known is said.

    [bold]Examples[/]

      mesoscope evaluate --bundle bundles/meso4-1 --manifest faces.parquet --out evaluation

      mesoscope evaluate -b mesoscope-face -b bundles/meso4-1 -m faces.parquet -m dfdc.parquet --out both

      mesoscope evaluate -b mesoscope-face -m faces.parquet --tiers web,hard,messenger --sweeps jpeg,blur --out tiers

      mesoscope evaluate -b mesoscope-face -m portraits.parquet --faces dlib --slice gender --max-fpr 0.01 --out fair

      mesoscope evaluate -b bundles/mine-1 -m faces.parquet --split validation --training-manifest runs/mine --out v

      mesoscope evaluate --scores evaluation/scores.parquet --slice difficulty --out evaluation-again

    [bold]Exit codes[/]  0 every picture has an outcome; 1 a leak, or the program failed; 2 wrong usage, or a test
    part that was looked at before; 3 some pictures ended as error
    """
    from mesoscope_train.commands.data_output import command_line, words
    from mesoscope_train.commands.evaluate_answer import show
    from mesoscope_train.evaluation.inputs import Request
    from mesoscope_train.evaluation.metrics_schema import Settings
    from mesoscope_train.evaluation.run import evaluate, recompute
    from mesoscope_train.progress import progress

    if out is None:
        raise UsageError("name the folder for numbers and page: --out DIR")
    settings = Settings(slices=tuple(slice_ or ()), minimum_n=minimum_n, draws=draws, seed=seed)
    if scores is not None:
        if bundle or manifest:
            raise UsageError("--scores judges nothing: leave --bundle and --manifest out")
        result = recompute(scores, out, settings, progress=progress)
    else:
        request = Request(
            bundles=tuple(bundle or ()),
            manifests=tuple(manifest or ()),
            out=out,
            roots=tuple(root or ()),
            faces=tuple(faces or ()),
            face_models=tuple(face_model or ()),
            splits=tuple(split or ()),
            max_fpr=max_fpr,
            tiers=words(tiers),
            sweeps=words(sweeps),
            allow_leaks=tuple(allow_leak or ()),
            trainings=tuple(training_manifest or ()),
            again=again,
            engine=engine,
            threads=threads,
            frames=frames,
        )
        result = evaluate(
            request, settings, command_line(), workers=os.cpu_count() or 1, progress=progress, remark=remark
        )
    show(result, as_json=as_json)
    if result.failed:
        warn(f"{result.failed:,} of {result.pictures:,} pictures ended as error; scores.parquet has each reason")
        raise typer.Exit(exits.SOME_WITHOUT_ANSWER)
