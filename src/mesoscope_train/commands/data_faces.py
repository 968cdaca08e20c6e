"""``mesoscope data faces``: videos and pictures into face crops with a manifest of their own."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mesoscope.cli.console import remark, stdout, warn
from mesoscope.errors import MesoscopeError, UsageError
from mesoscope.faces import DEFAULT_FINDER, FINDER_NAMES

if TYPE_CHECKING:
    from rich.table import Table

    from mesoscope_train.data.crops.options import CropOptions
    from mesoscope_train.data.crops.running import Cut
    from mesoscope_train.data.crops.summary import Summary, Tally

SOURCES = "Sources"
FACES = "Faces"
CROPS = "Crops"
FIRST = "first"
NATIVE = "native"
DEFAULT_QUALITY = 95


def command(  # noqa: PLR0917 - each parameter is a flag
    manifest: Annotated[Path, typer.Argument(help="Manifest whose rows are videos or pictures.", metavar="MANIFEST")],
    out: Annotated[
        Path,
        typer.Option(help="Directory for crops/, faces.parquet, left-out.csv and journal.jsonl.", metavar="DIR"),
    ],
    root: Annotated[
        Path | None,
        typer.Option(help="Where the sources lie, if not where the manifest says.", rich_help_panel=SOURCES),
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(
            help="Frames of a video: first, or a number, taken evenly over its length. (default first)",
            metavar="first|N",
            rich_help_panel=SOURCES,
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second, instead of --frames.", rich_help_panel=SOURCES)
    ] = None,
    finder: Annotated[
        str,
        typer.Option(
            help=f"Face finder: {', '.join(FINDER_NAMES)} (none keeps whole frames).", rich_help_panel=FACES
        ),
    ] = DEFAULT_FINDER,
    face_model: Annotated[
        Path | None,
        typer.Option(
            help="The finder's model file, where it needs one and it was not pulled.",
            metavar="FILE",
            rich_help_panel=FACES,
        ),
    ] = None,
    faces: Annotated[
        str,
        typer.Option(
            help="one: frames with exactly one face, the others are left out and counted; all: every face.",
            metavar="one|all",
            rich_help_panel=FACES,
        ),
    ] = "one",
    min_face: Annotated[
        int,
        typer.Option(help="Faces that are narrower or lower are left out.", metavar="PX", rich_help_panel=FACES),
    ] = 1,
    margin: Annotated[
        float,
        typer.Option(
            help="How much wider than the face's box the square crop is (0.3: 30 % wider), as in a bundle.",
            rich_help_panel=CROPS,
        ),
    ] = 0.3,
    size: Annotated[
        str,
        typer.Option(
            help="Side in pixels the crops are resized to; native leaves them as cut.",
            metavar="PX|native",
            rich_help_panel=CROPS,
        ),
    ] = "224",
    quality: Annotated[
        int | None,
        typer.Option(help=f"Of the JPEG files (default {DEFAULT_QUALITY})", rich_help_panel=CROPS),
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="PNG instead of JPEG.", rich_help_panel=CROPS)] = False,
    workers: Annotated[int | None, typer.Option(help="Processes. (default one a core)", metavar="N")] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try again what could not be read in an earlier run.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Cut faces out of a manifest's videos and pictures.

    Writes the crops, a manifest of them that keeps every column of the source's row, and a list of what was left out.
    The same command again goes on where it was interrupted; crops of different settings are never mixed. The crops
    are what `detect` looks at for a bundle of the same margin.

    [bold]Examples[/]

      mesoscope data faces videos.parquet --out faces/

      mesoscope data faces videos.parquet --out faces/ --frames 10 --faces all --min-face 48

      mesoscope data faces videos.parquet --out faces/ --fps 1 --size native --png --workers 8

      mesoscope data faces pictures.parquet --out faces/ --finder yunet --margin 0
    """
    from mesoscope.manifest import read_manifest
    from mesoscope_train.data.crops.finishing import MANIFEST_NAME
    from mesoscope_train.data.crops.options import CropOptions
    from mesoscope_train.data.crops.running import cut_faces

    if png and quality is not None:
        raise UsageError("PNG files have no quality; leave out --quality or --png")
    if frames is not None and fps is not None:
        raise UsageError("choose one of --frames and --fps")
    if manifest.resolve() == (out / MANIFEST_NAME).resolve():
        raise UsageError(f"{manifest} would be overwritten by the manifest of its own crops; choose another --out")
    options = CropOptions(
        finder=finder,
        face_model=face_model,
        frames=_number("--frames", frames, FIRST),
        fps=fps,
        faces=faces,
        margin=margin,
        size=_number("--size", size, NATIVE),
        quality=None if png else DEFAULT_QUALITY if quality is None else quality,
        min_face=min_face,
    )
    cut = cut_faces(
        read_manifest(manifest, root=root),
        out,
        options,
        workers=_cores() if workers is None else workers,
        retry=retry,
        command=shlex.join(["mesoscope", *sys.argv[1:]]),
        watched=_watched,
    )
    if as_json:
        print_json(cut, options)
        return
    print_tables(cut)
    if cut.resumed:
        remark(f"{cut.resumed:,} source files had been done by an earlier run")


