"""The whole evaluation: checked, scored piece by piece, measured, drawn, written; and entered in the registers.

DIR/metrics.json  scores.parquet  index.html  figures/  tables/  cards/  register.jsonl
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

import mesoscope
from mesoscope.atomic import make_directory
from mesoscope.bundle import BundleContract
from mesoscope.pipeline import Sampling
from mesoscope_train.data.audit.run import Stage, silent
from mesoscope_train.evaluation.honesty import Remark, enter, entries_of, looked_at, pass_gate, register_cautions
from mesoscope_train.evaluation.inputs import Inputs, Request, open_bundles, prepare
from mesoscope_train.evaluation.metrics_schema import Metrics, Settings
from mesoscope_train.evaluation.pieces import SCORES_FILE, Pieces, evaluation_in
from mesoscope_train.evaluation.register import refuse_again
from mesoscope_train.evaluation.scores import ScoresFacts, read_scores, score_schema
from mesoscope_train.evaluation.scoring import Part, Scorer
from mesoscope_train.evaluation.slices import refuse_unknown
from mesoscope_train.evaluation.statement import write_statements


def _quiet(_sentence: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an evaluation.

    Attributes:
        metrics: as ``metrics.json`` says them.
        out: the folder.
        failed: pictures that ended as ``error`` with at least one bundle at one tier.
        pictures: judged, over all manifests.
        parts: manifest to the part of it that was judged.
    """

    metrics: Metrics
    out: Path
    failed: int
    pictures: int
    parts: dict[str, str]


def evaluate(
    request: Request,
    settings: Settings,
    command: str,
    *,
    workers: int = 1,
    progress: Stage = silent,
    remark: Remark = _quiet,
) -> Result:
    """Judge, measure and write; go on where an earlier call with the same request was killed.

    Args:
        request: what to judge by what.
        settings: of the measuring.
        command: as typed, for provenance.
        workers: processes that compare pictures with those a bundle was trained on.
        progress: shows how far it is.
        remark: is told what should be known.

    Raises:
        UsageError: the request cannot be met, a test part was looked at before, or the folder cannot be written.
        LeakError: a bundle was trained on what it would be judged by.
        MesoscopeError: a bundle cannot be opened.
    """
    inputs = prepare(request)
    schema = score_schema([one.judged.rows.table.schema for one in inputs.wanted])
    refuse_unknown(settings.slices, schema.names)
    wanted_settings = inputs.settings(request)
    found = evaluation_in(request.out)
    going_on = found is not None and found.settings == wanted_settings and not found.finished
    date = datetime.now(UTC).isoformat(timespec="seconds")
    entries = entries_of(inputs, request, found.id if found and going_on else "new", date)
    again = looked_at(request, entries)
    if not request.again:
        refuse_again(again)
    make_directory(request.out)
    cautions = [
        *pass_gate(inputs, request, workers, progress, remark),
        *register_cautions(again, entries, request.out),
    ]
    with Pieces(request.out, wanted_settings, command, anew=request.again and not going_on) as pieces:
        if not pieces.scored:
            evaluation = pieces.evaluation
            facts = ScoresFacts(
                mesoscope=mesoscope.__version__,
                command=evaluation.command,
                date=evaluation.begun,
                max_fpr=request.max_fpr,
                tiers=[tier.facts for tier in inputs.tiers],
                parts={one.judged.name: one.part for one in inputs.wanted},
                faces={one.judged.name: one.faces for one in inputs.wanted},
                again=sorted({entry.manifest for entry, _ in again}),
                cautions=cautions,
                histories={one.judged.name: list(one.judged.whole.history) for one in inputs.wanted},
            )
            _score(inputs, request, pieces, schema=schema, facts=facts, progress=progress)
        own = [
            entry.model_copy(update={"id": pieces.evaluation.id, "date": pieces.evaluation.begun})
            for entry in entries
        ]
        enter(own, request.out, remark)
        contracts = {loaded.name: loaded.bundle.contract for loaded in inputs.bundles}
        result = write_all(request.out, settings, contracts, progress=progress)
        pieces.finish()
    return result


def recompute(scores: Path, out: Path, settings: Settings, *, progress: Stage = silent) -> Result:
    """Measure and draw anew from a ``scores.parquet``; nothing is judged.

    Raises:
        UsageError: the file is not that, or the folder cannot be written.
    """
    make_directory(out)
    return write_all(out, settings, {}, scores=scores, progress=progress)


def write_all(
    out: Path,
    settings: Settings,
    contracts: dict[str, BundleContract],
    *,
    scores: Path | None = None,
    progress: Stage = silent,
) -> Result:
    """From scores to numbers, figures, tables, page and statements.

    Args:
        out: the folder.
        settings: of the measuring.
        contracts: name-version to contract, as far as the bundles are at hand.
        scores: None for the folder's own.
        progress: shows how far it is.

    Raises:
        UsageError: the scores cannot be read, or the folder cannot be written.
    """
    from mesoscope_train.evaluation.figures import write_figures  # noqa: PLC0415 - matplotlib takes a second
    from mesoscope_train.evaluation.measuring import measure as numbers_of  # noqa: PLC0415
    from mesoscope_train.evaluation.page import write_page  # noqa: PLC0415
    from mesoscope_train.evaluation.tables import write_tables  # noqa: PLC0415

    read = read_scores(scores or out / SCORES_FILE)
    with progress("measuring", None) as step:
        metrics = numbers_of(read, settings, progress=lambda _what: step())
    metrics.write(out / "metrics.json")
    with progress("drawing", None):
        charts = write_figures(metrics, out / "figures")
        write_tables(metrics, out / "tables")
        write_statements(metrics, read.facts, out / "cards")
        write_page(metrics, charts, out / "index.html", contracts=contracts, histories=read.facts.histories)
    failed, pictures = _counted(read.table)
    return Result(metrics, out, failed, pictures, read.facts.parts)


def _counted(table: pa.Table) -> tuple[int, int]:
    """Pictures with an error, and all pictures."""
    pictures = table.select(["manifest", "path", "outcome"])
    failed = pictures.filter(pc.equal(pictures.column("outcome"), "error"))
    counts = [each.group_by(["manifest", "path"]).aggregate([]).num_rows for each in (failed, pictures)]
    return counts[0], counts[1]


def _score(
    inputs: Inputs, request: Request, pieces: Pieces, *, schema: pa.Schema, facts: ScoresFacts, progress: Stage
) -> None:
    """Judge what is not judged yet, and put all pieces together."""
    bundles = open_bundles(inputs.bundles, request.engine, request.threads)
    scorer = Scorer(bundles, inputs.tiers, Sampling(request.frames))
    parts = [
        Part(one.judged.name, one.judged.rows, one.judged.digest, inputs.finder_of(one)) for one in inputs.wanted
    ]
    with progress("judging pictures", sum(len(part.manifest) for part in parts)) as step:
        for part, name, start, stop in _pieces_of(parts, scorer.at_once):
            if pieces.has(name):
                step(stop - start)
            else:
                pieces.add(name, scorer.score(part, start, stop, schema, step))
    pieces.assemble((name for _, name, _, _ in _pieces_of(parts, scorer.at_once)), schema, facts)


def _pieces_of(parts: Sequence[Part], at_once: int) -> Iterator[tuple[Part, str, int, int]]:
    for number, part in enumerate(parts):
        for start in range(0, len(part.manifest), at_once):
            yield part, f"{number:03d}-{start:09d}", start, min(start + at_once, len(part.manifest))
