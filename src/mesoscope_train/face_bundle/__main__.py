"""The three steps: train, export, measure. See the package's docstring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesoscope_train.face_bundle.rows import as_csv, read_rows

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Data = Annotated[Path, typer.Option(help="Directory with dfdc-faces/ and mesonet-faces/.", metavar="DIR")]
Run = Annotated[Path, typer.Option(help="Directory of the run: manifest.csv and state.safetensors.", metavar="DIR")]


@app.callback()
def _steps() -> None:
    """Each step is a command of its own."""


@app.command()
def train(data: Data, run: Run, epochs: Annotated[int, typer.Option(min=1)] = 30) -> None:
    """Train on the training split for a fixed number of epochs; write manifest and weights into the run."""
    from safetensors.torch import save_file  # noqa: PLC0415 - torch takes seconds, --help must not wait

    from mesoscope_train.face_bundle.batches import Pictures  # noqa: PLC0415
    from mesoscope_train.face_bundle.training import Settings  # noqa: PLC0415
    from mesoscope_train.face_bundle.training import train as train_network  # noqa: PLC0415

    rows = read_rows(data)
    run.mkdir(parents=True, exist_ok=True)
    (run / "manifest.csv").write_text(as_csv(rows), encoding="utf-8")
    training = [row for row in rows if row.split == "train"]
    settings = Settings(epochs=epochs)
    typer.echo(settings)
    network = train_network(Pictures(data, training), training, settings)
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    save_file(state, run / "state.safetensors")
    typer.echo(f"wrote {run / 'state.safetensors'}")


@app.command()
def export(
    data: Data,
    run: Run,
    out: Annotated[Path, typer.Option(help="Will hold the bundle's directory.", metavar="DIR")],
) -> None:
    """Choose size, calibration and thresholds on the validation split, measure on the rest, write the bundle."""
    from mesoscope_train.face_bundle.exporting import export as export_run  # noqa: PLC0415

    typer.echo(f"wrote {export_run(data, run, out, typer.echo).path}")


@app.command()
def measure(
    data: Data,
    bundle: Annotated[str, typer.Option(help="Name or directory.")] = "mesoscope-face",
    only: Annotated[str, typer.Option(help="Only sets whose name begins so.")] = "",
) -> None:
    """Measure a bundle on the test groups and on data it never saw; print the card's table."""
    from mesoscope_train.face_bundle.measuring import as_markdown, data_sets  # noqa: PLC0415
    from mesoscope_train.face_bundle.measuring import measure as measure_sets  # noqa: PLC0415

    sets = [labelled for labelled in data_sets(data) if labelled.name.startswith(only)]
    typer.echo(as_markdown(measure_sets(bundle, sets, data)))


if __name__ == "__main__":
    app()
