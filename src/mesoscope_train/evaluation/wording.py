"""Numbers and counts in words, the same in figures, tables and on the page."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

from mesoscope.report.words import plural
from mesoscope_train.evaluation.metrics_schema import Absent, Counts, MaybeMetric, Metric, Metrics, Reading, Unit

UNITS: dict[Unit, tuple[str, str]] = {
    "picture": ("picture", "pictures"),
    "video": ("video", "videos"),
    "group": ("group", "groups"),
}
AGGREGATIONS = {
    "mean": "mean of its pictures",
    "top-k": "mean of its highest tenth",
    "per-track": "its highest face, averaged over time",
}
_SIGNS = {"trained-on": "‡", "trained-on-set": "†", "training-unknown": "?"}
SIGN_MEANINGS = {
    "‡": "trained on these very pictures or near copies of them: no measure of anything new",
    "†": "trained on another part of this data set: easier than data from elsewhere",
    "?": "whether it was trained on these pictures cannot be told",
}
SHORT_MEANINGS = {
    "‡": "trained on these very pictures",
    "†": "trained on another part of this set",
    "?": "may have been trained on it",
}


def digits(value: float) -> str:
    """Three digits behind the point; what is not quite 1 or 0 is not rounded to it."""
    if 0.9995 <= value < 1 and not math.isclose(value, 1):
        return ">0.999"
    if 0 < value < 0.0005:
        return "<0.001"
    return f"{value:.3f}".replace("-", "−")


def edge(value: float) -> str:
    """An interval's end: three digits, rounded as usual."""
    return f"{value:.3f}".replace("-", "−")


def estimate(metric: MaybeMetric | None, *, missing: str = "–") -> str:
    """``0.958 (0.945 to 0.968)``, or `missing`."""
    if not isinstance(metric, Metric):
        return missing
    if metric.low is None or metric.high is None:
        return digits(metric.value)
    return f"{digits(metric.value)} ({edge(metric.low)} to {edge(metric.high)})"


def percentage(metric: MaybeMetric | None, *, missing: str = "–") -> str:
    """``8.1 % (6.9 to 9.2)``, or `missing`."""
    if not isinstance(metric, Metric):
        return missing
    if metric.low is None or metric.high is None:
        return f"{100 * metric.value:.1f} %"
    return f"{100 * metric.value:.1f} % ({100 * metric.low:.1f} to {100 * metric.high:.1f})"


def reason(metric: MaybeMetric | None) -> str | None:
    """Why a number, or its interval, is absent; None where both are there."""
    if metric is None:
        return "it was not measured"
    if isinstance(metric, Absent):
        return metric.absent
    return None if metric.no_interval is None else f"no interval: {metric.no_interval}"


def unanswered(counts: Counts) -> str:
    """Errors, inapplicable and inconclusive in one phrase; zeros are said too."""
    errors = counts.error_real + counts.error_fake
    inapplicable = counts.not_applicable_real + counts.not_applicable_fake
    inside = counts.inconclusive_real + counts.inconclusive_fake
    return f"{plural(errors, 'error', 'errors')}, {inapplicable:,} not applicable, {inside:,} inconclusive"


def counted(readings: Sequence[Reading]) -> str:
    """What readings of several bundles on the same manifest counted: ``1,600 real and 1,600 fake pictures …``.

    Args:
        readings: at least one, of the same manifest and unit.
    """
    first = readings[0]
    what = UNITS[first.unit][1]
    text = f"{first.counts.real:,} real and {first.counts.fake:,} fake {what}"
    without = {_without(reading.counts) for reading in readings}
    if without == {0}:
        return f"{text}, all with a score"
    low, high = min(without), max(without)
    span = f"{high:,}" if low == high else f"{low:,} to {high:,}, by bundle,"
    return f"{text}, {span} without a score"


def _without(counts: Counts) -> int:
    return counts.total - counts.answered_real - counts.answered_fake


def drawn_by(metrics: Metrics, manifest: str) -> str:
    """How intervals come about: ``95 % interval, 1,000 bootstrap draws of 81 groups``."""
    facts = next(facts for facts in metrics.manifests if facts.name == manifest)
    settings = metrics.settings
    return f"{100 * settings.level:g}\u00a0% interval, {settings.draws:,} bootstrap draws of {facts.groups:,} groups"


def sign(metrics: Metrics, bundle: str, manifest: str) -> str:
    """What a bundle knows of a manifest's data, as a mark behind its numbers; empty where it saw none of it."""
    codes = {one.code for one in metrics.warnings if one.bundle == bundle and one.manifest == manifest}
    return next((mark for code, mark in _SIGNS.items() if code in codes), "")


def signs_used(metrics: Metrics) -> list[str]:
    """The marks that stand behind at least one number."""
    used = {sign(metrics, bundle.name, manifest.name) for bundle in metrics.bundles for manifest in metrics.manifests}
    return [mark for mark in SIGN_MEANINGS if mark in used]


def glued(text: str) -> str:
    """A text that is not broken into lines."""
    return text.replace(" ", "\u00a0")


def slug(name: str) -> str:
    """A name as part of a file's name or an anchor: small letters, digits, hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "unnamed"


def slugs(names: Sequence[str]) -> dict[str, str]:
    """Names to slugs that stay apart."""
    found: dict[str, str] = {}
    for name in names:
        plain, number = slug(name), 2
        text = plain
        while text in found.values():
            text, number = f"{plain}-{number}", number + 1
        found[name] = text
    return found


def signs_told(metrics: Metrics, readings: Sequence[Reading]) -> str:
    """What the marks behind the readings' bundles mean, to be put behind a figure's note; empty without any."""
    used = {sign(metrics, one.bundle, one.manifest) for one in readings}
    told = [glued(f"{mark} {meaning}") for mark, meaning in SHORT_MEANINGS.items() if mark in used]
    return f" {'; '.join(told)}." if told else ""


def out_of_hundred(metric: Metric) -> str:
    """A rate as a count that can be pictured: ``8 (7 to 10)``; what is not 0 is not rounded to it."""
    if metric.low is None or metric.high is None:
        return _in_hundred(metric.value)
    return f"{_in_hundred(metric.value)} ({_in_hundred(metric.low)} to {_in_hundred(metric.high)})"


def _in_hundred(share: float) -> str:
    count = 100 * share
    return f"{count:.1f}" if 0 < count < 0.95 or 99.05 < count < 100 else f"{count:.0f}"


def p_text(p: float | None) -> str:
    """A p-value with as many digits as mean something."""
    if p is None:
        return "–"
    return "<0.0001" if p < 0.0001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def unanswered_briefly(counts: Counts) -> str:
    """The same for a narrow cell: what there is none of is left out, and nothing at all is said."""
    numbers = {
        "errors": counts.error_real + counts.error_fake,
        "not applicable": counts.not_applicable_real + counts.not_applicable_fake,
        "inconclusive": counts.inconclusive_real + counts.inconclusive_fake,
    }
    told = [f"{number:,} {word.rstrip('s') if number == 1 else word}" for word, number in numbers.items() if number]
    return ", ".join(told) or "all answered"


def sentence(clause: str, names: Collection[str] = ()) -> str:
    """A clause as a sentence of its own; a name at its beginning stays as it is."""
    text = clause.strip()
    named = any(text.startswith(name) for name in names)
    return (text if named else text[:1].upper() + text[1:]) + ("" if text.endswith((".", "!", "?", "…")) else ".")


def all_names(metrics: Metrics) -> list[str]:
    """Names of bundles and manifests."""
    return [*(one.name for one in metrics.bundles), *(one.name for one in metrics.manifests)]
