"""``mesoscope understand means``: mean maps and feature maps over a data set."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

SHOWN = "What is shown"
FACES = "Faces"


def command(  # noqa: PLR0917 - each parameter is a flag
    bundle: Annotated[str, typer.Option(help="Bundle by name or path.", metavar="NAME")],
    manifest: Annotated[Path, typer.Option(help="Manifest of the pictures.", metavar="FILE")],
    out: Annotated[
        Path, typer.Option(help="Directory for index.html, figures/, means.json and means.npz.", metavar="DIR")
    ],
    split: Annotated[str | None, typer.Option(help="Only this part of the manifest.", metavar="NAME")] = None,
    by: Annotated[
        str,
        typer.Option(
            help="Means of what: label, outcome, columns of the manifest.", metavar="A,B", rich_help_panel=SHOWN
        ),
    ] = "label,outcome",
    layers: Annotated[
        str | None,
        typer.Option(
            help="Convolution layers, instead of all (of 12 spread over a deep network).",
            metavar="A,B",
            rich_help_panel=SHOWN,
        ),
    ] = None,
    channels: Annotated[
        int, typer.Option(help="Channels of a layer shown apart, the first ones.", metavar="N", rich_help_panel=SHOWN)
    ] = 16,
    maps_only: Annotated[
        bool,
        typer.Option("--maps-only", help="No feature maps; faster, by the runtime's engine.", rich_help_panel=SHOWN),
    ] = False,
    pictures: Annotated[
        int | None, typer.Option(help="At most so many, drawn by chance.", metavar="N", rich_help_panel=SHOWN)
    ] = None,
    align: Annotated[
        str, typer.Option(help="eyes: lay faces over each other by their eyes; none.", rich_help_panel=FACES)
    ] = "eyes",
    faces: Annotated[
        str | None,
        typer.Option(
            help="Finder that gives landmarks: yunet (the default, unless the manifest has landmarks).",
            rich_help_panel=FACES,
        ),
    ] = None,
    face_model: Annotated[
        Path | None,
        typer.Option(help="The finder's model file, if it was not pulled.", metavar="FILE", rich_help_panel=FACES),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw of --pictures.")] = 0,
    root: Annotated[
        Path | None, typer.Option(help="Where the files lie, if not where the manifest says.", metavar="DIR")
    ] = None,
) -> None:
    """Average maps and feature maps over a data set, per class, per outcome, per slice, on one page.

    Pictures stream through; memory does not grow with their number. Faces are laid over each other by
    their eyes (YuNet's landmarks). A difference of means comes with its standard error, in which all
    frames of a video count as one observation.

    [bold]Examples[/]

      mesoscope understand means --bundle mesoscope-face --manifest faces.parquet --out means/

      mesoscope understand means --bundle meso4/ --manifest faces.parquet --split test --by label,gender --out means/

      mesoscope understand means --bundle meso4/ --manifest million.parquet --maps-only --align none --out means/
    """
    from mesoscope.cli.console import remark, warn
    from mesoscope.errors import UsageError
    from mesoscope.manifest import read_manifest
    from mesoscope_train.commands.data_output import command_line, words
    from mesoscope_train.progress import progress
    from mesoscope_train.understanding.means import MeansOptions, check, mean_maps
    from mesoscope_train.understanding.seen import LANDMARKS, landmark_finder
    from mesoscope_train.understanding.subject import open_subject

    if align not in ("eyes", "none"):
        raise UsageError(f"--align must be eyes or none, not {align!r}")
    if align == "none" and faces not in (None, "none"):
        raise UsageError("--align none needs no landmarks; leave out --faces")
    options = MeansOptions(
        by=words(by),
        split=split,
        pictures=pictures,
        layers=words(layers or ""),
        channels=channels,
        maps_only=maps_only,
        align=align == "eyes",
        seed=seed,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        command=command_line(seed),
        source=str(manifest),
    )
    found = read_manifest(manifest, root=root)
    known = "none" if align == "none" or (faces is None and LANDMARKS in found) else "yunet"
    finder = landmark_finder(faces or known, face_model)
    subject = open_subject(bundle)
    check(subject, found, options, out)
    page, gathered = mean_maps(subject, found, finder, out, options, progress=progress)
    if not gathered.aligned:
        warn("faces were not aligned: means blur over where faces lie in the pictures")
    for reason, count in gathered.left_out.most_common():
        warn(f"{count:,} left out: {reason}")
    read = len(gathered.rows) + sum(gathered.left_out.values())
    remark(f"{read:,} pictures in {gathered.seconds:.1f} s: {read / max(gathered.seconds, 1e-9):.0f} a second")
    typer.echo(page)
