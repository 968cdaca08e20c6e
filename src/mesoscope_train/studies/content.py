"""What a study's page says, as plain data: the HTML and the PDF are written from it."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mesoscope
from mesoscope.errors import MesoscopeError
from mesoscope_train.data.audit.findings import Audit
from mesoscope_train.studies.measured import Row, measure
from mesoscope_train.studies.plan import Exhibit, Inputs, Source, Step, Study
from mesoscope_train.studies.running import Record
from mesoscope_train.training.run import Run

STRIP = 6
"""So many pictures of a folder are shown side by side at most."""
TABLE_ROWS = 40


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head; `numbers` are the indices of the columns that are set as numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """An exhibit that is there: a picture's or a page's file, or the table read from it; of a strip all files."""

    exhibit: Exhibit
    path: Path
    table: Table | None
    strip: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """Something to know before the numbers; `level` is ``leak``, ``warning`` or ``note``."""

    level: str
    title: str
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A study with what came of it.

    Attributes:
        study: which.
        program: version of mesoscope.
        fast: a smoke test.
        boxes: warnings.
        claims: the study's, with ours.
        data: the sources, found or not.
        audits: name of the manifest and what its audit found.
        networks: a line a run, with counts.
        settings: name of the run, the settings that we chose, and all of them as YAML.
        shown: exhibits that are there.
        not_run: name, reason and command of what was not run.
        steps: name, state, seconds and command of all.
    """

    study: Study
    program: str
    fast: bool
    boxes: tuple[Box, ...]
    claims: tuple[Row, ...]
    data: Table
    audits: tuple[tuple[str, tuple[str, ...]], ...]
    networks: Table
    settings: tuple[tuple[str, str, str], ...]
    shown: tuple[Shown, ...]
    not_run: Table
    steps: Table


@dataclass(frozen=True, slots=True)
class Ran:
    """A study that was run.

    Attributes:
        study: which.
        inputs: what the user gave.
        steps: its plan.
        records: what became of each.
        missing: sources that are not there.
        out: the study's directory.
    """

    study: Study
    inputs: Inputs
    steps: Sequence[Step]
    records: Mapping[str, Record]
    missing: Sequence[Source]
    out: Path

    def there(self, step: Step) -> bool:
        """Whether what a step makes may be read."""
        return self.records[step.name].there


def page_of(ran: Ran) -> Page:
    """Collect what the steps left."""
    runs = [Run(ran.out / step.makes[-1]) for step in ran.steps if step.command[0] == "train" and ran.there(step)]
    return Page(
        study=ran.study,
        program=mesoscope.__version__,
        fast=ran.inputs.fast,
        boxes=tuple(_boxes(ran)),
        claims=tuple(measure(claim, ran.records, ran.out) for claim in ran.study.claims(ran.inputs)),
        data=_data(ran),
        audits=tuple(_audits(ran)),
        networks=_networks(runs),
        settings=tuple(_settings(run, ran.out) for run in runs),
        shown=tuple(_shown(ran)),
        not_run=_not_run(ran),
        steps=_steps(ran),
    )


def as_json(page: Page) -> str:
    """The claims with their answers, for programs and for the table over all studies."""
    rows = [
        {"what": row.claim.what, "claimed": row.claim.claimed, "value": row.value, "low": row.low, "high": row.high,
         "n": row.n, "n_groups": row.n_groups, "answer": row.answer, "why": row.claim.why}
        for row in page.claims
    ]  # fmt: skip
    facts = {"study": page.study.name, "number": page.study.number, "smoke_test": page.fast, "claims": rows}
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def _boxes(ran: Ran) -> list[Box]:
    boxes = []
    if ran.inputs.fast:
        boxes.append(
            Box("warning", "A smoke test", ("Few pictures, one epoch a stage: no number on this page is a result.",))
        )
    failed = [record for record in ran.records.values() if record.state == "failed"]
    if failed:
        title = "A step failed" if len(failed) == 1 else f"{len(failed)} steps failed"
        boxes.append(Box("leak", title, tuple(f"{record.step}: {record.reason}" for record in failed)))
    if ran.missing:
        boxes.append(Box("note", "Not at hand", tuple(f"{source.folder}: {source.about}" for source in ran.missing)))
    return boxes


