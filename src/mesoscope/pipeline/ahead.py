"""Work that is done ahead of its turn, in order, with a bounded number of results waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def map_ahead(work: Callable[[In], Out], items: Iterable[In], *, workers: int, ahead: int) -> Iterator[Out]:
    """Like `map`, but `ahead` items are being worked on by threads while earlier ones are used.

    Order is kept, `items` is read lazily, and at most `ahead` results wait: memory does not grow with the
    number of items. An exception of `work` is raised where its result would have come.
    """
    waiting: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="mesoscope") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
