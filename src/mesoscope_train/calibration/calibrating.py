"""From a bundle and labelled pictures to its next version, which knows what its scores mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesoscope.bundle import Bundle
from mesoscope.engine import DEFAULT_ENGINE
from mesoscope.faces import FaceFinder
from mesoscope.manifest import Manifest
from mesoscope_train.calibration.budgets import Origin
from mesoscope_train.calibration.card import NOT_CALIBRATED, calibration_section, with_section
from mesoscope_train.calibration.choosing import Method
from mesoscope_train.calibration.deciding import Decided, decide
from mesoscope_train.calibration.judging import Judged, judge_rows
from mesoscope_train.calibration.rows import VALIDATION, Source, choosable
from mesoscope_train.publishing import next_version, write_copy

LIMITS = (
    "Probabilities and thresholds hold for pictures like those they were fitted on ({text}); on others the rates of "
    "errors are not the stated ones.",
    "The calibrated probability assumes as many fakes as reals; where fakes are rare, it is too high.",
)
_BEGINNINGS = (NOT_CALIBRATED, "Probabilities and thresholds hold", "The calibrated probability assumes")
"""Of the sentences among a bundle's limits that `LIMITS` replace."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        source: the manifest.
        parts: of it.
        method: of calibration, or ``auto``.
        finder: of faces; None where the pictures are what is judged.
        engine: that runs the graph.
        unseen: somebody vouches that the bundle was not trained on these rows.
        command: as typed, for the card.
    """

    source: Source
    parts: Sequence[str] = (VALIDATION,)
    method: Method = "auto"
    finder: FaceFinder | None = None
    engine: str = DEFAULT_ENGINE
    unseen: bool = False
    command: str = "mesoscope calibrate"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The new bundle, what was decided, and how the rows did."""

    bundle: Bundle
    decided: Decided
    judged: Judged

    @property
    def notes(self) -> list[str]:
        """What must be known, in sentences."""
        lost = [f"{count:,} of its rows ended as {outcome}" for outcome, count in self.judged.without.items()]
        reason = f" (the first: {self.judged.first_reason})" if self.judged.first_reason else ""
        return [*self.decided.notes, *([" and ".join(lost) + f" and took no part{reason}"] if lost else [])]


def calibrate(
    bundle: Bundle,
    request: Request,
    out: Path,
    *,
    version: str | None = None,
    overwrite: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Calibrated:
    """Write ``out/name-version``: the bundle with calibration, thresholds and band; the bundle itself stays as it is.

    Args:
        bundle: that is calibrated.
        request: on what, how.
        out: made where it is missing.
        version: None for the next one.
        overwrite: replace a bundle that is already there.
        step: called after each row that was judged.

    Raises:
        UsageError: the rows may not be used for it, or the place is taken.
        CalibrationError: the rows do not make a calibration.
    """
    rows = choosable(request.source, request.parts, bundle, unseen=request.unseen)
    judged = judge_rows(bundle, rows, request.source.digest, finder=request.finder, engine=request.engine, step=step)
    origin = Origin(_data(rows, request.parts), request.source.digest)
    decided = decide(judged.sample, origin, method=request.method, earlier=bundle.contract.calibration)
    version = version or next_version(bundle.contract.version)
    earlier = bundle.contract.identifier
    kept = [limit for limit in bundle.contract.limits if not limit.startswith(_BEGINNINGS)]
    section = calibration_section(decided, _origin(bundle, request, judged))
    changes = {
        "version": version,
        "calibration": decided.calibration.model_dump(),
        "thresholds": decided.thresholds.model_dump(),
        "band": decided.band.model_dump(),
        "limits": [*kept, *(limit.format(text=origin.text) for limit in LIMITS)],
    }
    card = with_section(
        bundle.card,
        section,
        identifier=f"{bundle.contract.name}-{version}",
        earlier=earlier,
        remark=f"What this card says elsewhere of probabilities, thresholds and rates is about `{earlier}`.",
    )
    return Calibrated(write_copy(bundle, out, changes, card, overwrite=overwrite), decided, judged)


def _data(rows: Manifest, parts: Sequence[str]) -> str:
    sets = ", ".join(sorted(set(rows.values("dataset"))))
    return f"{' and '.join(parts)} groups of {sets}, each group weighing the same"


def _origin(bundle: Bundle, request: Request, judged: Judged) -> str:
    lost = sum(judged.without.values())
    without = f" {lost:,} rows without a score took no part." if lost else ""
    vouched = (
        " That the bundle was not trained on these rows is its user's word (--unseen)." if request.unseen else ""
    )
    return (
        f"Fitted to `{bundle.contract.identifier}` on the {' and '.join(request.parts)} part of the manifest with "
        f"sha256 `{request.source.digest}`.{without}{vouched}\n\n    {request.command}"
    )
