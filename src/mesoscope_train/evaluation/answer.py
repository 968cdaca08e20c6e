"""The answer in plain words, computed from the numbers: where a bundle can be trusted, where not, and what falls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mesoscope.report.words import plural
from mesoscope_train.evaluation.content import Box, Fallen, Step
from mesoscope_train.evaluation.content import Level as Colour
from mesoscope_train.evaluation.metrics_schema import Caution, Fall, MaybeMetric, Metric, Metrics, Reading
from mesoscope_train.evaluation.trust import LEVELS, Level, level_of
from mesoscope_train.evaluation.wording import (
    SIGN_MEANINGS,
    all_names,
    digits,
    estimate,
    out_of_hundred,
    sentence,
    sign,
    unanswered,
)

NOTABLE = 0.05
"""A smaller fall is no headline."""
_STEPS = 5
"""So many falls of one bundle are drawn; the table below has all."""
_MOST = 6
_FIRST = ("trained-on", "again", "uncalibrated", "training-unknown", "trained-on-set")
"""Codes of cautions, the gravest first; others follow."""
_HEADS: Mapping[Level, str] = {
    "good": "reliable",
    "care": "with care",
    "half": "few mistakes, but one class only",
    "unfit": "ranks well, but its threshold is unfit",
    "weak": "not to be relied on",
    "chance": "no better than a coin",
}


def falls(metrics: Metrics) -> tuple[Fallen, ...]:
    """What every reader must see: AUC that falls from one data set to others, the bundle with the deepest first."""
    found = [one for one in metrics.falls if one.kind == "manifest" and one.metric == "auc" and _is_fall(one)]
    pictures = [one for one in found if one.unit == "picture"] or found
    of_bundle: dict[str, list[Fall]] = {}
    for one in sorted(pictures, key=_depth):
        of_bundle.setdefault(one.bundle, []).append(one)
    return tuple(_fallen(several) for several in of_bundle.values())


def _is_fall(fall: Fall) -> bool:
    """Large enough to matter, and shown by an interval: four pictures make no headline."""
    difference = fall.difference
    if not isinstance(difference, Metric) or difference.high is None:
        return False
    return difference.value <= -NOTABLE and difference.high < 0


def _depth(fall: Fall) -> float:
    return fall.difference.value if isinstance(fall.difference, Metric) else 0.0


def _fallen(several: Sequence[Fall]) -> Fallen:
    """All falls of one bundle, the deepest first."""
    deepest = several[0]
    ends = [_step(one.to_value, one.to_manifest) for one in several if one.aggregation == deepest.aggregation]
    start = _step(deepest.from_value, deepest.from_manifest)
    return Fallen(
        deepest.bundle,
        start,
        tuple(ends[:_STEPS]),
        f"AUC {estimate(deepest.from_value)} on {deepest.from_manifest}, {estimate(deepest.to_value)} on "
        f"{deepest.to_manifest}: a fall of {digits(-_depth(deepest))}. {_lost(start.above, ends[0].above)}",
    )


def _step(found: MaybeMetric, where: str) -> Step:
    value = found.value if isinstance(found, Metric) else 0.5
    return Step(digits(value), where, max(0.0, min(1.0, 2 * value - 1)))


def _lost(start: float, end: float) -> str:
    """How much of what it knew beyond guessing is gone."""
    if end <= 0:
        return "Nothing is left of what it did better than a coin, which gets 0.5."
    return f"{100 * (1 - end / start):.0f} % of what it did better than a coin (0.5) is gone."


def headline(metrics: Metrics) -> str:
    """The deepest fall in one sentence; empty where nothing falls."""
    found = falls(metrics)
    if not found:
        return ""
    first = found[0]
    more = f" {plural(len(found) - 1, 'more bundle falls', 'more bundles fall')} too." if len(found) > 1 else ""
    return (
        f"What holds on {first.start.where} does not hold on {first.ends[0].where}: the AUC of {first.bundle} falls "
        f"from {first.start.number} to {first.ends[0].number}.{more}"
    )


def boxes(metrics: Metrics) -> tuple[Box, ...]:
    """A box a bundle, then what must be known."""
    return (*(_bundle_box(metrics, one.name) for one in metrics.bundles), *_cautions(metrics))


def _bundle_box(metrics: Metrics, bundle: str) -> Box:
    readings = whole_readings(metrics, bundle)
    # what holds for all of them is a warning of its own, and no mark at each
    marks = {one.manifest: sign(metrics, bundle, one.manifest) for one in readings}
    told = {} if set(marks.values()) == {"?"} else marks
    at: dict[Level, list[str]] = {level: [] for level in LEVELS}
    apart, seen = [], []
    for one in readings:
        level = level_of(one)
        if marks[one.manifest] == "‡":
            seen.append(one.manifest)
        elif level is None:
            apart.append(one.manifest)
        else:
            at[level].append(f"{one.manifest} {told.get(one.manifest, '')}".strip())
    parts = [f"{_HEADS[level]}: {_listed(at[level])}" for level in LEVELS if at[level]]
    parts += [f"too little to say: {_listed(apart)}"] if apart else []
    parts += [f"trained on these very pictures: {_listed(seen)}"] if seen else []
    degraded = tuple(_degraded(metrics, bundle))
    return Box(
        _colour(at), f"{bundle} – {'; '.join(parts) or 'nothing was measured'}.", degraded,
        details=tuple(_told(metrics, one) for one in readings), more="In numbers, data set by data set",
    )  # fmt: skip


def whole_readings(metrics: Metrics, bundle: str) -> list[Reading]:
    """A bundle's readings of whole manifests, clean, picture by picture (or what is counted where there are none)."""
    whole = [one for one in metrics.find(bundle=bundle, slice=None) if one.tier == "clean"]
    found = {one.manifest: one for one in reversed(whole)}
    found.update({one.manifest: one for one in whole if one.unit == "picture"})
    return [found[one.name] for one in metrics.manifests if one.name in found]


