"""``mesoscope bundle quantise``: an int8 copy of a bundle, with what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesoscope.errors import UsageError

if TYPE_CHECKING:
    from mesoscope.bundle import Bundle


def command(  # noqa: PLR0917 - each parameter is a flag
    bundle: Annotated[str, typer.Argument(help="Name, name-version or directory.", metavar="B")],
    manifest: Annotated[
        Path,
        typer.Option(
            "--manifest",
            "-m",
            help="Labelled pictures, as the bundle judges them, split.",
            metavar="M.parquet",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Directory that will hold the copy's own.", metavar="DIR")],
    ranges: Annotated[
        int, typer.Option(min=1, help="Training pictures on which the ranges of the activations are found.")
    ] = 256,
    measured: Annotated[int, typer.Option(min=2, help="Validation pictures it is measured on, at most.")] = 2000,
    max_loss: Annotated[
        float,
        typer.Option(help="Of accuracy and of AUC, in either engine; beyond it nothing is written."),
    ] = 0.01,
    root: Annotated[
        Path | None, typer.Option(help="Where the pictures lie, if not where the manifest says.", metavar="DIR")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is already there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What was measured as JSON, for programs.")] = False,
) -> None:
    """Make an int8 copy of a bundle: NAME-int8, smaller and faster, with what that costs.

    Convolutions become int8 (post-training, by NNCF), all else stays float32. Both engines run the copy. What it
    costs is measured in both on validation pictures and stands in its card and contract: accuracy, AUC with its
    interval, changes of logits, outcomes and maps, size, speed. A copy that loses more than --max-loss of accuracy or
    AUC, or whose maps show something else, is not written. Its thresholds are those of its source and promise nothing
    of their own: calibrate the copy to have promises.

    [bold]Examples[/]

      mesoscope bundle quantise bundles/mine-1 --manifest faces.parquet --out bundles/

      mesoscope calibrate --bundle bundles/mine-int8-1 --manifest faces.parquet --out bundles/

    [bold]Exit codes[/]  0 done; 1 the copy is not good enough; 2 wrong usage
    """
    from mesoscope.bundle import load_bundle
    from mesoscope_train.commands.calibrate import source_of
    from mesoscope_train.commands.data_output import command_line
    from mesoscope_train.progress import progress
    from mesoscope_train.quantising.run import Request, quantise

    if not 0 <= max_loss < 1:
        raise UsageError(f"--max-loss {max_loss:g}: write a share between 0 and 1")
    request = Request(source_of(manifest, root), ranges, measured, max_loss, command_line())
    with progress("measuring") as step:
        made = quantise(load_bundle(bundle), request, out, overwrite=force, step=step)
    _answer(made, as_json)


def _answer(made: Bundle, as_json: bool) -> None:
    from mesoscope.cli.console import printable, stdout
    from mesoscope_train.commands.data_output import print_json, table_of

    facts = made.contract.quantisation
    assert facts is not None  # noqa: S101 - it was just written
    if as_json:
        print_json({"bundle": str(made.path), **facts.model_dump()})
        return
    engines = {"openvino": facts.openvino, "onnxruntime": facts.onnxruntime}
    readings = [
        (name, graph, f"{reading.accuracy:.4f}", f"{reading.auc:.4f}", f"{reading.milliseconds:.2f}")
        for name, cost in engines.items()
        for graph, reading in (("float32", cost.before), ("int8", cost.after))
    ]
    changes = [
        (
            name,
            f"{cost.largest_logit:.3f}",
            f"{cost.mean_logit:.3f}",
            f"{cost.same_outcome:.1%}",
            f"{cost.map_correlation:.3f}",
        )
        for name, cost in engines.items()
    ]
    console = stdout()
    console.print(table_of(("engine", "graph"), ("accuracy", "AUC", "ms a picture"), readings))
    console.print(
        table_of(("change",), ("logit, largest", "logit, mean", "outcomes kept", "maps correlate"), changes)
    )
    console.print(
        f"{facts.n_real:,} real and {facts.n_fake:,} fake validation pictures of {facts.n_groups:,} groups; graph of "
        f"{facts.bytes_after:,} bytes instead of {facts.bytes_before:,}"
    )
    console.print(f"written: {printable(str(made.path))}")
