"""`mesoscope bundle`: list, show, verify, pull; import comes with the train extra."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from mesoscope.bundle import DEFAULT_BUNDLE, Bundle, find_bundle, installed_bundles, load_bundle, read_bundle
from mesoscope.cli import exits
from mesoscope.cli.console import fail, printable, stderr, stdout
from mesoscope.engine import Judge
from mesoscope.errors import BundleError, EngineError

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(
    help="Trained detectors: list, show, verify, import, export, pull.", no_args_is_help=True, rich_markup_mode="rich"
)


@app.command("list")
def list_() -> None:
    """List the installed bundles.

    [bold]Example[/]  mesoscope bundle list
    """
    from rich.table import Table  # noqa: PLC0415 - `detect` need not wait for it

    table = Table("bundle", "judges", "architecture", "calibrated", "trained on", box=None, header_style="bold")
    refused: list[str] = []
    for path in installed_bundles():
        try:
            contract = read_bundle(path).contract
        except BundleError as error:
            refused.append(str(error))
            continue
        table.add_row(
            contract.identifier,
            contract.judges,
            contract.architecture,
            "yes" if contract.calibration else "no",
            Text(", ".join(data.name for data in contract.training_data)),
        )
    stdout().print(table)
    for reason in refused:
        fail(reason)
    if refused:
        raise typer.Exit(exits.SOME_WITHOUT_ANSWER)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name, name-version or directory.")] = DEFAULT_BUNDLE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the contract (bundle.json) instead.")] = False,
) -> None:
    """Show what a bundle is, what it saw, how it does and where it ends.

    [bold]Examples[/]

      mesoscope bundle show

      mesoscope bundle show mesoscope-face --json
    """
    bundle = load_bundle(name)
    if as_json:
        sys.stdout.write(bundle.contract.model_dump_json(indent=2) + "\n")
        return
    console = stdout()
    console.print(_facts(bundle))
    from rich.markdown import Markdown  # noqa: PLC0415 - half a second that only this command pays

    console.print(Markdown(bundle.card), soft_wrap=False)


def _facts(bundle: Bundle) -> Table:
    from rich.table import Table  # noqa: PLC0415 - see list_

    contract = bundle.contract
    spec = contract.preprocess
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    rows = {
        "bundle": contract.identifier,
        "directory": str(bundle.path),
        "sha256": f"{bundle.sha256} (of bundle.json)",
        "judges": contract.judges,
        "architecture": contract.architecture,
        "input": f"{spec.size} x {spec.size} {spec.channel_order}, {spec.resize} resize, margin {spec.margin:g}, "
        f"faces from {spec.min_face} pixels",
        "calibration": contract.calibration.method if contract.calibration else "none (plain sigmoid, threshold 0.5)",
        "thresholds": _thresholds(bundle),
        "graph": _graph(bundle),
        "explanation": f"{contract.explanation.method} of {contract.explanation.layer}, floor "
        f"{contract.explanation.floor:.3g}",
        "licences": f"code {contract.licences.code}; weights {contract.licences.weights}; "
        f"data {contract.licences.data}",
    }
    for key, value in rows.items():
        table.add_row(key, Text(value))
    return table


def _thresholds(bundle: Bundle) -> str:
    thresholds, band = bundle.contract.thresholds, bundle.contract.band
    if thresholds is None or band is None:
        return "none"
    budgets = ", ".join(
        f"{budget.threshold:.3f} at --max-fpr {budget.max_fpr:g}"
        + (f" (with 95 % confidence at most {budget.upper_95:.3f})" if budget.upper_95 is not None else "")
        for budget in thresholds.budgets
    )
    return (
        f"fake from {thresholds.default:.3f} on, real below {band.lower:.3f}; {budgets}; chosen on "
        f"{thresholds.n_real_groups:,} groups of real and {thresholds.n_fake_groups:,} of fake pictures"
    )


def _graph(bundle: Bundle) -> str:
    facts = bundle.contract.quantisation
    if facts is None:
        return "float32"
    kept = min(facts.openvino.same_outcome, facts.onnxruntime.same_outcome)
    return f"int8 copy of {facts.source}: {kept:.1%} of the outcomes stay, {facts.bytes_after:,} bytes"


@app.command()
def verify(names: Annotated[list[str], typer.Argument(help="Names, name-versions or directories.")]) -> None:
    """Check bundles: the contract field by field, the sha256 of every file, and that the graph opens.

    [bold]Example[/]  mesoscope bundle verify mesoscope-face my-bundles/own-1
    """
    console = stdout()
    bad = False
    for name in names:
        try:
            path = find_bundle(name)
            bundle = read_bundle(path)
            Judge.open(bundle)
        except (BundleError, EngineError) as error:
            bad = True
            fail(str(error))
        else:
            console.print(Text.assemble(("ok  ", "green"), f"{bundle.contract.identifier}  {printable(str(path))}"))
    if bad:
        raise typer.Exit(exits.SOME_WITHOUT_ANSWER)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="What to fetch; for now: yunet.")],
    url: Annotated[
        str | None, typer.Option(help="Fetch from this address instead of the publisher's; the sha256 stays pinned.")
    ] = None,
) -> None:
    """Fetch a model from its publisher, checked by sha256, where `detect` finds it.

    This is the only command that uses the network.

    [bold]Example[/]  mesoscope bundle pull yunet && mesoscope detect photo.jpg --faces yunet
    """
    # urllib and rich.progress: a tenth of a second that only this command pays
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415

    from mesoscope.download import find_download, user_model_directory  # noqa: PLC0415
    from mesoscope.download import pull as fetch  # noqa: PLC0415

    with Progress(TextColumn(name), BarColumn(), DownloadColumn(), console=stderr(), transient=True) as progress:
        task = progress.add_task(name, total=None)
        path = fetch(
            name,
            user_model_directory(),
            url=url,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    wanted = find_download(name)
    stdout().print(printable(str(path)))
    stderr().print(f"{wanted.publisher}, {wanted.licence}, sha256 {wanted.sha256}")
