"""What reports say, in sentences. A wrong "fake" hurts a person: nothing here says more than was measured."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.types import FileResult, Outcome

OUTCOME_TITLES: dict[Outcome, str] = {
    Outcome.FAKE: "Likely manipulated or generated",
    Outcome.INCONCLUSIVE: "Inconclusive",
    Outcome.REAL: "Likely real",
    Outcome.NOT_APPLICABLE: "No answer",
    Outcome.ERROR: "Error",
}
OUTCOME_MEANINGS: dict[Outcome, str] = {
    Outcome.FAKE: "the score is at or above the threshold",
    Outcome.INCONCLUSIVE: "the score is too near the threshold for an answer",
    Outcome.REAL: "the detector found no sign of the manipulations it knows",
    Outcome.NOT_APPLICABLE: "there was nothing this detector can judge",
    Outcome.ERROR: "the file could not be read or judged",
}
GENERAL_LIMITS = (
    "A score is a measurement, not proof. Say “likely manipulated”, never “is fake”, and look for a second, "
    "independent source before anything is published about a person.",
    "The detector knows the kinds of manipulation it was trained on (see the card below). A manipulation of another "
    "kind can pass as real: “likely real” means that no sign was found, not that the picture is authentic.",
    "Re-encoding, resizing, screenshots and the compression of messengers and social networks move scores, in both "
    "directions. Judge the earliest and largest copy that can be had.",
    "The map shows where the network’s score came from: warm with a solid outline speaks for fake, cool with a "
    "dotted outline for real. It does not show which pixels were changed, and hair, clothes or background inside the "
    "judged square can carry a score as well as the face.",
    "Where a map’s peak is below the bundle’s floor, the report says so and draws the map faintly: then the score "
    "rests on no particular place.",
    "The pictures in this report are reduced copies for reading. The sha256 belongs to the original file; keep it.",
)


def visible(text: str) -> str:
    r"""Text from outside with everything that could hide or reorder it written out, as ``\u{202e}``.

    Control and format characters (line breaks, direction overrides), surrogates of undecodable names and
    unassigned code points are escaped; letters of all scripts and emoji (with their joiners) stay.
    """
    return "".join(
        char if char in "\u200d\u200c" or not unicodedata.category(char).startswith("C") else f"\\u{{{ord(char):x}}}"
        for char in text
    )


def apart(number: float, *others: float) -> str:
    """A number in [0, 1] with two digits, or as many more (up to six) as keep it apart from the others."""
    for digits in range(2, 6):
        text = f"{number:.{digits}f}"
        if all(number == other or text != f"{other:.{digits}f}" for other in others):
            return text
    return f"{number:.6f}"


def answer(result: FileResult, verdict: Verdict) -> str:
    """One file's outcome as a sentence that says why."""
    title = OUTCOME_TITLES[result.outcome]
    if result.probability is None:
        return f"{title}: {_sentence(visible(result.error or 'no reason was given'))}"
    return f"{title}: {_reason(result.outcome, _who(result), result.probability, verdict)}"


def part_answer(title: str, outcome: Outcome, probability: float | None, reason: str | None, verdict: Verdict) -> str:
    """One face's or track's outcome as a sentence; `title` names it."""
    word = OUTCOME_TITLES[outcome]
    if probability is None:
        return f"{word}: {_sentence(visible(reason or 'no reason was given'))}"
    return f"{word}: {_reason(outcome, title, probability, verdict)}"


def _reason(outcome: Outcome, who: str, probability: float, verdict: Verdict) -> str:
    score = apart(probability, verdict.threshold, verdict.lower)
    threshold = apart(verdict.threshold, probability, verdict.lower)
    lower = apart(verdict.lower, probability, verdict.threshold)
    if outcome is Outcome.FAKE:
        relation = "exactly at" if probability == verdict.threshold else "above"
        return f"{who} scores {score}, {relation} the threshold {threshold}."
    if outcome is Outcome.INCONCLUSIVE:
        return (
            f"{who} scores {score}, between {lower} and the threshold {threshold}, where this detector is not sure "
            "enough for an answer."
        )
    edge = f"the threshold {threshold}" if verdict.lower == verdict.threshold else f"{lower}, where doubt begins"
    return f"{who} scores {score}, below {edge}. No sign of the manipulations this detector knows was found."


def _who(result: FileResult) -> str:
    """``face 2 of 3``: who decided, and of how many."""
    decided = result.decided_by or "the picture"
    if decided == "picture":
        return "the picture"
    count = len(result.tracks) if decided.startswith("track") else len(result.faces)
    return f"{decided} of {count}" if count > 1 else decided


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a table of facts; `exact` text (hashes, commands, paths) is set in a fixed-width face."""

    name: str
    value: str
    exact: bool = False


def rule_facts(bundle: Bundle, verdict: Verdict) -> list[Fact]:
    """What judged, and by which rule."""
    contract = bundle.contract
    judged = {"face": "faces, each on its own", "image": "the whole picture"}[contract.judges]
    facts = [
        Fact("Bundle", contract.identifier),
        Fact("Bundle sha256", bundle.sha256, exact=True),
        Fact("Architecture", contract.architecture),
        Fact("Judges", judged),
        Fact("Rule", _rule(verdict)),
        Fact("Threshold from", _origin(bundle, verdict)),
    ]
    if not verdict.calibrated:
        facts.append(
            Fact(
                "Calibration",
                "none: scores are not probabilities. They rank pictures, but 0.9 does not mean nine in ten.",
            )
        )
    return facts


def _rule(verdict: Verdict) -> str:
    threshold, lower = apart(verdict.threshold, verdict.lower), apart(verdict.lower, verdict.threshold)
    if verdict.lower == verdict.threshold:
        return f"likely manipulated from {threshold} on, likely real below"
    return f"likely manipulated from {threshold} on, likely real below {lower}, between them inconclusive"


def _origin(bundle: Bundle, verdict: Verdict) -> str:
    thresholds = bundle.contract.thresholds
    if thresholds is None:
        return "no data: the bundle states no threshold, so the middle (0.5) is used"
    chosen = f"chosen on {thresholds.chosen_on} ({thresholds.n_real:,} real, {thresholds.n_fake:,} fake)"
    if verdict.threshold == thresholds.default:
        return f"the bundle’s default, {chosen}"
    for budget in thresholds.budgets:
        if budget.threshold == verdict.threshold:
            return f"a budget of at most {100 * budget.max_fpr:g} % of real pictures called fake by mistake, {chosen}"
    return f"set by the caller (the bundle’s default is {thresholds.default:g})"


def plural(count: int, one: str, many: str) -> str:
    """``1 file``, ``20,000 files``."""
    return f"{count:,} {one if count == 1 else many}"
