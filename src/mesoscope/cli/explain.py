"""`mesoscope explain`: what the network saw, as a document, pictures and annotated videos."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesoscope.bundle import DEFAULT_BUNDLE
from mesoscope.cli import exits
from mesoscope.cli.console import counting, remark, warn
from mesoscope.cli.explain_outputs import Look, open_outputs
from mesoscope.engine import DEFAULT_ENGINE, engines
from mesoscope.errors import ExtraMissing, UsageError
from mesoscope.faces import DEFAULT_FINDER, FINDER_NAMES
from mesoscope.types import Outcome

if TYPE_CHECKING:
    from mesoscope.api import Detector
    from mesoscope.explain.findings import Truth
    from mesoscope.explain.methods import Subject

WHAT = "What is explained"
HOW = "How"
DEFAULT_CHANNELS = 16
DEFAULT_CONTROLS = 19
EXPLAIN_HELP = """
Show what the network saw: maps tested for faithfulness, feature maps of every convolution, videos frame by frame.

A page a picture: score and outcome, what the network was shown, the map with its range and floor, deletion and
insertion against random maps, a check against networks with random weights, the feature maps of every convolution
layer, the last hidden layer. A map that is no better than chance says so on the figure.

What needs the network itself (feature maps, all methods but graph-map and occlusion) comes with the extra
[bold]train[/]; without it the document says what is missing.

[bold]Examples[/]

  mesoscope explain photo.jpg --out why.pdf

  mesoscope explain crops/ --faces none --bundle mesonet-meso4-df --manifest m.parquet --colours jet --out study.pdf

  mesoscope explain photo.jpg --method grad-cam --method occlusion --layer conv3 --out why.html

  mesoscope explain real.mp4 --beside fake.mp4 --out shown/

[bold]Methods[/]

  graph-map, occlusion; with the extra train: grad-cam, grad-cam++, hires-cam, integrated-gradients, attention
