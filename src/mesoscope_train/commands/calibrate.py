"""``mesoscope calibrate``: what a bundle's scores mean, fitted on validation pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesoscope.engine import DEFAULT_ENGINE, engines
from mesoscope.errors import UsageError
from mesoscope.faces import FINDER_NAMES, NO_FINDER

if TYPE_CHECKING:
    from mesoscope.faces import FaceFinder
    from mesoscope_train.calibration.calibrating import Calibrated
    from mesoscope_train.calibration.rows import Source

METHODS = ("auto", "temperature", "platt", "isotonic")
JUDGING = "Judging"
OUTPUT = "Output"


def command(  # noqa: PLR0917 - each parameter is a flag
    bundle: Annotated[str, typer.Option("--bundle", "-b", help="Name, name-version or directory.", metavar="B")],
    manifest: Annotated[
        Path, typer.Option("--manifest", "-m", help="Labelled pictures, split by group.", metavar="M.parquet")
    ],
    out: Annotated[
        Path,
        typer.Option(help="Directory that will hold the new version's own.", metavar="DIR", rich_help_panel=OUTPUT),
    ],
    split: Annotated[
        str,
        typer.Option(
            help="Part of the manifest; train, or train,validation, for a bundle that was trained elsewhere.",
            metavar="PART",
        ),
    ] = "validation",
    method: Annotated[
        str, typer.Option(help="auto (chosen by cross-validation over groups), temperature, platt or isotonic.")
    ] = "auto",
    unseen: Annotated[
        bool,
        typer.Option(
            "--unseen", help="Vouch that the bundle was not trained on these rows, where it cannot be told."
        ),
    ] = False,
    faces: Annotated[
        str,
        typer.Option(
            help=f"Face finder: {', '.join(FINDER_NAMES)} (the pictures are what is judged).",
            metavar="FINDER",
            rich_help_panel=JUDGING,
        ),
    ] = NO_FINDER,
    face_model: Annotated[
        Path | None, typer.Option(help="The finder's model file.", metavar="FILE", rich_help_panel=JUDGING)
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            help="Where the pictures lie, if not where the manifest says.", metavar="DIR", rich_help_panel=JUDGING
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help=f"Inference engine: {', '.join(engines)}.", rich_help_panel=JUDGING)
    ] = DEFAULT_ENGINE,
    version: Annotated[
        str | None, typer.Option(help="Of the new bundle; default: the next one.", rich_help_panel=OUTPUT)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a bundle that is already there.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="What was decided as JSON, for programs.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Fit a bundle's probabilities, thresholds and inconclusive band on validation pictures.

    Temperature, Platt and isotonic calibration, and what the bundle has already, are compared by cross-validation
    over groups (source videos, people); the simplest whose log-loss is within one standard error of the best is
    taken. Each threshold keeps its budget of false alarms in expectation, and states the rate it does not exceed with
    95 % confidence; a budget that the number of groups cannot promise is left out, and the smallest that it can is
    told. The bundle stays as it is: a new version is written, with a section in its card.

    Refused: the test part, rows the bundle was trained on, one class, fewer than five groups of either class, and
    scores that do not rise with the label.

    [bold]Examples[/]

      mesoscope calibrate --bundle bundles/mesonet-meso4-df-1 --manifest faces.parquet --out bundles/

      mesoscope calibrate -b mesoscope-face -m mine.parquet --faces dlib --method platt --out bundles/

      mesoscope detect photo.jpg --bundle bundles/mesonet-meso4-df-2 --max-fpr 0.05

    [bold]Exit codes[/]  0 done; 2 wrong usage, or pictures that do not make a calibration
    """
    from mesoscope.bundle import load_bundle
    from mesoscope_train.calibration.calibrating import Request, calibrate
    from mesoscope_train.commands.data_output import command_line, words
    from mesoscope_train.progress import progress
    from mesoscope_train.publishing import check_place, next_version

    if method not in METHODS:
        raise UsageError(f"--method {method}: name one of {', '.join(METHODS)}")
    loaded = load_bundle(bundle)
    check_place(out / f"{loaded.contract.name}-{version or next_version(loaded.contract.version)}", force)
    source = source_of(manifest, root)
    request = Request(
        source=source,
        parts=words(split),
        method=method,
        finder=finder_of(faces, face_model),
        engine=engine,
        unseen=unseen,
        command=command_line(),
    )
    with progress("judging pictures") as step:
        made = calibrate(loaded, request, out, version=version, overwrite=force, step=step)
    _answer(made, as_json)


