"""``mesoscope understand editing``: how much of a map lies on parts that are known to be edited."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

FACES = "Faces"


def command(  # noqa: PLR0917 - each parameter is a flag
    bundle: Annotated[list[str], typer.Option(help="Bundle by name or path; can be repeated.", metavar="NAME")],
    manifest: Annotated[
        Path,
        typer.Option(
            help="Manifest with edited_left_eye, edited_right_eye, edited_nose, edited_mouth.", metavar="FILE"
        ),
    ],
    out: Annotated[Path, typer.Option(help="Directory for index.html, figures/ and editing.json.", metavar="DIR")],
    split: Annotated[str | None, typer.Option(help="Only this part of the manifest.", metavar="NAME")] = None,
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
    root: Annotated[
        Path | None, typer.Option(help="Where the files lie, if not where the manifest says.", metavar="DIR")
    ] = None,
) -> None:
    """Measure whether a bundle's maps find edits: how much of a map lies on the edited parts of faces.

    Against chance twice: against the area of the parts, and against the same parts of faces in which
    they were not edited. One number with interval for each bundle, and a plain sentence.

    [bold]Examples[/]

      mesoscope understand editing --bundle mesoscope-face --manifest ciplab.parquet --out editing/

      mesoscope understand editing --bundle meso4/ --bundle mine/ --manifest ciplab.parquet --out editing/
    """
    from mesoscope.cli.console import warn
    from mesoscope.manifest import read_manifest
    from mesoscope_train.commands.data_output import command_line
    from mesoscope_train.progress import progress
    from mesoscope_train.understanding.editing import EditingOptions, check, editing_evidence
    from mesoscope_train.understanding.seen import LANDMARKS, landmark_finder
    from mesoscope_train.understanding.subject import open_subject

    options = EditingOptions(
        split=split,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        command=command_line(),
        source=str(manifest),
    )
    found = read_manifest(manifest, root=root)
    finder = landmark_finder(faces or ("none" if LANDMARKS in found else "yunet"), face_model)
    subjects = [open_subject(name) for name in bundle]
    check(subjects, found, options, out)
    page, answers = editing_evidence(subjects, found, finder, out, options, progress=progress)
    for reason, count in answers[0].left_out.most_common():
        warn(f"{count:,} left out: {reason}")
    for answer in answers:
        evidence = answer.evidence["for fake"]
        typer.echo(f"{answer.name}: {evidence.against_unedited.words(3)} over other fakes. {evidence.verdict[1]}")
    typer.echo(page)