def _data(ran: Ran) -> Table:
    rows = tuple(
        (source.folder, source.about, "used" if source.role in ran.inputs.found else "not at hand")
        for source in ran.study.sources
    )
    return Table(("folder", "what", ""), rows)


def _audits(ran: Ran) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    for step in ran.steps:
        if step.command[:2] != ("data", "audit") or not ran.there(step):
            continue
        try:
            audit = Audit.from_json((ran.out / step.makes[0]).read_text(encoding="utf-8"))
        except (OSError, MesoscopeError):
            continue
        told = [f"{finding.severity}: {finding.message}" for finding in (*audit.leaks(), *audit.warnings())]
        found.append((step.command[2].removesuffix(".parquet"), tuple(told) or ("no leak and no warning",)))
    return found


def _networks(runs: Sequence[Run]) -> Table:
    head = ("run", "detector", "parameters", "epochs", "validation loss", "accuracy", "AUC", "s/epoch", "images/s")
    rows = []
    for run in runs:
        recipe, result = run.recipe(), run.facts("result")
        rows.append(
            (
                run.path.name,
                recipe.model.detector,
                f"{result['parameters']:,}",
                str(result["epochs"]),
                f"{result['val_loss']:.4f}",
                f"{result['val_accuracy']:.4f}",
                f"{result['val_auc']:.4f}",
                f"{result['seconds_per_epoch']:.1f}",
                f"{result['images_per_second']:.0f}",
            )
        )
    return Table(head, tuple(rows), tuple(range(2, len(head))))


def _settings(run: Run, out: Path) -> tuple[str, str, str]:
    chosen = ", ".join(run.recipe().chosen) or "none"
    return str(run.path.relative_to(out)), chosen, run.recipe_file.read_text(encoding="utf-8")


def _shown(ran: Ran) -> list[Shown]:
    shown = []
    for exhibit in ran.study.exhibits(ran.inputs):
        path = ran.out / exhibit.file
        if not ran.records[exhibit.step].there:
            continue
        if exhibit.kind == "strip":
            files = sorted(ran.out.glob(exhibit.file))
            if files:
                some = files[:: -(-len(files) // STRIP)]
                shown.append(Shown(exhibit, path.parent, None, tuple(some)))
            continue
        if not path.exists():
            continue
        if exhibit.kind == "link" and path.is_dir():
            pages = sorted(path.glob("*.html"))
            path = pages[0] if pages else path
        shown.append(Shown(exhibit, path, _csv(path) if exhibit.kind == "table" else None))
    return shown


def _csv(path: Path) -> Table:
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = list(csv.reader(file)) or [[]]
    return Table(tuple(head), tuple(tuple(row) for row in rows[:TABLE_ROWS]))


def _not_run(ran: Ran) -> Table:
    rows = tuple(
        (step.name, ran.records[step.name].reason, command_of(step, ran.inputs))
        for step in ran.steps
        if not ran.there(step)
    )
    return Table(("step", "why", "command"), rows)


def _steps(ran: Ran) -> Table:
    rows = []
    for step in ran.steps:
        record = ran.records[step.name]
        state = f"{record.state}, {record.reason}" if record.there and record.reason else record.state
        rows.append((step.name, state, f"{record.seconds:,.0f}", command_of(step, ran.inputs)))
    return Table(("step", "state", "seconds", "command"), tuple(rows), (2,))


def command_of(step: Step, inputs: Inputs) -> str:
    """The command as one would type it, with the user's data directory as ``DATA``."""
    return shlex.join(("mesoscope", *step.command)).replace(str(inputs.data), "DATA")
