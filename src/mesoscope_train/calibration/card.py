"""What a bundle's card says of its calibration, and how that gets into a card that is there already."""

from __future__ import annotations

import re

from mesoscope.bundle import Band, Calibration, Isotonic, Thresholds
from mesoscope_train.calibration.choosing import Choice
from mesoscope_train.calibration.deciding import Decided
from mesoscope_train.calibration.fitting import AnyCalibration
from mesoscope_train.calibration.reliability import Reliability

HEADING = "## Calibration"
NOT_CALIBRATED = "Not calibrated"
"""How the sentence among a bundle's limits begins that must go once it is calibrated."""


def calibration_section(decided: Decided | str, origin: str = "") -> str:
    """Markdown from its heading on, with one newline at the end.

    Args:
        decided: what was decided, or why nothing could be.
        origin: a paragraph about where it came from; none where the rest of the card says it.
    """
    if isinstance(decided, str):
        return f"{HEADING}\n\n{NOT_CALIBRATED}: {decided}.\n"
    parts = [
        HEADING,
        origin,
        _method(decided.calibration, decided.choice),
        _rule(decided.thresholds, decided.band),
        _budgets(decided.thresholds),
        "The first share is an expectation, the second holds with 95 % confidence; both are about groups like those "
        "above, and about nothing else.",
        *decided.notes_as_sentences,
        _comparison(decided.before, decided.after),
        _bins(decided.after),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def with_section(card: str, section: str, *, identifier: str, earlier: str, remark: str = "") -> str:
    """A card with a section replaced, or put before its first section, and the new name in its title.

    Args:
        card: of the bundle that another is made of, Markdown.
        section: from its heading on; one with the same heading is replaced.
        identifier: name-version of the new bundle.
        earlier: name-version of the old one.
        remark: put after a section that replaces none.
    """
    lines = card.rstrip("\n").split("\n")
    lines[0] = lines[0].replace(earlier, identifier)
    starts = _headings(lines)
    new = section.rstrip("\n").split("\n")
    old = next((number for number in starts if lines[number] == new[0]), None)
    if old is not None:
        end = next((number for number in starts if number > old), len(lines))
        kept = [*lines[:old], *new, "", *lines[end:]]
    else:
        first = starts[0] if starts else len(lines)
        before = [*lines[:first], ""] if first == len(lines) else lines[:first]
        kept = [*before, *new, "", *([remark, ""] if remark else []), *lines[first:]]
    return "\n".join(kept).rstrip("\n") + "\n"


def _headings(lines: list[str]) -> list[int]:
    """Where sections begin; what is between fences is no heading."""
    found, fenced = [], False
    for number, line in enumerate(lines):
        fenced ^= line.startswith("```")
        if not fenced and number and re.match(r"##? ", line):
            found.append(number)
    return found


def described(calibration: AnyCalibration) -> str:
    """A calibration in words."""
    if isinstance(calibration, Isotonic):
        (first, _), (last, _) = calibration.knots[0], calibration.knots[-1]
        return f"isotonic with {len(calibration.knots)} knots, from logit {first:.3g} to {last:.3g}"
    return _line(calibration)


def _line(calibration: Calibration) -> str:
    if calibration.method == "temperature":
        return f"temperature {1 / calibration.slope:.4g} (slope {calibration.slope:.4g})"
    return f"Platt, slope {calibration.slope:.4g}, intercept {calibration.intercept:.4g}"


def _method(calibration: AnyCalibration, choice: Choice) -> str:
    rows = "\n".join(
        f"| {one.method} | {one.loss:.4f} | {one.worse:.4f} | {one.error:.4f} |" for one in choice.candidates
    )
    return (
        f"Method: {described(calibration)}; {choice.why}. The probability assumes as many fakes as reals.\n\n"
        "| method | log-loss, held-out groups | more than the best | standard error of that |\n|---|---|---|---|\n"
        f"{rows}"
    )


def _rule(thresholds: Thresholds, band: Band) -> str:
    return (
        f"Chosen on {thresholds.chosen_on}: {thresholds.n_real:,} real pictures of {thresholds.n_real_groups:,} "
        f"groups, {thresholds.n_fake:,} fake ones of {thresholds.n_fake_groups:,}. "
        f"**Fake** from {thresholds.default:.4f} on; **real** below {band.lower:.4f}, where at most "
        f"{band.max_missed:g} of such fakes are expected; between them **inconclusive**."
    )


def _budgets(thresholds: Thresholds) -> str:
    bounds = ["–" if budget.upper_95 is None else f"{budget.upper_95:.4f}" for budget in thresholds.budgets]
    rows = "\n".join(
        f"| {budget.max_fpr:g} | {budget.threshold:.4f} | {bound} |"
        for budget, bound in zip(thresholds.budgets, bounds, strict=True)
    )
    return (
        "| `--max-fpr`: share of reals called fake | fake from | with 95 % confidence at most |\n"
        f"|---|---|---|\n{rows}"
    )


def _comparison(before: Reliability, after: Reliability) -> str:
    return (
        "How far the probabilities were off before, and are now on groups that the fit had not seen:\n\n"
        "| | log-loss | Brier score | expected calibration error |\n|---|---|---|---|\n"
        f"| before | {before.log_loss:.4f} | {before.brier:.4f} | {before.ece:.4f} |\n"
        f"| after | {after.log_loss:.4f} | {after.brier:.4f} | {after.ece:.4f} |"
    )


def _bins(after: Reliability) -> str:
    rows = "\n".join(
        f"| {one.low:.1f}–{one.high:.1f} | {one.stated:.3f} | {one.found:.3f} | {one.weight:.3f} |"
        for one in after.bins
        if one.weight > 0
    )
    return f"| probability, after | mean | share of fakes | share of all |\n|---|---|---|---|\n{rows}"
