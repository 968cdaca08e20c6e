"""Parts of a manifest: a reading for each value of a column, and each against the rest with a corrected test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.errors import UsageError
from mesoscope.metrics import Estimate, Number, Undefined, benjamini_hochberg, estimate_all, holm
from mesoscope.metrics.differences import aucs_differ, independent_difference
from mesoscope.metrics.proportions import rates_differ
from mesoscope.metrics.undefined import Bools, Floats
from mesoscope_train.evaluation.drawing import Drawing
from mesoscope_train.evaluation.metrics_schema import (
    Absent,
    Gap,
    MaybeMetric,
    PValue,
    Reading,
    Slice,
    SliceColumn,
)
from mesoscope_train.evaluation.parts import Part, Units, Where
from mesoscope_train.evaluation.reading import as_metric, brief_reading, too_few
from mesoscope_train.evaluation.scores import LEAD, SCORES

SIZE, BRIGHTNESS = "size_quartile", "brightness_quartile"
NONE = "(none)"
OTHERS = "(others)"
GAPS = ("false_positive_rate", "accuracy_fake", "auc")
"""What slices are compared in."""
_MOST_VALUES = 50
"""A column with more values than this has slices of the most frequent ones only."""
_MOST_NUMBERS = 12
"""A column of numbers with more different values than this is cut into quarters."""
_USUAL_VALUES = 25
_NEVER = {"path", "label", "group", "split", "source_video", "identity", "source_identity", "group_before_joining"}
"""Columns that are no slices unless asked for."""
_QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")


def known_columns(names: Sequence[str]) -> list[str]:
    """Columns that slices can be asked of, where a scores' table has columns of these names."""
    ours = {*LEAD.names, *SCORES.names, "path", "label"}
    return [SIZE, BRIGHTNESS, *(name for name in names if name not in ours)]


def refuse_unknown(asked: Sequence[str], names: Sequence[str]) -> None:
    """Stop at a column that no manifest has; may be asked before anything is scored.

    Args:
        asked: columns to slice by.
        names: columns of the scores' table (`scores.score_schema(…).names`).

    Raises:
        UsageError: there is no such column; the message names those there are.
    """
    known = known_columns(names)
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise UsageError(
            f"no manifest has a column {', '.join(repr(name) for name in unknown)} to slice by; "
            f"there are: {', '.join(known)}"
        )


def columns_for(table: pa.Table, asked: Sequence[str]) -> list[str]:
    """The columns to slice by: those asked for, or the usual ones; ``dataset`` is always one.

    The usual ones are size and brightness quartiles and every column of words or yes and no that has 2 to 25
    different values.

    Raises:
        UsageError: there is no such column; the message names those there are.
    """
    refuse_unknown(asked, table.column_names)
    known = known_columns(table.column_names)
    usual = [SIZE, BRIGHTNESS, *(name for name in known[2:] if name not in _NEVER and _few_words(table, name))]
    return list(dict.fromkeys(["dataset", *(asked or usual)])) if "dataset" in known else list(asked or usual)


def _few_words(table: pa.Table, name: str) -> bool:
    kind = table.schema.field(name).type
    if not (pa.types.is_string(kind) or pa.types.is_boolean(kind)):
        return False
    return 1 < pc.count_distinct(table.column(name), mode="all").as_py() <= _USUAL_VALUES


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """One slice: which units are inside, (U,) bool."""

    slice: Slice
    inside: Bools


def cuts_of(part: Part, column: str, minimum: int) -> tuple[SliceColumn, list[Cut]]:
    """A manifest's pictures cut by a column.

    Args:
        part: its rows at the tier that is sliced.
        column: one of `known_columns`.
        minimum: a smaller slice gets no reading; it is named with its size.
    """
    manifest = part.where.manifest
    if column in (SIZE, BRIGHTNESS):
        what, values = _sizes(part) if column == SIZE else ("brightness", part.numbers("brightness"))
        cuts = list(_quarters(column, what, values))
    else:
        cuts = list(_values(part, column))
    if not cuts:
        return SliceColumn(manifest=manifest, column=column, absent="the manifest does not have it"), []
    if len(cuts) == 1:
        return SliceColumn(manifest=manifest, column=column, absent=f"all alike: {cuts[0].slice.title}"), []
    enough = [cut for cut in cuts if cut.inside.sum() >= minimum][:_MOST_VALUES]
    few = {cut.slice.value: int(cut.inside.sum()) for cut in cuts if cut not in enough}
    if len(few) > _MOST_VALUES:
        kept = dict(list(few.items())[:_MOST_VALUES])
        few = {**kept, OTHERS: sum(few.values()) - sum(kept.values())}
    return (
        SliceColumn(
            manifest=manifest,
            column=column,
            values=[cut.slice.value for cut in enough],
            too_few=few,
            absent=None if enough else f"no value has {minimum} pictures",
        ),
        enough,
    )


def _sizes(part: Part) -> tuple[str, Floats]:
    """Geometric mean of width and height in pixels, before a crop was scaled where the manifest knows it."""
    original = np.sqrt(part.numbers("original_width") * part.numbers("original_height"))
    if np.isfinite(original).any():
        return "original size, px", original
    return "size, px", np.sqrt(part.numbers("width") * part.numbers("height"))


def _quarters(column: str, what: str, values: Floats) -> Iterator[Cut]:
    known = np.isfinite(values)
    if not known.any():
        return
    edges = np.quantile(values[known], (0.25, 0.5, 0.75))
    # equal values stay together, so that a quarter may be empty
    quarter = np.where(known, np.searchsorted(edges, values, "left"), -1)
    for number, title in enumerate(_QUARTERS):
        inside = quarter == number
        if inside.any():
            span = f"{values[inside].min():.4g} to {values[inside].max():.4g}"
            yield Cut(Slice(column=column, value=title, title=f"{what}: {span}"), inside)
    if not known.all():
        yield Cut(Slice(column=column, value=NONE, title=f"{what}: unknown"), ~known)


