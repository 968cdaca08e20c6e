"""From the rows of ``scores.parquet`` to what metrics count: pictures, videos or groups, each with a label.

A *part* is the rows of one bundle, manifest and tier. Of a part come one `Units` that counts its pictures and, where
a video (or, without videos, a group) has several rows, one for each way to make one score of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mesoscope.metrics import Sample, aggregate
from mesoscope.metrics.aggregation import interpolate_probability
from mesoscope.metrics.undefined import Bools, Floats, Ints
from mesoscope_train.evaluation.metrics_schema import Aggregation, Counts, Unit
from mesoscope_train.evaluation.scores import Scores

ANSWERED, ERROR, NOT_APPLICABLE = 0, 1, 2
_STATES = {"error": ERROR, "not_applicable": NOT_APPLICABLE}
_REASONS = 20


@dataclass(frozen=True, slots=True)
class Where:
    """Which bundle said it, of which manifest, at which tier."""

    bundle: str
    manifest: str
    tier: str


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one bundle, manifest and tier.

    Attributes:
        where: which.
        table: the rows, all columns.
    """

    where: Where
    table: pa.Table

    def values(self, column: str) -> list[Any]:
        """A column as Python values, None where empty or where there is no such column."""
        if column not in self.table.column_names:
            return [None] * self.table.num_rows
        return list(self.table.column(column).to_pylist())

    def numbers(self, column: str) -> Floats:
        """A column of numbers, NaN where empty."""
        return np.array([np.nan if value is None else value for value in self.values(column)], np.float64)


def parts_of(scores: Scores, manifest: str, tiers: list[str]) -> Iterator[Part]:
    """The parts of one manifest, bundle by bundle, tiers in this order; only one is in memory at a time."""
    of_manifest = scores.table.filter(pc.equal(scores.table.column("manifest"), manifest))
    for bundle in pc.unique(of_manifest.column("bundle")).to_pylist():
        of_bundle = of_manifest.filter(pc.equal(of_manifest.column("bundle"), bundle))
        for tier in tiers:
            rows = of_bundle.filter(pc.equal(of_bundle.column("tier"), tier))
            if rows.num_rows:
                yield Part(Where(bundle, manifest, tier), rows)


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What is counted, U of them.

    Attributes:
        unit, aggregation: what one is, and how several rows became one score.
        name: (U,) the unit's code; the same picture (video) has the same one in all parts of a manifest.
        fake: (U,) labels.
        state: (U,) `ANSWERED`, `ERROR` or `NOT_APPLICABLE`.
        group: (U,) codes of all groups of the manifest, 0 … groups - 1.
        sample: of the answered, in the same order.
        reasons: why others were not answered, and how often.
    """

    unit: Unit
    aggregation: Aggregation | None
    name: Ints
    fake: Bools
    state: npt.NDArray[np.int8]
    group: Ints
    sample: Sample
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def answered(self) -> Bools:
        """(U,) those with a score."""
        return np.asarray(self.state == ANSWERED)

    def take(self, rows: Bools) -> Units:
        """Some of the units, (U,) bool; groups keep their codes."""
        state, group = self.state[rows], self.group[rows]
        answers = self.sample.take(rows[self.answered])
        silent = np.bincount(group[state != ANSWERED], minlength=answers.groups).astype(np.int64)
        sample = answers.with_silent(silent)
        return Units(self.unit, self.aggregation, self.name[rows], self.fake[rows], state, group, sample)

    def counts(self) -> Counts:
        """Units by label and outcome; nothing is left out."""
        by_state = {
            f"{name}_{label}": int(((self.state == state) & (self.fake == fake)).sum())
            for name, state in (("answered", ANSWERED), ("error", ERROR), ("not_applicable", NOT_APPLICABLE))
            for label, fake in (("real", False), ("fake", True))
        }
        inside = self.sample.inconclusive
        return Counts(
            real=int((~self.fake).sum()),
            fake=int(self.fake.sum()),
            inconclusive_real=int((inside & ~self.sample.fake).sum()),
            inconclusive_fake=int((inside & self.sample.fake).sum()),
            groups=int(np.unique(self.sample.group).size),
            reasons=self.reasons,
            **by_state,
        )


class Grouping:
    """Names of a manifest's pictures, videos and groups as numbers, the same in all of its parts.

    A row without a group is a group of its own, under its path.
    """

    def __init__(self, part: Part) -> None:
        paths, groups = part.values("path"), part.values("group")
        self._lacking = sum(group is None for group in groups)
        # a path can never be the name of a group of others: the two kinds of names are kept apart
        names = [(group is None, path if group is None else group) for path, group in zip(paths, groups, strict=True)]
        self._group = {name: code for code, name in enumerate(dict.fromkeys(names))}
        self._code: dict[Any, int] = {}
        self._rows = len(paths)

    @property
    def groups(self) -> int:
        """How many there are."""
        return len(self._group)

    @property
    def words(self) -> str:
        """What the bootstrap draws."""
        if self._lacking == self._rows:
            return "each picture by itself: the manifest names no groups"
        if self.groups == self._rows:
            return "each picture by itself: no two have the same group"
        lacking = f"; {self._lacking} pictures without one by themselves" if self._lacking else ""
        return f"group{lacking}"

    def groups_of(self, part: Part) -> Ints:
        """(N,) the code of each row's group."""
        pairs = zip(part.values("path"), part.values("group"), strict=True)
        return np.array([self._group[group is None, path if group is None else group] for path, group in pairs])

    def codes(self, names: list[Any]) -> Ints:
        """(N,) a code for each name, the same for the same name whenever it is asked."""
        return np.array([self._code.setdefault(name, len(self._code)) for name in names], np.int64)


