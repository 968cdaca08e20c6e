"""One pass over the pictures: every mean, spread and regional share that the page shows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from mesoscope.engine import Judge
from mesoscope.errors import UsageError
from mesoscope.types import Float32Array, Outcome
from mesoscope_train.memory import keep_freed_memory
from mesoscope_train.understanding.landmarks import common_eyes, to_common_frame, warp
from mesoscope_train.understanding.layers import Layer, captured
from mesoscope_train.understanding.means.cells import Grouping
from mesoscope_train.understanding.means.moments import GroupedMean, Moments
from mesoscope_train.understanding.regions import coverage
from mesoscope_train.understanding.seen import Reader, Seen
from mesoscope_train.understanding.subject import Subject, to_pixels

FACE = 128
"""Side of the mean face in pixels."""
LARGEST = 64
"""Feature maps with longer sides are averaged down to this: means of faces are no sharper, and memory stays small."""
MEASURES = ("for fake", "for real", "either way")
"""Of a map: its positive part, its negative part, its absolute value."""
SURVEYED = 128
"""Pictures that are looked at beforehand to learn where eyes usually are."""


@dataclass(slots=True, eq=False)
class Cell:
    """The means of one cell.

    Attributes:
        pictures: in it.
        face: (3, FACE, FACE) RGB of 0 to 1.
        map: (h, w), with the standard error of its mean.
        spread: (1, h, w) the map again, for its standard deviation over pictures.
        layers: name to (C + 1, h, w): the first channels, then the mean over all channels of the layer.
    """

    face: Moments
    map: GroupedMean
    spread: Moments
    layers: dict[str, Moments]
    pictures: int = 0


@dataclass(slots=True, eq=False)
class Gathered:
    """What one pass found.

    Attributes:
        cells: (grouping's name, cell) to its means, in the order of first appearance.
        left_out: reason to number of pictures.
        aligned: whether faces were laid over each other by their eyes.
        common: (2, 2) where eyes lie then, in fractions of the input; None where not aligned.
        rows: (N,) manifest's row of each picture that was looked at.
        outcomes: (N,) of each.
        area: (N, R) share of each region in the picture; empty where not aligned.
        mass: (N, 3, R) share of the map's mass in each region, by `MEASURES`; NaN where there is no mass.
        lit: (N, layers, R) mean of the standardised feature maps in each region.
        seconds: of the pass, reading included.
    """

    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    aligned: bool = False
    common: npt.NDArray[np.float64] | None = None
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    outcomes: tuple[Outcome, ...] = ()
    area: Float32Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    mass: Float32Array = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    lit: Float32Array = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    seconds: float = 0.0


def survey(reader: Reader, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Where eyes usually are, from a few pictures spread over the set; see `common_eyes`.

    Raises:
        UsageError: no landmarks were found in any of them.
    """
    few = rows[np.unique(np.linspace(0, len(rows) - 1, min(SURVEYED, len(rows))).astype(np.int64))]
    found = [seen.landmarks for seen in reader.rows(few) if seen.landmarks is not None]
    if not found:
        raise UsageError(
            f"no face's landmarks were found in {len(few)} pictures, so they cannot be aligned; are they faces? "
            "--faces none gives means that are not aligned"
        )
    return common_eyes(found)


def gather(
    subject: Subject,
    reader: Reader,
    rows: npt.NDArray[np.int64],
    groupings: Sequence[Grouping],
    *,
    layers: Sequence[Layer] = (),
    channels: int = 16,
    judge: Judge | None = None,
    align: bool = True,
    progress: Callable[[int], None] = lambda _count: None,
) -> Gathered:
    """Look at rows.

    Args:
        subject: whose maps.
        reader: of the manifest.
        rows: indices, group by group.
        groupings: which means.
        layers: whose feature maps are averaged.
        channels: of each layer that are kept apart, the first ones.
        judge: gives the maps with the runtime's engine instead of torch; only where there are no layers.
        align: lay faces over each other by their eyes.
        progress: called with the number of pictures done.

    Raises:
        UsageError: nothing could be looked at.
    """
    started = time.monotonic()
    if align and not reader.has_landmarks:
        raise UsageError("faces are aligned by landmarks: name a finder (--faces yunet), or say --align none")
    gathered = Gathered(aligned=align)
    if gathered.aligned:
        gathered.common = survey(reader, rows)
    records = _Records()
    groups = reader.manifest.codes("group")[0]

    def left_out(seen: Seen) -> None:
        gathered.left_out[seen.reason or "no input"] += 1
        progress(1)

    keep_freed_memory()
    with captured(subject.module, layers) if layers else nullcontext({}) as features, torch.inference_mode():
        for read in reader.batches(rows, left_out):
            batch = read
            if gathered.aligned:
                batch = [seen for seen in read if seen.landmarks is not None]
                gathered.left_out["no landmarks were found"] += len(read) - len(batch)
            if batch:
                looked = _look(
                    subject,
                    batch,
                    features=features,
                    judge=judge,
                    channels=channels,
                    common=gathered.common,
                )
                records.take(batch, looked)
                _add(gathered, looked, batch, groupings, groups)
            progress(len(read))
    gathered.left_out = +gathered.left_out
    if not records.rows:
        raise UsageError(f"none of {len(rows):,} pictures could be looked at: {_reasons(gathered.left_out)}")
    records.into(gathered)
    gathered.seconds = time.monotonic() - started
    return gathered


def _reasons(left_out: Counter[str]) -> str:
    return "; ".join(f"{reason} ({count:,})" for reason, count in left_out.most_common(3))


@dataclass(slots=True, eq=False)
class _Looked:
    """A batch after the network: everything in the common frame, where there is one.

    Attributes: logits (B,); outcomes; face (B, 3, FACE, FACE) with its weight (B, 1, FACE, FACE); map (B, h, w) with
    its weight; layers: name to values (B, C + 1, h, w) and weight; area (B, R), mass (B, 3, R), lit (B, layers, R).
    """

    outcomes: list[Outcome]
    face: tuple[Tensor, Tensor]
    map: tuple[Tensor, Tensor]
    layers: dict[str, tuple[Tensor, Tensor]]
    area: Float32Array
    mass: Float32Array
    lit: Float32Array


def _look(
    subject: Subject,
    batch: Sequence[Seen],
    *,
    features: Mapping[str, Tensor],
    judge: Judge | None,
    channels: int,
    common: npt.NDArray[np.float64] | None,
) -> _Looked:
    stacked = np.stack([seen.input for seen in batch if seen.input is not None])
    inputs = torch.from_numpy(stacked)
    if judge is not None:
        logits, maps = (torch.from_numpy(values) for values in judge(stacked))
    else:
        logits, maps = subject.module.forward_with_map(inputs)
    small = {name: _small(values) for name, values in features.items()}
    kept = {name: torch.cat([v[:, :channels], v.mean(1, keepdim=True)], 1) for name, v in small.items()}
    face = F.adaptive_avg_pool2d(to_pixels(inputs, subject.spec), FACE)
    verdict = subject.verdict
    outcomes = [verdict.outcome(verdict.probability(float(logit))) for logit in logits]
    if common is None:
        whole = {name: (values, _ones(values)) for name, values in kept.items()}
        nothing = np.zeros((len(batch), 0), np.float32)
        flat = maps, torch.ones_like(maps)
        return _Looked(outcomes, (face, _ones(face)), flat, whole, nothing, nothing[:, None], nothing[:, None])
    landmarks = [seen.landmarks for seen in batch if seen.landmarks is not None]
    turns = torch.from_numpy(np.stack([to_common_frame(points, common) for points in landmarks]))
    turned, weight = warp(maps[:, None], turns)
    area, mass = _mass(maps, landmarks)
    return _Looked(
        outcomes,
        warp(face, turns),
        (turned[:, 0], weight[:, 0]),
        {name: warp(values, turns) for name, values in kept.items()},
        area,
        mass,
        _lit(small, landmarks),
    )


def _small(values: Tensor) -> Tensor:
    height, width = values.shape[2:]
    if max(height, width) <= LARGEST:
        return values
    return F.adaptive_avg_pool2d(values, (min(height, LARGEST), min(width, LARGEST)))


def _ones(values: Tensor) -> Tensor:
    return torch.ones_like(values[:, :1])


def _mass(maps: Tensor, landmarks: Sequence[Float32Array]) -> tuple[Float32Array, Float32Array]:
    """(B, R) areas and (B, 3, R) shares of mass, by regions."""
    covered = coverage(landmarks, *maps.shape[1:])
    parts = torch.stack([maps.clamp_min(0), (-maps).clamp_min(0), maps.abs()], 1)
    inside = torch.einsum("bmhw,brhw->bmr", parts, covered)
    whole = parts.sum((2, 3))[..., None]
    return covered.mean((2, 3)).numpy(), torch.where(whole > 0, inside / whole, torch.nan).numpy()


def _lit(features: Mapping[str, Tensor], landmarks: Sequence[Float32Array]) -> Float32Array:
    """(B, layers, R): mean over a region of feature maps that were standardised each by itself, as S1 shows them."""
    regions: dict[tuple[int, int], Tensor] = {}
    lit = []
    for values in features.values():
        height, width = values.shape[2:]
        covered = regions.setdefault((height, width), coverage(landmarks, height, width))
        std, mean = torch.std_mean(values, (2, 3), keepdim=True)
        alive = std > 1e-6 * (1 + mean.abs())
        standard = torch.where(alive, (values - mean) / std.clamp_min(1e-12), 0)
        over_channels = standard.sum(1) / alive.sum(1).clamp_min(1)
        size = covered.sum((2, 3))
        inside = torch.einsum("bhw,brhw->br", over_channels, covered)
        lit.append(torch.where(size > 0, inside / size, torch.nan))
    return torch.stack(lit, 1).numpy() if lit else np.zeros((len(landmarks), 0, 0), np.float32)


def _add(
    gathered: Gathered,
    looked: _Looked,
    batch: Sequence[Seen],
    groupings: Sequence[Grouping],
    groups: npt.NDArray[np.int64],
) -> None:
    mine = groups[[seen.row for seen in batch]]
    for grouping in groupings:
        cells = [grouping.cell(seen.row, outcome) for seen, outcome in zip(batch, looked.outcomes, strict=True)]
        for name in dict.fromkeys(cell for cell in cells if cell is not None):
            chosen = np.array([cell == name for cell in cells])
            key = (grouping.by, name)
            if key not in gathered.cells:
                gathered.cells[key] = _fresh(looked)
            _add_to(gathered.cells[key], looked, chosen, mine[chosen])


def _fresh(looked: _Looked) -> Cell:
    height, width = looked.map[0].shape[1:]
    return Cell(
        Moments((3, FACE, FACE)),
        GroupedMean((height, width)),
        Moments((1, height, width)),
        {name: Moments(tuple(values.shape[1:])) for name, (values, _) in looked.layers.items()},
    )


def _add_to(cell: Cell, looked: _Looked, chosen: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64]) -> None:
    places = torch.from_numpy(chosen)
    cell.pictures += int(chosen.sum())
    cell.face.add(*(part[places] for part in looked.face))
    maps, weight = (part[places] for part in looked.map)
    cell.map.add(maps, weight, groups)
    cell.spread.add(maps[:, None], weight[:, None])
    for name, pair in looked.layers.items():
        cell.layers[name].add(*(part[places] for part in pair))


@dataclass(slots=True, eq=False)
class _Records:
    """The few numbers that are kept of every picture."""

    rows: list[int] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    area: list[Float32Array] = field(default_factory=list)
    mass: list[Float32Array] = field(default_factory=list)
    lit: list[Float32Array] = field(default_factory=list)

    def take(self, batch: Sequence[Seen], looked: _Looked) -> None:
        self.rows += [seen.row for seen in batch]
        self.outcomes += looked.outcomes
        self.area.append(looked.area)
        self.mass.append(looked.mass)
        self.lit.append(looked.lit)

    def into(self, gathered: Gathered) -> None:
        gathered.rows, gathered.outcomes = np.array(self.rows, np.int64), tuple(self.outcomes)
        gathered.area, gathered.mass = np.concatenate(self.area), np.concatenate(self.mass)
        gathered.lit = np.concatenate(self.lit)