def _values(part: Part, column: str) -> Iterator[Cut]:
    values = part.values(column)
    different = {value for value in values if value is not None}
    if not different:
        return
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in different)
    if numbers and len(different) > _MOST_NUMBERS:
        yield from _quarters(column, column, part.numbers(column))
        return
    texts = np.array([_text(value) for value in values])
    words, counts = np.unique(texts, return_counts=True)
    # the most frequent first; equally frequent ones by name
    for word in words[np.lexsort((words, -counts))].tolist():
        yield Cut(Slice(column=column, value=word, title=f"{column} = {word}"), texts == word)


def _text(value: Any) -> str:  # noqa: ANN401 - a value of any kind of column
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def slice_readings(where: Where, units: Units, cuts: Sequence[Cut], drawing: Drawing) -> list[Reading]:
    """A reading of each slice."""
    return [brief_reading(where, units.take(cut.inside), drawing, cut.slice) for cut in cuts]


def gaps_of(units: Units, columns: Sequence[tuple[Sequence[Cut], Sequence[Reading]]], drawing: Drawing) -> list[Gap]:
    """Each slice against the rest, in `GAPS`; p-values corrected over all of them.

    Where a column has two values that are all there is, one is the rest of the other: the gap is given once.

    Args:
        units: the whole manifest's.
        columns: for each, its slices and their readings.
        drawing: settings.
    """
    found = [
        gap
        for cuts, readings in columns
        for cut, reading in list(zip(cuts, readings, strict=True))[: 1 if _halves(cuts) else None]
        for gap in _gaps(units, cut, reading, drawing)
    ]
    return _corrected(found, 1 - drawing.settings.level)


def _halves(cuts: Sequence[Cut]) -> bool:
    return len(cuts) == 2 and bool((cuts[0].inside ^ cuts[1].inside).all())


def _gaps(units: Units, cut: Cut, reading: Reading, drawing: Drawing) -> Iterator[Gap]:
    inside, rest = units.take(cut.inside), units.take(~cut.inside)
    outside = estimate_all(rest.sample.compact(), drawing.intervals, GAPS)
    for metric in GAPS:
        if not _present(metric, inside) or not _present(metric, rest):
            continue
        within = reading.metrics[metric]
        beyond: MaybeMetric = too_few(metric, rest.sample, drawing.settings.minimum_n) or as_metric(outside[metric])
        yield Gap(
            bundle=reading.bundle,
            manifest=reading.manifest,
            tier=reading.tier,
            unit=units.unit,
            aggregation=units.aggregation,
            slice=cut.slice,
            metric=metric,
            inside=within,
            outside=beyond,
            difference=_difference(within, beyond),
            test=_test(metric, inside, rest, within, beyond),
            significant=False,
        )


def _present(metric: str, units: Units) -> bool:
    """Whether the classes of a metric are there at all; where not, there is nothing to be missed."""
    fake = units.sample.fake
    return {"false_positive_rate": bool((~fake).any()), "accuracy_fake": bool(fake.any())}.get(
        metric, bool(fake.any() and not fake.all())
    )


def _difference(inside: MaybeMetric, outside: MaybeMetric) -> MaybeMetric:
    if isinstance(inside, Absent):
        return inside
    if isinstance(outside, Absent):
        return Absent(absent=f"of the rest: {outside.absent}")
    first, second = (
        Estimate(one.value, one.low, one.high, one.no_interval, one.n, one.n_groups) for one in (inside, outside)
    )
    return as_metric(independent_difference(first, second))


def _test(metric: str, inside: Units, rest: Units, within: MaybeMetric, beyond: MaybeMetric) -> PValue | Absent:
    for one in (within, beyond):
        if isinstance(one, Absent):
            return one
    if metric == "auc":
        name, p = "DeLong by group, two samples", aucs_differ(inside.sample, rest.sample)
    else:
        name, p = _rate_test(inside, rest, fake=metric == "accuracy_fake")
    return Absent(absent=p.reason) if isinstance(p, Undefined) else PValue(name=name, p=p)


def _rate_test(inside: Units, rest: Units, *, fake: bool) -> tuple[str, Number]:
    """Whether the shares called fake differ among the units of one label."""
    sides = [unit.sample for unit in (inside, rest)]
    rows = [sample.fake == fake for sample in sides]
    called = np.concatenate([sample.called_fake[kept] for sample, kept in zip(sides, rows, strict=True)])
    group = np.concatenate([sample.group[kept] for sample, kept in zip(sides, rows, strict=True)])
    within = np.arange(called.size) < rows[0].sum()
    alone = np.unique(group).size == group.size
    name = "Fisher, exact" if alone else "Fisher by group (Rao and Scott)"
    return name, rates_differ(called, within, group)


def _corrected(gaps: list[Gap], level: float) -> list[Gap]:
    tested = [gap.test for gap in gaps if isinstance(gap.test, PValue)]
    p = [test.p for test in tested]
    corrected = iter(
        [
            test.model_copy(update={"p_holm": float(strict), "q": float(rate), "family": len(p)})
            for test, strict, rate in zip(tested, holm(p), benjamini_hochberg(p), strict=True)
        ]
    )
    result = []
    for gap in gaps:
        if isinstance(gap.test, PValue):
            test = next(corrected)
            result.append(gap.model_copy(update={"test": test, "significant": (test.p_holm or 0.0) < level}))
        else:
            result.append(gap)
    return result
