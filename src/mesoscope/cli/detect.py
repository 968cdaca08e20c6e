"""`mesoscope detect`: the main job."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from mesoscope.bundle import DEFAULT_BUNDLE
from mesoscope.cli import exits
from mesoscope.cli.console import counting, remark, warn
from mesoscope.cli.formats import CsvPrinter, JsonLinesPrinter, JsonPrinter, Printer, TablePrinter
from mesoscope.engine import DEFAULT_ENGINE, engines
from mesoscope.errors import UsageError
from mesoscope.faces import DEFAULT_FINDER, FINDER_NAMES
from mesoscope.media import MediaLimits
from mesoscope.types import Detection, Outcome

if TYPE_CHECKING:
    from mesoscope.api import Detector

INPUTS = "Inputs"
JUDGING = "Judging"
OUTPUT = "Output"
SAID_LIMITS = 2
"""How many of a bundle's limits are said below a table; the first are the most important ones."""

EXAMPLES = """
Judge pictures, faces and videos: likely manipulated or generated, likely real, or inconclusive.

Every file ends with an outcome: [bold]fake[/], [bold]real[/], [bold]inconclusive[/] (the number is inside the
bundle's band), [bold]not_applicable[/] (no face, or too small a face) or [bold]error[/] (with the reason).
A probability is not proof; see "limits" in the report.

[bold]Examples[/]

  mesoscope detect photo.jpg

  mesoscope detect pictures/ clip.mp4 --report report.html

  mesoscope detect pictures/ --max-fpr 0.01 --jsonl > answers.jsonl

  mesoscope detect interview.mp4 --fps 2 --overlays annotated/

  curl … | mesoscope detect - --json

[bold]Exit codes[/]

  0  every file has an answer

  1  the program failed

  2  wrong usage

  3  some files ended as error or not_applicable, or the bundle was refused
"""


class _Sink(Protocol):
    """Takes detections one by one: a report, a folder of overlays."""

    def add(self, detection: Detection) -> object:
        """Take one."""


def detect(  # noqa: PLR0917 - each parameter is a flag
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, videos, folders (searched recursively), or - for standard input.", metavar="PATH"
        ),
    ],
    bundle: Annotated[
        str,
        typer.Option(
            "--bundle",
            "-b",
            help="Name, name-version or directory of the bundle that judges.",
            rich_help_panel=JUDGING,
        ),
    ] = DEFAULT_BUNDLE,
    faces: Annotated[
        str,
        typer.Option(
            help=f"Face finder: {', '.join(FINDER_NAMES)} (none: the pictures already are face crops).",
            rich_help_panel=JUDGING,
        ),
    ] = DEFAULT_FINDER,
    face_model: Annotated[
        Path | None,
        typer.Option(
            help="The finder's model file, where it needs one and it was not pulled.",
            metavar="FILE",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    max_fpr: Annotated[
        float | None,
        typer.Option(
            help="Budget of false alarms: 0.01 is one in a hundred of real faces like those it was calibrated on.",
            rich_help_panel=JUDGING,
        ),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1, help="Frames sampled of a video, evenly over its length (default 32).", rich_help_panel=JUDGING
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames sampled a second, instead of --frames.", rich_help_panel=JUDGING)
    ] = None,
    engine: Annotated[
        str, typer.Option(help=f"Inference engine: {', '.join(engines)}.", rich_help_panel=JUDGING)
    ] = DEFAULT_ENGINE,
    threads: Annotated[
        int, typer.Option(min=0, help="Threads of the engine; 0 for all cores.", rich_help_panel=JUDGING)
    ] = 0,
    max_pixels: Annotated[
        int | None, typer.Option(min=1, help="Larger pictures and frames end as error.", rich_help_panel=INPUTS)
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(min=1, help="Larger files end as error.", rich_help_panel=INPUTS)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.", rich_help_panel=OUTPUT)] = False,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print one JSON object a line, as they come.", rich_help_panel=OUTPUT)
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print comma-separated values, a row a file.", rich_help_panel=OUTPUT)
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            help="Write a report with pictures, maps, limits: .html (one self-contained file) or .pdf; repeatable.",
            metavar="FILE",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overlays: Annotated[
        Path | None,
        typer.Option(
            help="Write each picture with boxes and map as PNG, each video as annotated MP4.",
            metavar="DIR",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Judge pictures, faces and videos."""
    from mesoscope.api import DEFAULT_FRAMES, Detector  # noqa: PLC0415 - --help must not wait for the engine

    printer = _printer(as_json=as_json, as_jsonl=as_jsonl, as_csv=as_csv)
    if fps is not None and frames is not None:
        raise UsageError("give --frames or --fps, not both")
    detector = Detector.load(
        bundle,
        faces=faces,
        face_model=face_model,
        engine=engine,
        threads=threads,
        max_fpr=max_fpr,
        frames=DEFAULT_FRAMES if frames is None else frames,
        fps=fps,
        limits=_limits(max_pixels, max_bytes),
        keep_evidence=bool(report) or overlays is not None,
    )
    for notice in detector.pipeline.asked.notices():
        warn(notice.message)
    unanswered = False
    with _sinks(detector, report or [], overlays) as sinks, counting("files judged") as count:
        printer.start()
        for detection in detector.stream(paths, without=[overlays] if overlays else []):
            printer.add(detection.result)
            for sink in sinks:
                sink.add(detection)
            unanswered |= detection.result.outcome in (Outcome.ERROR, Outcome.NOT_APPLICABLE)
            count()
        printer.end()
    if isinstance(printer, TablePrinter):
        _say_limits(detector)
    if unanswered:
        raise typer.Exit(exits.SOME_WITHOUT_ANSWER)


def _say_limits(detector: Detector) -> None:
    """What a person must know of the bundle beside its answers; programs find it in the bundle."""
    contract = detector.bundle.contract
    remark(f"What {contract.identifier} can and cannot say:")
    for limit in contract.limits[:SAID_LIMITS]:
        remark(f"- {limit}")
    remark(f"All of it: mesoscope bundle show {contract.name}")


def _limits(max_pixels: int | None, max_bytes: int | None) -> MediaLimits:
    limits = MediaLimits()
    if max_pixels is not None:
        limits = replace(limits, max_pixels=max_pixels)
    if max_bytes is not None:
        # asked for by name, so it holds for pictures too
        limits = replace(limits, max_bytes=max_bytes, max_picture_bytes=max_bytes)
    return limits


def _printer(*, as_json: bool, as_jsonl: bool, as_csv: bool) -> Printer:
    if as_json + as_jsonl + as_csv > 1:
        raise UsageError("choose one of --json, --jsonl and --csv")
    if as_json:
        return JsonPrinter()
    if as_jsonl:
        return JsonLinesPrinter()
    return CsvPrinter() if as_csv else TablePrinter()


@contextmanager
def _sinks(detector: Detector, reports: list[Path], overlays: Path | None) -> Iterator[list[_Sink]]:
    """Open what was asked for; on an exception what is unfinished is removed, otherwise it is completed."""
    if not reports and overlays is None:
        yield []  # the report package is not even imported
        return
    from mesoscope.report import OverlayWriter, open_report  # noqa: PLC0415

    command = shlex.join(["mesoscope", *sys.argv[1:]])
    with ExitStack() as stack:
        sinks: list[_Sink] = [
            stack.enter_context(open_report(path, detector.bundle, command, detector.verdict)) for path in reports
        ]
        if overlays is not None:
            floor = detector.bundle.contract.explanation.floor
            sinks.append(OverlayWriter(overlays, floor, limits=detector.pipeline.limits, warn=warn))
        yield sinks