def _colour(at: dict[Level, list[str]]) -> Colour:
    if at["chance"] or at["weak"] or at["unfit"]:
        return "warning" if at["good"] or at["care"] else "leak"
    return "clear" if at["good"] and not at["care"] else "warning" if at["care"] else "note"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _told(metrics: Metrics, reading: Reading) -> str:
    """One data set in a sentence that needs no statistics."""
    wrong, found = reading.metrics.get("false_positive_rate"), reading.metrics.get("accuracy_fake")
    parts = []
    if isinstance(wrong, Metric):
        parts.append(f"of 100 real ones {out_of_hundred(wrong)} would wrongly be called fake")
    if isinstance(found, Metric):
        parts.append(f"of 100 fakes {out_of_hundred(found)} are found")
    if not parts:
        parts.append("no rate could be computed")
    auc = reading.metrics.get("auc")
    ranks = f" AUC {estimate(auc)}." if isinstance(auc, Metric) else ""
    mark = sign(metrics, reading.bundle, reading.manifest)
    about = f" Note: {SIGN_MEANINGS[mark]}." if mark else ""
    return f"{reading.manifest}: {', '.join(parts)}.{ranks} {unanswered(reading.counts).capitalize()}.{about}"


def _degraded(metrics: Metrics, bundle: str) -> Iterator[str]:
    """The deepest fall of each data set from clean to degraded."""
    found = [
        one for one in metrics.falls
        if one.bundle == bundle and one.kind == "tier" and one.metric == "auc" and one.unit == "picture"
    ]  # fmt: skip
    deepest: dict[str, Fall] = {}
    for one in sorted(found, key=_depth):
        if _is_fall(one):
            deepest.setdefault(one.to_manifest, one)
    for one in deepest.values():
        yield (
            f"Degraded copies ({one.to_tier}) of {one.to_manifest}: AUC {estimate(one.from_value)} falls to "
            f"{estimate(one.to_value)}."
        )


def _cautions(metrics: Metrics) -> Iterator[Box]:
    """What a reader must know, each thing once; parts that are treated worse stand by themselves."""
    gaps = [sentence(one.message, all_names(metrics)) for one in metrics.warnings if one.code == "gap"]
    if gaps:
        title = "Real pictures of some parts are called fake more often than those of others"
        level: Colour = "leak" if _of_people(metrics) else "warning"
        yield Box(level, title, tuple(gaps[:_MOST]), details=tuple(gaps[_MOST:]))
    known = sorted(metrics.warnings, key=lambda one: _FIRST.index(one.code) if one.code in _FIRST else len(_FIRST))
    messages = [*dict.fromkeys(_message(one, metrics) for one in known if one.code != "gap")]
    if messages:
        title = f"{plural(len(messages), 'warning', 'warnings')} that belong to these numbers"
        yield Box("warning", title, tuple(messages[:_MOST]), details=tuple(messages[_MOST:]))


def _of_people(metrics: Metrics) -> bool:
    """Whether a column of the set’s own, as gender, changes false alarms, and not only size or brightness."""
    return any(
        gap.significant and gap.metric == "false_positive_rate" and not gap.slice.column.endswith("_quartile")
        for gap in metrics.gaps
        if gap.slice is not None
    )


def _message(caution: Caution, metrics: Metrics) -> str:
    """A caution; one that holds for a bundle on every manifest is said once for all."""
    same = {one.manifest for one in metrics.warnings if (one.code, one.bundle) == (caution.code, caution.bundle)}
    if caution.code == "training-unknown" and len(same) > 1 and same >= {one.name for one in metrics.manifests}:
        return f"{caution.bundle}: {SIGN_MEANINGS['?']}; this holds for all {len(same)} data sets."
    return sentence(caution.message, all_names(metrics))