"""


class Colouring(StrEnum):
    """Colours of maps."""

    diverging = "diverging"
    jet = "jet"


def explain(  # noqa: PLR0917 - each parameter is a flag
    paths: Annotated[
        list[str], typer.Argument(help="Pictures, videos, folders (searched recursively).", metavar="PATH")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The document, .pdf or .html; or a folder, which gets both, the numbers as JSON lines, each picture "
            "with its map as PNG and each video annotated as MP4.",
            metavar="FILE|DIR",
        ),
    ],
    bundle: Annotated[
        str, typer.Option("--bundle", "-b", help="Name, name-version or directory of the bundle.")
    ] = DEFAULT_BUNDLE,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Labels of the pictures: then the document says right or wrong.", rich_help_panel=WHAT),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(
            help="A second video of the same footage, shown side by side with the one that is explained.",
            metavar="VIDEO",
            rich_help_panel=WHAT,
        ),
    ] = None,
    faces: Annotated[
        str,
        typer.Option(
            help=f"Face finder: {', '.join(FINDER_NAMES)} (none: the pictures already are face crops).",
            rich_help_panel=WHAT,
        ),
    ] = DEFAULT_FINDER,
    face_model: Annotated[
        Path | None,
        typer.Option(help="The finder's model file, where it needs one.", metavar="FILE", rich_help_panel=WHAT),
    ] = None,
    frames: Annotated[
        int | None, typer.Option(min=1, help="Frames sampled of a video (default 32).", rich_help_panel=WHAT)
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frames sampled a second, instead of --frames.", rich_help_panel=WHAT)
    ] = None,
    max_fpr: Annotated[
        float | None, typer.Option(help="Budget of false alarms, as in detect.", rich_help_panel=WHAT)
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="Repeatable; videos show the first one (default graph-map).", rich_help_panel=HOW),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(help="For methods made of a layer; by default that of the bundle's map.", rich_help_panel=HOW),
    ] = None,
    channels: Annotated[
        int, typer.Option(min=1, help="Channels of each layer that are shown at most.", rich_help_panel=HOW)
    ] = DEFAULT_CHANNELS,
    controls: Annotated[
        int,
        typer.Option(
            min=0,
            help="Random maps for the test of faithfulness; 0 leaves it out, fewer than 19 can prove nothing.",
            rich_help_panel=HOW,
        ),
    ] = DEFAULT_CONTROLS,
    colours: Annotated[
        Colouring,
        typer.Option(help="Of maps: one diverging scale, or jet, as studies show it.", rich_help_panel=HOW),
    ] = Colouring.diverging,
    inside: Annotated[
        bool,
        typer.Option(
            "--inside/--outside",
            help="Look inside the network (feature maps, last layer, sanity check), where that is installed.",
            rich_help_panel=HOW,
        ),
    ] = True,
    seed: Annotated[int, typer.Option(help="Of the random maps and weights.", rich_help_panel=HOW)] = 0,
    engine: Annotated[str, typer.Option(help=f"Inference engine: {', '.join(engines)}.", rich_help_panel=HOW)] = (
        DEFAULT_ENGINE
    ),
    threads: Annotated[int, typer.Option(min=0, help="Of the engine; 0 for all cores.", rich_help_panel=HOW)] = 0,
) -> None:
    """Show what the network saw."""
    from mesoscope.api import DEFAULT_FRAMES, Detector  # noqa: PLC0415 - --help must not wait for the engine
    from mesoscope.explain.examining import Examiner, Wanted  # noqa: PLC0415
    from mesoscope.explain.methods import GRAPH_MAP, find_method  # noqa: PLC0415
    from mesoscope.media import find_inputs  # noqa: PLC0415
    from mesoscope.pipeline.explaining import Explaining  # noqa: PLC0415
    from mesoscope.report.words import visible  # noqa: PLC0415

    if fps is not None and frames is not None:
        raise UsageError("give --frames or --fps, not both")
    if beside is not None and (len(paths) != 1 or Path(paths[0]).is_dir()):
        raise UsageError("--beside shows one video next to another: give exactly one PATH, a video")
    truths = _truths(manifest)
    methods = tuple(find_method(name) for name in dict.fromkeys(method or [GRAPH_MAP]))
    detector = Detector.load(
        bundle,
        faces=faces,
        face_model=face_model,
        engine=engine,
        threads=threads,
        max_fpr=max_fpr,
        frames=DEFAULT_FRAMES if frames is None else frames,
        fps=fps,
        keep_evidence=True,
    )
    for notice in detector.pipeline.asked.notices():
        warn(notice.message)
    subject, missing = _subject(detector, inside=inside)
    examiner = Examiner(subject, Wanted(methods, layer, controls, seed))
    explaining = Explaining(detector.pipeline, examiner, truths.of)
    look = Look(methods, tuple(missing), colours.value, channels, shlex.join(["mesoscope", *sys.argv[1:]]))
    unanswered = False
    with open_outputs(out, detector, look) as outputs, counting("files explained") as count:
        inputs = find_inputs(
            [*paths, *([] if beside is None else [beside])], limits=detector.pipeline.limits, without=outputs.folders
        )
        for explanation in explaining.run(inputs):
            outputs.add(explanation)
            result = explanation.result
            if result.outcome in (Outcome.ERROR, Outcome.NOT_APPLICABLE):
                unanswered = True
                warn(f"{visible(result.path)}: {result.error or 'no answer'}")
            count()
        if beside is not None:
            outputs.show_beside(examiner.first.floor)
    if manifest is not None and not truths.used:
        warn(f"none of these files is in {manifest}: nothing was labelled")
    remark(f"written: {outputs.written}")
    if unanswered:
        raise typer.Exit(exits.SOME_WITHOUT_ANSWER)


def _subject(detector: Detector, *, inside: bool) -> tuple[Subject, list[str]]:
    """What is explained, with the network inside where that can be had; and sentences about what cannot."""
    from mesoscope.explain.methods import Subject, with_network  # noqa: PLC0415

    subject = Subject(detector.bundle, detector.pipeline.judge)
    if not inside:
        return subject, ["what is inside the network was not asked for (--outside)."]
    try:
        return with_network(subject), []
    except ExtraMissing as error:
        sentence = f"feature maps, the last hidden layer and the check against random weights: {error}."
        warn(sentence)
        return subject, [sentence]


class _Truths:
    """Labels of files, from a manifest."""

    def __init__(self, labels: dict[Path, Truth]) -> None:
        self._labels = labels
        self.used = False

    def of(self, path: str) -> Truth | None:
        """The label of an input; folder names are never asked."""
        found = self._labels.get(Path(path).resolve())
        self.used |= found is not None
        return found


def _truths(manifest: Path | None) -> _Truths:
    if manifest is None:
        return _Truths({})
    from mesoscope.manifest import read_manifest  # noqa: PLC0415

    table = read_manifest(manifest)
    pairs = zip(table.values("path"), table.values("label"), strict=True)
    return _Truths({table.file(path).resolve(): label for path, label in pairs})
