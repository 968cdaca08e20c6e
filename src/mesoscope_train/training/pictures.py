"""Rows of a manifest as what a network takes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from mesoscope.preprocess import Preprocess, to_input
from mesoscope.types import Float32Array, UInt8Image
from mesoscope_train.augment import Step, augmented
from mesoscope_train.augment.self_blend import Pair, SelfBlend
from mesoscope_train.training.order import Draw, EpochOrder
from mesoscope_train.training.pixels import PixelFile, decoded

Batch = tuple[Tensor, Tensor, Tensor]
"""Inputs (B, 3, S, S) float32, labels (B,) float32 with 1 = fake, rows (B,) int64."""
_BLENDING = 1


class Readable(Dataset[tuple[Tensor, float, int]], ABC):
    """Rows as what is learnt from: an input, its label, its row; by a `Draw`, or by a number as validation reads."""

    @abstractmethod
    def __len__(self) -> int:
        """How many numbers there are."""

    @abstractmethod
    def __getitem__(self, draw: Draw | int) -> tuple[Tensor, float, int]:
        """One of them."""


class Pictures(Readable):
    """Pictures with labels; `augment` changes them, the product's own `to_input` prepares them.

    Attributes, and arguments:
        files: in row order.
        fake: (N,) bool.
        spec: of the inputs.
        augment: for the training part; empty for all others.
        cache: of decoded pictures, or None to decode each time.
    """

    def __init__(
        self,
        files: Sequence[Path],
        fake: np.ndarray[Any, np.dtype[np.bool_]],
        spec: Preprocess,
        augment: Sequence[Step] = (),
        cache: PixelFile | None = None,
    ) -> None:
        self.files, self.fake, self.spec, self.augment = files, fake, spec, augment
        self._cache = cache

    def __getitem__(self, draw: Draw | int) -> tuple[Tensor, float, int]:
        """One picture.

        Raises:
            MediaError: it cannot be read. No other picture ever takes its place.
        """
        row = draw if isinstance(draw, int) else draw.row
        random = None if isinstance(draw, int) else np.random.default_rng(draw.chance)
        return self.view(row, random), float(self.fake[row]), row

    def __len__(self) -> int:
        return len(self.files)

    def view(self, row: int, random: np.random.Generator | None) -> Tensor:
        """A row's input (3, S, S): as it is, or with the augmentation that is drawn."""
        pixels = self._pixels(row)
        if random is not None:
            pixels = augmented(pixels, self.augment, random)
        return torch.from_numpy(to_input(pixels, self.spec))

    def _pixels(self, row: int) -> UInt8Image:
        return decoded(self.files[row]) if self._cache is None else self._cache[row]


class Twins(Pictures):
    """Real pictures, each of which gives two: itself, and a fake that is blended of it.

    By a `Draw`, its `blended` says which. By a number, as validation reads: row `number // 2`, odd ones blended, the
    same at every call.

    Args:
        files: of real pictures, in row order.
        spec, augment, cache: as of `Pictures`.
        blend: how they become pairs.
        points: of each row, see `mesoscope_train.augment.self_blend.SelfBlend.pair`.
    """

    def __init__(
        self,
        files: Sequence[Path],
        spec: Preprocess,
        augment: Sequence[Step] = (),
        cache: PixelFile | None = None,
        *,
        blend: SelfBlend,
        points: Sequence[Float32Array],
    ) -> None:
        super().__init__(files, np.zeros(len(files), bool), spec, augment, cache)
        self._blend, self._points = blend, points
        self._last: tuple[Draw | None, Pair | None] = (None, None)

    def __len__(self) -> int:
        return 2 * super().__len__()

    def __getitem__(self, draw: Draw | int) -> tuple[Tensor, float, int]:
        """One of the two pictures of a row; see `Pictures`."""
        plain = isinstance(draw, int)
        if isinstance(draw, int):
            draw = Draw(draw // 2, (0, 0, draw // 2), draw % 2 == 1)
        pair = self._pair(draw)
        pixels = pair.fake if draw.blended else pair.real
        if not plain:  # the same chance for both: they are changed alike
            pixels = augmented(pixels, self.augment, np.random.default_rng(draw.chance))
        return torch.from_numpy(to_input(pixels, self.spec)), float(draw.blended), draw.row

    def _pair(self, draw: Draw) -> Pair:
        """The two of a draw; the fake is asked for right after its real, so the last pair is kept."""
        key = replace(draw, blended=False)
        known, pair = self._last
        if pair is None or known != key:
            # a stream of its own: the augmentation that follows must not repeat its draws
            random = np.random.default_rng((*draw.chance, _BLENDING))
            pair = self._blend.pair(self._pixels(draw.row), self._points[draw.row], random)
            self._last = (key, pair)
        return pair


def _fresh_processes(workers: int) -> Any:  # noqa: ANN401 - multiprocessing's own classes
    """How reading processes begin: never as copies of this one, whose threads they would lack."""
    if not workers:
        return None
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _end_with_the_main_process(worker: int) -> None:
    """In a reading process: end when the process it reads for is gone, killed with -9 too.

    Its own parent is the fork server, which lives for as long as one of its children does: without this both would
    stay for ever.
    """
    main = multiprocessing.parent_process()
    if main is None:  # read in the process itself
        return

    def watch() -> None:
        connection.wait([main.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name=f"watch-{worker}", daemon=True).start()


class _Batches(Sampler[list[Draw]]):
    """The order's batches of one epoch, from a place on."""

    def __init__(self, order: EpochOrder) -> None:
        self.order, self.epoch, self.skip = order, 0, 0

    def __iter__(self) -> Iterator[list[Draw]]:
        return self.order.batches(self.epoch, self.skip)

    def __len__(self) -> int:
        return len(self.order)


class TrainingLoader(DataLoader[Batch]):
    """Reads one epoch after the other.

    Args:
        pictures: of the training part.
        order: see there.
        place: asked when an epoch begins or is gone on with: its number from 0, and how many batches of it are done.
        workers: processes that read ahead.
        pinned: hand out memory that a GPU can fetch by itself.
    """

    def __init__(
        self,
        pictures: Readable,
        order: EpochOrder,
        place: Callable[[], tuple[int, int]],
        *,
        workers: int = 0,
        pinned: bool = False,
    ) -> None:
        self._batches, self._ask = _Batches(order), place
        super().__init__(
            pictures,
            batch_sampler=self._batches,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=pinned,
            prefetch_factor=4 if workers else None,
            multiprocessing_context=_fresh_processes(workers),
            worker_init_fn=_end_with_the_main_process,
        )

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        # a generator: the place is asked for with the first batch, when the trainer knows it
        self._batches.epoch, self._batches.skip = self._ask()
        yield from super().__iter__()


def validation_loader(
    pictures: Readable, batch_size: int, *, workers: int, rank: int, world: int
) -> DataLoader[Batch]:
    """All rows once, in order; of several processes each takes every world-th row."""
    rows = list(range(rank, len(pictures), world))
    return DataLoader(
        torch.utils.data.Subset(pictures, rows),
        batch_size,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context=_fresh_processes(workers),
        worker_init_fn=_end_with_the_main_process,
    )