def units_of(part: Part, grouping: Grouping) -> Iterator[Units]:
    """The pictures of a part; then its videos, or groups, in each way of aggregation, where one has several rows."""
    rows = _rows(part, grouping)
    yield rows
    videos = part.values("source_video")
    named = any(video is not None for video in videos)
    unit: Unit = "video" if named else "group"
    # a group may hold fakes and the original they were made from: those are several units
    owners = videos if named else part.values("group")
    pairs = zip(owners, part.values("path"), rows.fake.tolist(), strict=True)
    keys = grouping.codes([(path, None) if owner is None else (owner, label) for owner, path, label in pairs])
    if np.unique(keys).size == keys.size:
        return
    faces = _faces(part, keys)
    methods: tuple[Aggregation, ...] = ("mean", "top-k") if faces is None else ("mean", "top-k", "per-track")
    for method in methods:
        yield _aggregated(rows, keys, unit, method, faces)


def _rows(part: Part, grouping: Grouping) -> Units:
    outcome = part.values("outcome")
    state = np.array([_STATES.get(one, ANSWERED) for one in outcome], np.int8)
    answered = state == ANSWERED
    group = grouping.groups_of(part).astype(np.int64)
    fake = np.array([label == "fake" for label in part.values("label")], bool)
    reasons = Counter(
        reason or one for reason, one in zip(part.values("reason"), outcome, strict=True) if one in _STATES
    )
    sample = Sample(
        fake=fake[answered],
        logit=part.numbers("logit")[answered],
        probability=part.numbers("probability")[answered],
        group=group[answered],
        groups=grouping.groups,
        threshold=float(part.table.column("threshold")[0].as_py()),
        lower=float(part.table.column("lower")[0].as_py()),
        silent=np.bincount(group[~answered], minlength=grouping.groups).astype(np.int64),
    )
    name = grouping.codes(part.values("path"))
    return Units("picture", None, name, fake, state, group, sample, dict(reasons.most_common(_REASONS)))


def _faces(part: Part, keys: Ints) -> Ints | None:
    """The number of each row's face, where it is known of all rows and some unit has more than one; else None."""
    faces = part.values("face")
    if any(face is None for face in faces):
        return None
    tracks = np.array(faces, np.int64)
    pairs = np.unique(np.stack([keys, tracks]), axis=1)
    return tracks if pairs.shape[1] > np.unique(keys).size else None


def _aggregated(rows: Units, keys: Ints, unit: Unit, method: Aggregation, faces: Ints | None) -> Units:
    """One unit for each key; it is answered where one of its rows is, by its answered rows."""
    names, first, codes = np.unique(keys, return_index=True, return_inverse=True)
    answered = rows.answered
    state = np.full(names.size, ERROR, np.int8)
    state[codes[rows.state == NOT_APPLICABLE]] = NOT_APPLICABLE
    state[codes[answered]] = ANSWERED
    scored = state == ANSWERED
    # codes of the answered units alone, without holes
    compact = (np.cumsum(scored) - 1)[codes[answered]]
    logit = aggregate(rows.sample.logit, compact, method, None if faces is None else faces[answered])
    group = rows.group[first]
    sample = Sample(
        fake=rows.fake[first][scored],
        logit=logit,
        probability=interpolate_probability(logit, rows.sample.logit, rows.sample.probability)
        if logit.size
        else np.zeros(0),
        group=group[scored],
        groups=rows.sample.groups,
        threshold=rows.sample.threshold,
        lower=rows.sample.lower,
        silent=np.bincount(group[~scored], minlength=rows.sample.groups).astype(np.int64),
    )
    return Units(unit, method, names, rows.fake[first], state, group, sample, rows.reasons)