def source_of(manifest: Path, root: Path | None) -> Source:
    """Read a manifest with what identifies it."""
    from mesoscope.manifest import read_manifest
    from mesoscope_train.calibration.rows import Source

    read = read_manifest(manifest, root=root)
    return Source(read, read.digest())


def finder_of(name: str, model: Path | None) -> FaceFinder | None:
    """Open a face finder; None for ``none``.

    Raises:
        UsageError: there is no such finder, or a model without one.
    """
    from mesoscope.faces import open_finder

    if name == NO_FINDER:
        if model is not None:
            raise UsageError(
                "--face-model was given, but no faces are to be looked for: name the finder with --faces"
            )
        return None
    return open_finder(name, model)


def _answer(made: Calibrated, as_json: bool) -> None:
    from mesoscope.cli.console import printable, stdout, warn
    from mesoscope_train.calibration.card import described
    from mesoscope_train.commands.data_output import table_of

    decided, path = made.decided, str(made.bundle.path)
    if as_json:
        _print_json(made)
    else:
        console = stdout()
        chosen = decided.choice.method
        console.print(
            table_of(
                ("method",),
                ("log-loss, held-out groups", "more than the best", "standard error"),
                (
                    (f"{one.method}{' *' * (one.method == chosen)}", *_numbers(one.loss, one.worse, one.error))
                    for one in decided.choice.candidates
                ),
            )
        )
        console.print(f"taken: {described(decided.calibration)}; {decided.choice.why}")
        before, after = decided.before, decided.after
        console.print(
            f"before: log-loss {before.log_loss:.4f}, Brier {before.brier:.4f}, calibration error {before.ece:.4f}; "
            f"after, on held-out groups: {after.log_loss:.4f}, {after.brier:.4f}, {after.ece:.4f}"
        )
        rows = [
            (f"{budget.max_fpr:g}", f"{budget.threshold:.4f}", f"{budget.upper_95:.4f}")
            for budget in decided.thresholds.budgets
        ]
        console.print(table_of(("--max-fpr",), ("fake from", "with 95 % confidence at most"), rows))
        console.print(
            f"default: fake from {decided.thresholds.default:.4f}, real below {decided.band.lower:.4f} (at most "
            f"{decided.band.max_missed:g} of such fakes); {decided.thresholds.n_real_groups:,} groups of reals, "
            f"{decided.thresholds.n_fake_groups:,} of fakes"
        )
        console.print(f"written: {printable(path)}")
    for note in made.notes:
        warn(note)


def _numbers(*values: float) -> tuple[str, ...]:
    return tuple(f"{value:.4f}" for value in values)


def _print_json(made: Calibrated) -> None:
    from dataclasses import asdict

    from mesoscope_train.commands.data_output import print_json

    decided = made.decided
    print_json(
        {
            "bundle": str(made.bundle.path),
            "calibration": decided.calibration.model_dump(),
            "why": decided.choice.why,
            "methods": [
                {"method": one.method, "log_loss": one.loss, "worse": one.worse, "standard_error": one.error}
                for one in decided.choice.candidates
            ],
            "thresholds": decided.thresholds.model_dump(),
            "band": decided.band.model_dump(),
            "before": _without_bins(asdict(decided.before)),
            "after": _without_bins(asdict(decided.after)),
            "without_score": made.judged.without,
            "notes": made.notes,
        }
    )


def _without_bins(reliability: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in reliability.items() if name != "bins"}