def _number(flag: str, text: str | None, word: str) -> int | None:
    """A whole number; None for the word that is allowed instead, or where nothing was said."""
    if text is None or text == word:
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{flag} must be '{word}' or a whole number, not '{text}'") from None


def _cores() -> int:
    """Those this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _watched(done: int, waiting: int) -> Iterator[Callable[[], None]]:
    """A bar, and where the work breaks off a sentence that says how it goes on."""
    from mesoscope_train.progress import progress

    finished = done
    try:
        with progress("cutting faces", waiting) as bar:

            def step() -> None:
                nonlocal finished
                finished += 1
                bar()

            yield step
    except (KeyboardInterrupt, SystemExit, MesoscopeError):
        warn(f"{finished:,} of {done + waiting:,} source files are done; the same command goes on from there")
        raise


def print_json(cut: Cut, options: CropOptions) -> None:
    """The counts, settings and files of a run as one JSON object on stdout."""
    answer: dict[str, Any] = {
        "manifest": str(cut.file),
        "left_out": str(cut.left_out),
        "rows": len(cut.manifest),
        "resumed": cut.resumed,
        "settings": {name.lstrip("-").replace("-", "_"): value for name, value in options.settings().items()},
        **cut.summary.to_json(),
    }
    sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")


def print_tables(cut: Cut) -> None:
    """The counts as tables on stdout, what they mean on stderr."""
    console = stdout()
    console.print(_counts(cut.summary))
    reasons = _reasons(cut.summary)
    if reasons.row_count:
        console.print()
        console.print(reasons)
    console.print()
    console.print(f"{len(cut.manifest):,} {'crop' if len(cut.manifest) == 1 else 'crops'}: {cut.file}")
    if reasons.row_count:
        console.print(f"what was left out: {cut.left_out}")
    for sentence in cut.summary.remarks:
        warn(sentence)


def _counts(summary: Summary) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("label")
    for heading in ("files", "left out", "frames", "left out", "crops"):
        table.add_column(heading, justify="right")
    for label, tally in _with_total(summary):
        table.add_row(
            label,
            f"{tally.files:,}",
            _share(tally.files_left_out, tally.files),
            f"{tally.frames:,}",
            _share(tally.frames_left_out, tally.frames),
            f"{tally.crops:,}",
        )
    return table


def _reasons(summary: Summary) -> Table:
    """Reasons for whole files, then for single frames and faces, where those are not the same thing."""
    from rich.table import Table

    tallies = _with_total(summary)
    table = Table("left out", "because", box=None, header_style="bold")
    for label, _ in tallies:
        table.add_column(label, justify="right")
    files = [tally.why for _, tally in tallies]
    frames = [tally.frame_reasons for _, tally in tallies]
    every_frame_was_a_file = not _all(frames) - _all(files)
    for what, counts in (("files", files), ("frames", [] if every_frame_was_a_file else frames)):
        for reason, _ in _all(counts).most_common():
            table.add_row(what, reason, *(f"{count[reason]:,}" for count in counts))
    return table


def _all(counts: list[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total


def _with_total(summary: Summary) -> list[tuple[str, Tally]]:
    rows = list(summary.labels.items())
    return [*rows, ("all", summary.total())] if len(rows) > 1 else rows


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.1%})" if whole else f"{part:,}"
