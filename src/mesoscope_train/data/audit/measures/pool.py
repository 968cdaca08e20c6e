"""Work on several processes that survives a process that dies: a decoder may crash on a damaged file.

Processes are spawned, not forked: the same on every system, and safe beside threads.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from mesoscope.errors import UsageError

_IN_FLIGHT = 3
"""Batches handed out per process: one at work and two waiting, so that none idles and few results wait."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_batches(
    function: Callable[[Sequence[Item]], Result],
    batches: Iterable[Sequence[Item]],
    *,
    workers: int,
    on_crash: Callable[[Item], Result],
) -> Iterator[Result]:
    """Apply a function to batches, in whatever order they are done.

    Args:
        function: of a batch; a module's function (processes get it by name).
        batches: read as they are needed.
        workers: processes; 0 for this one.
        on_crash: the result of an item on which a process died twice, alone the second time (never with 0).

    Raises:
        UsageError: no process can be started at all.

    Yields:
        The result of each batch; of a batch that was with a process that died, one result for each item.
    """
    if workers == 0:
        yield from map(function, batches)
        return
    coming = iter(batches)
    while True:
        unfinished: list[Sequence[Item]] = []
        with _pool(workers) as pool:
            _check_alive(pool)
            yield from _drain(pool, function, coming, workers * _IN_FLIGHT, unfinished)
        if not unfinished:
            return
        for batch in unfinished:
            yield from _one_by_one(function, batch, on_crash)


def _check_alive(pool: ProcessPoolExecutor) -> None:
    """Whether a process lives before it has any work: or else every file would be blamed for its death."""
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        raise UsageError(
            "no process for measuring can be started. In a script of your own, what calls this must stand below "
            "'if __name__ == \"__main__\":'; or measure in this process, with workers=0"
        ) from None


def _drain(
    pool: ProcessPoolExecutor,
    function: Callable[[Sequence[Item]], Result],
    batches: Iterator[Sequence[Item]],
    in_flight: int,
    unfinished: list[Sequence[Item]],
) -> Iterator[Result]:
    """Results until there are no batches, or a process died: `unfinished` then holds what was at work."""
    running: dict[Future[Result], Sequence[Item]] = {}
    try:
        while True:
            while not unfinished and len(running) < in_flight and (some := list(islice(batches, 1))):
                try:
                    running[pool.submit(function, some[0])] = some[0]
                except BrokenProcessPool:
                    unfinished.append(some[0])
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                batch = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    unfinished.append(batch)
    finally:  # an interruption must not wait for what nobody will read
        for future in running:
            future.cancel()


def _one_by_one(
    function: Callable[[Sequence[Item]], Result], batch: Sequence[Item], on_crash: Callable[[Item], Result]
) -> Iterator[Result]:
    """Each item in a process of its own as long as processes die."""
    left = list(batch)
    while left:
        with _pool(1) as pool:
            try:
                while left:
                    yield pool.submit(function, left[:1]).result()
                    left.pop(0)
            except BrokenProcessPool:
                yield on_crash(left.pop(0))


def _pool(workers: int) -> ProcessPoolExecutor:

    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for work for ever."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
