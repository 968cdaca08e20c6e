"""One function over many items in several processes, where an item that kills its process costs only itself.

Each process holds its own pipe and one item at a time, so that after a crash (a segfault in a decoder, the system's
out-of-memory killer) it is known which item was to blame; `concurrent.futures` only knows that its pool is broken.
Processes are spawned: forking is unsafe once libraries run threads.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Generic, NoReturn, TypeVar

from mesoscope.errors import MesoscopeError, UsageError

In = TypeVar("In")
Out = TypeVar("Out")
MANY_DEATHS = 20
"""So many items in a row that end their process are no bad luck: the run stops."""
_PATIENCE_S = 5.0
_GONE = (EOFError, ConnectionError)
"""What a pipe says when the other process has ended."""


@dataclass(frozen=True, slots=True)
class Died:
    """Instead of a result: the process ended while it worked on the item.

    Attributes:
        reason: a clause (``the process was ended by SIGSEGV``).
    """

    reason: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """A process has opened what it needs."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """A process met an error that concerns the whole run."""

    error: MesoscopeError


@dataclass(slots=True, eq=False)
class _Hand(Generic[In]):
    """A process, its pipe, and the item it works on."""

    process: BaseProcess
    pipe: Connection[Any, Any]
    item: In | None = None
    ready: bool = False


def spread(
    opener: Callable[[], Callable[[In], Out]], items: Iterable[In], workers: int
) -> Generator[tuple[In, Out | Died], None, None]:
    """Work on items in several processes.

    Args:
        opener: makes the function, once in each process; it, items and results must be picklable.
        items: read lazily, one ahead of each process; none of them None.
        workers: number of processes.

    Yields:
        Each item with its result, in the order of finishing. Closing the iterator ends the processes.

    Raises:
        MesoscopeError: as the opener or the function raised it: such errors concern the whole run. Or a process
            cannot be started, or `MANY_DEATHS` items in a row ended theirs.
    """
    source = iter(items)
    deaths = 0
    hands: list[_Hand[In]] = []
    try:
        hands += [_start(opener) for _ in range(workers)]
        while hands:
            for pipe in wait([hand.pipe for hand in hands]):
                hand = next(hand for hand in hands if hand.pipe is pipe)
                item = hand.item
                answer = _receive(hand)
                if item is not None:
                    deaths = deaths + 1 if isinstance(answer, Died) else 0
                    yield item, answer
                if deaths >= MANY_DEATHS:
                    raise MesoscopeError(
                        f"{deaths} files in a row ended the process that read them, the last one because "
                        f"{answer.reason}; something is wrong with this machine or this installation "
                        "(afterwards --retry takes these files up again)"
                    )
                if isinstance(answer, Died):
                    hands.remove(hand)
                    hand = _start(opener)
                    hands.append(hand)
                elif not _give(hand, source):
                    hands.remove(hand)
    finally:
        _end(hands)


def _start(opener: Callable[[], Callable[[In], Out]]) -> _Hand[In]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, opener), daemon=True)
    try:
        with _deaf_to_interrupts():
            process.start()
    except OSError as error:
        raise MesoscopeError(f"a worker process could not start: {error.strerror or error}") from error
    finally:
        theirs.close()  # or the process's end would never be seen
    return _Hand(process, ours)


def _receive(hand: _Hand[In]) -> Any:  # noqa: ANN401 - a result, `Died`, or (before the first item) `_Ready`
    try:
        answer = hand.pipe.recv()
    except _GONE:
        hand.process.join()
        hand.pipe.close()
        reason = _ending(hand.process.exitcode)
        if not hand.ready:
            raise MesoscopeError(f"a worker process could not start: {reason}") from None
        return Died(reason)
    if isinstance(answer, _Refused):
        raise answer.error
    hand.ready = True
    return answer


def _give(hand: _Hand[In], source: Iterator[In]) -> bool:
    """Hand out the next item; False where there is none, and the process has been told to end."""
    hand.item = next(source, None)
    with suppress(*_GONE):  # it died while idle: the next `recv` says so, and the item is told of as lost
        hand.pipe.send(hand.item)
    if hand.item is None:
        hand.process.join()
        hand.pipe.close()
        return False
    return True


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"


def _end(hands: list[_Hand[In]]) -> None:
    for hand in hands:
        hand.process.terminate()
    for hand in hands:
        hand.process.join(_PATIENCE_S)
        if hand.process.is_alive():
            hand.process.kill()
            hand.process.join()
        hand.pipe.close()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started inside ignore Ctrl-C, which a terminal sends to all of them: ending them is our task."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection[Any, Any], opener: Callable[[], Callable[[In], Out]]) -> None:
    """What a process does: work until it is told to end, or until nobody is left to tell it."""
    signal.signal(signal.SIGTERM, _leave)
    with suppress(*_GONE):
        try:
            work = opener()
            pipe.send(_Ready())
            while (item := pipe.recv()) is not None:
                pipe.send(work(item))
        except MesoscopeError as error:
            # of the error's own class only what ends with another exit code is kept: not every error can be pickled
            told = UsageError if isinstance(error, UsageError) else MesoscopeError
            pipe.send(_Refused(told(str(error))))


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)  # unwinds, so that no half-written file stays
