"""The sections that the manifest alone gives: rows, slices, groups, columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.manifest import Manifest
from mesoscope.report.words import plural, visible
from mesoscope_train.data.explore.bars import NAME_LENGTH, draw_bars
from mesoscope_train.data.explore.columns import column_facts, is_measured, slice_columns
from mesoscope_train.data.explore.content import Chart, Section, Table
from mesoscope_train.data.explore.distributions import Panel, draw_distributions
from mesoscope_train.data.explore.histograms import histogram
from mesoscope_train.data.explore.tallies import (
    Tally,
    group_sizes,
    label_masks,
    split_tallies,
    tally,
    tally_values,
)
from mesoscope_train.figures import Width


def rows_section(manifest: Manifest) -> Section:
    """How many rows there are: label by split by data set."""
    parts = split_tallies(manifest)
    named = {split or ("no split" if len(parts) > 1 else ""): part for split, part in parts.items()}
    sets = next(iter(parts.values())).names
    if len(sets) == 1:
        whole = Tally(tuple(named) if len(named) > 1 else sets, _joined([*parts.values()]))
        figure = draw_bars({"": whole}, width="column")
    else:
        figure = draw_bars(named)
    caption = "Rows of each class by " + ("split." if len(sets) == 1 else "data set and split.")
    if not any(named):
        caption = "Rows of each class by data set." + ("" if "fold" in manifest else " No split has been made yet.")
    chart = Chart("rows", figure, caption, wide=len(sets) > 1)
    table = _rows_table(manifest)
    return Section("rows", "Rows", charts=(chart,), tables=(table,) if len(table.rows) > 1 else ())


def _joined(parts: Sequence[Tally]) -> dict[str, tuple[int, ...]]:
    return {label: tuple(part.total(label) for part in parts) for label in parts[0].counts}


def _rows_table(manifest: Manifest) -> Table:
    """Exact numbers, whatever the figure had to fold."""
    columns = ["dataset", *(["split"] if "split" in manifest else [])]
    masks = label_masks(manifest)
    table = manifest.table.select([*columns, "group"])
    for label, mask in masks.items():
        table = table.append_column(label, pa.array(mask.astype(np.int64)))
    sums: list[tuple[str, str]] = [(label, "sum") for label in masks]
    counted = table.group_by(columns).aggregate([*sums, ("group", "count_distinct"), ("group", "count")]).to_pylist()
    order = {"train": 0, "validation": 1, "test": 2}
    counted.sort(key=lambda row: (str(row["dataset"]), order.get(str(row.get("split")), 3)))
    head = ("data set", *columns[1:], *masks, "rows", "groups")
    rows = tuple(
        (
            visible(row["dataset"]),
            *(str(row["split"] or "none") for _ in columns[1:]),
            *(f"{row[f'{label}_sum']:,}" for label in masks),
            f"{row['group_count']:,}",
            f"{row['group_count_distinct']:,}",
        )
        for row in counted
    )
    return Table(head, rows, numbers=tuple(range(len(columns), len(head))), title="All numbers")


def slices_section(manifest: Manifest, wanted: Sequence[str] = ()) -> Section:
    """Rows by the values of the columns that part a set: generator, difficulty, category.

    Raises:
        UsageError: a column that was asked for cannot be shown.
    """
    columns = slice_columns(manifest, wanted)
    answers = [name for name in columns if manifest.table.schema.field(name).type == pa.bool_()]
    together = answers if len(answers) > 1 else []
    charts = [_slice_chart(manifest, name) for name in columns if name not in together]
    if together:
        charts.append(_answers_chart(manifest, together))
    return Section("slices", "Slices", charts=tuple(charts))


def _slice_chart(manifest: Manifest, name: str) -> Chart:
    if is_measured(manifest, name):
        values = manifest.table.column(name).cast(pa.float64()).to_numpy()
        found = histogram({label: values[mask] for label, mask in label_masks(manifest).items()})
        if found is not None:
            figure = draw_distributions([Panel(_words(name), "", found)])
            return Chart(f"slice-{name}", figure, f"Column {name}, as shares of each class.", wide=False)
    counted = tally(manifest, name)
    without = [label for label in label_masks(manifest) if label not in counted.counts]
    caption = f"Rows by {_words(name)}" + (f"; no {without[0]} row has one." if without else ".")
    if counted.folded:
        caption += f" The {counted.folded:,} rarest values are counted together."
    width = _width(counted)
    return Chart(f"slice-{name}", draw_bars({"": counted}, width=width), caption, wide=width == "page")


def _width(counted: Tally) -> Width:
    """A column, if the names leave room for bars."""
    return "column" if max(len(name) for name in counted.names) <= NAME_LENGTH["column"] else "page"


def _answers_chart(manifest: Manifest, names: Sequence[str]) -> Chart:
    """All columns of yes and no in one figure: how many rows say yes."""
    masks = label_masks(manifest)
    tallies = {name: tally_values(manifest.table.column(name), masks) for name in names}
    heard = [label for label in masks if any(label in found.counts for found in tallies.values())]
    counts = {label: tuple(_yes(tallies[name], label) for name in names) for label in heard}
    shown = Tally(tuple(_words(name) for name in names), counts)
    figure = draw_bars({"": shown}, width=_width(shown), totals=False)
    silent = [label for label in masks if label not in heard]
    caption = "Rows in which each of these is true" + (f"; {silent[0]} rows do not say." if silent else ".")
    return Chart("slice-true", figure, caption, wide=_width(shown) == "page")


def _yes(found: Tally, label: str) -> int:
    counts = found.counts.get(label, (0,) * len(found.values))
    return sum(count for value, count in zip(found.values, counts, strict=True) if value == "yes")


def groups_section(manifest: Manifest) -> Section:
    """How many rows a group has: what is tested is as much as there are groups."""
    sizes = group_sizes(manifest)
    total = pc.count_distinct(manifest.table.column("group")).as_py()
    largest = max(int(found[-1]) for found in sizes.values())
    each = [f"{len(found):,} with {label} rows" for label, found in sizes.items()]
    both = sum(len(found) for found in sizes.values()) - total
    each += [f"{both:,} of them with both"] if both else []
    sentence = f"{plural(total, 'group', 'groups')}: {', '.join(each)}. A group must stay on one side of a split."
    if largest == 1:
        return Section("groups", "Groups", (f"{sentence} No group has more than one row of a class.",))
    shares = histogram(dict(sizes))
    assert shares is not None  # noqa: S101 - a manifest has rows
    figure = draw_distributions([Panel("Rows in a group", "rows of the class", shares)])
    caption = "Rows in a group, as shares of the class’s groups. Rows of one group are no independent evidence."
    return Section("groups", "Groups", (sentence,), (Chart("groups", figure, caption, wide=False),))


def columns_section(manifest: Manifest) -> Section:
    """What every column holds."""
    rows = tuple(
        (
            visible(facts.name),
            facts.kind,
            f"{facts.filled:,}",
            f"{facts.different:,}",
            visible(facts.example),
            facts.meaning.replace("`", ""),
        )
        for facts in column_facts(manifest)
    )
    head = ("column", "kind", "filled", "different", "values", "meaning")
    return Section("columns", "Columns", tables=(Table(head, rows, (2, 3), (0, 4)),))


def _words(name: str) -> str:
    return name.replace("_", " ")
