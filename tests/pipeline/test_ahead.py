"""Working ahead, in order and bounded."""

import itertools
import threading

import pytest

from mesoscope.pipeline.ahead import map_ahead


def test_order_is_kept() -> None:
    assert list(map_ahead(lambda n: n * n, range(50), workers=3, ahead=7)) == [n * n for n in range(50)]


def test_an_endless_source_is_read_no_further_than_ahead() -> None:
    taken = itertools.count()
    read: list[int] = []

    def source() -> itertools.count:  # type: ignore[type-arg]
        for number in taken:
            read.append(number)
            yield number

    results = map_ahead(lambda n: n, source(), workers=2, ahead=4)
    assert [next(results) for _ in range(10)] == list(range(10))
    assert len(read) <= 10 + 4 + 1
    results.close()


def test_an_exception_comes_where_its_result_would_have() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise RuntimeError("three")
        return number

    results = map_ahead(work, range(9), workers=2, ahead=4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="three"):
        next(results)


def test_threads_end_when_the_reader_stops() -> None:
    before = threading.active_count()
    results = map_ahead(lambda n: n, range(1000), workers=4, ahead=4)
    next(results)
    results.close()
    assert threading.active_count() == before
