"""From a manifest with edited parts and some bundles to a page, a figure and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mesoscope.engine import Judge
from mesoscope.errors import UsageError
from mesoscope.faces import FaceFinder
from mesoscope.manifest import Manifest
from mesoscope.types import Float32Array
from mesoscope_train.data.audit.run import Stage, silent
from mesoscope_train.understanding.editing.content import page_of
from mesoscope_train.understanding.editing.evidence import (
    MASSES,
    Evidence,
    Faces,
    edited_parts,
    shares_of,
    weigh,
)
from mesoscope_train.understanding.page import prepare, write_json, write_page
from mesoscope_train.understanding.seen import Reader, Seen, chosen_rows
from mesoscope_train.understanding.subject import Subject, map_shape

NUMBERS = "editing.json"


@dataclass(frozen=True, slots=True)
class EditingOptions:
    """What is measured.

    Attributes:
        split: only this part; None for all.
        made: when, in words.
        command: that makes the page.
        source: the manifest's file, as it was named.
    """

    split: str | None = None
    made: str = ""
    command: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was found for one bundle.

    Attributes:
        name: of the bundle.
        sha256: of the bundle.
        layer: of its map.
        evidence: by `MASSES`.
        faces: how many were measured.
        fakes: of those.
        weak: of the fakes, how many have a map whose peak is below the bundle's floor.
        left_out: reason to number of rows.
    """

    name: str
    sha256: str
    layer: str
    evidence: dict[str, Evidence]
    faces: int
    fakes: int
    weak: int
    left_out: Counter[str]


def check(
    subjects: Sequence[Subject], manifest: Manifest, options: EditingOptions, out: Path
) -> npt.NDArray[np.int64]:
    """Whether it can be done, before the long work; the rows that will be looked at.

    Raises:
        UsageError: no bundle, one twice, one without a spatial map; the manifest names no edited parts or has no such
            split; or the directory cannot be written.
    """
    names = [subject.name for subject in subjects]
    if not names:
        raise UsageError("name at least one bundle with --bundle")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(f"the bundle {twice[0]} was named twice")
    rows = chosen_rows(manifest, options.split, None, 0)
    edited_parts(manifest.take(rows))
    for subject in subjects:
        map_shape(subject)
    prepare(out)
    return rows


def editing_evidence(
    subjects: Sequence[Subject],
    manifest: Manifest,
    finder: FaceFinder | None,
    out: Path,
    options: EditingOptions,
    *,
    progress: Stage = silent,
) -> tuple[Path, list[Answer]]:
    """Measure, and write the page.

    Args:
        subjects: whose maps.
        manifest: with the columns of `mesoscope_train.understanding.editing.evidence.COLUMNS`.
        finder: gives landmarks of faces for which the manifest has none.
        out: directory of ``index.html``, ``figures/`` and ``editing.json``.
        options: what is measured.
        progress: shows how far the work is.

    Returns:
        the page, and an answer for each bundle.

    Raises:
        UsageError: see `check`; or no face has landmarks.
    """
    rows = check(subjects, manifest, options, out)
    answers = []
    landmarks: dict[int, Float32Array | None] = {}
    for subject in subjects:
        with progress(f"looking at pictures with {subject.name}", len(rows)) as step:
            answers.append(_answer(subject, Reader(manifest, subject.spec, finder, landmarks), rows, step))
    page = page_of(answers, manifest, options)
    with progress("drawing figures", sum(len(section.charts) for section in page.sections)) as step:
        index = write_page(page, out, step)
    write_json(_numbers(answers, manifest, options), out / NUMBERS)
    return index, answers


def _answer(
    subject: Subject,
    reader: Reader,
    rows: npt.NDArray[np.int64],
    step: Any,  # noqa: ANN401 - a function that takes a number
) -> Answer:
    manifest = reader.manifest
    if not reader.has_landmarks:
        raise UsageError("edited parts are placed by landmarks: name a finder (--faces yunet)")
    judge = Judge.open(subject.bundle)
    left_out: Counter[str] = Counter()
    seen_rows: list[int] = []
    area, mass, peaks = [], [], []

    def leave_out(seen: Seen) -> None:
        left_out[seen.reason or "no input"] += 1
        step(1)

    for read in reader.batches(rows, leave_out):
        batch = [seen for seen in read if seen.landmarks is not None]
        left_out["no landmarks were found"] += len(read) - len(batch)
        step(len(read))
        if not batch:
            continue
        _, maps = judge(np.stack([seen.input for seen in batch if seen.input is not None]))
        found = shares_of(torch.from_numpy(maps), [seen.landmarks for seen in batch if seen.landmarks is not None])
        area.append(found[0])
        mass.append(found[1])
        peaks.append(np.abs(maps).max((1, 2)))
        seen_rows += [seen.row for seen in batch]
    if not seen_rows:
        raise UsageError(f"no landmarks were found in any of {len(rows):,} pictures; are they faces?")
    mine = np.array(seen_rows)
    faces = Faces(
        fake=np.array(manifest.values("label"))[mine] == "fake",
        edited=edited_parts(manifest)[mine],
        group=manifest.codes("group")[0][mine],
        area=np.concatenate(area),
        mass=np.concatenate(mass),
        weak=np.concatenate(peaks) < subject.bundle.contract.explanation.floor,
    )
    return Answer(
        subject.name,
        subject.bundle.sha256,
        subject.map_layer,
        {kind: weigh(faces, number) for number, kind in enumerate(MASSES)},
        len(mine),
        int(faces.fake.sum()),
        int((faces.weak & faces.fake).sum()),
        +left_out,
    )


def _numbers(answers: Sequence[Answer], manifest: Manifest, options: EditingOptions) -> dict[str, Any]:
    return {
        "schema": 1,
        "manifest_sha256": manifest.digest(),
        "split": options.split,
        "command": options.command,
        "bundles": [
            {
                "bundle": answer.name,
                "bundle_sha256": answer.sha256,
                "map_layer": answer.layer,
                "faces": answer.faces,
                "fakes": answer.fakes,
                "fakes_with_peak_below_floor": answer.weak,
                "left_out": dict(answer.left_out),
                "mass": {kind: _evidence(evidence) for kind, evidence in answer.evidence.items()},
            }
            for answer in answers
        ],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    names = ("share", "area", "against_area", "against_unedited", "against_real")
    return {
        "verdict": evidence.verdict[1],
        **{name: getattr(evidence, name).to_json() for name in names},
        "density": {
            part: dict(zip(("edited", "unedited", "real"), (number.to_json() for number in numbers), strict=True))
            for part, numbers in evidence.parts.items()
        },
        "faces_without_mass": evidence.without_mass,
    }
