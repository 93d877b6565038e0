"""The shelf between reading and writing: in order, bounded, and nobody waits for it for ever."""

import threading

from central.ingest.reading import BACKLOG, Incoming
from central.ingest.shelf import Shelf
from sync.log.messages import Hello
from sync.log.records import GENESIS
from tests.central.ingest.processes import WAIT_S
from tests.central.ingest.sending import NORTH, NOW, batch, log_id, visits


def incoming(*sizes: int) -> list[Incoming]:
    """Messages of these sizes."""
    hello = Hello(log_id=log_id(), oldest=1, head=0, head_hash=GENESIS)
    return [Incoming(NORTH, hello, NOW, size=size) for size in sizes]


def bulk(*sizes: int) -> list[Incoming]:
    """Batches of a backlog of these sizes."""
    message = batch(*visits(1, BACKLOG))
    return [Incoming(NORTH, message, NOW, size=size) for size in sizes]


class Filling(threading.Thread):
    """Somebody who puts something there, and may have to wait."""

    def __init__(self, shelf: Shelf, what: list[Incoming]) -> None:
        super().__init__()
        self._shelf, self._what = shelf, what
        self.start()

    def run(self) -> None:
        self._shelf.put(self._what)


def test_what_came_is_taken_together_in_its_order() -> None:
    shelf, first, second = Shelf(10, 1000), incoming(1, 2), incoming(3)
    shelf.put(first)
    shelf.put(second)
    assert shelf.take(0) == [*first, *second]
    assert shelf.take(0) == []


def test_whoever_brings_more_waits_until_something_is_taken() -> None:
    for shelf in (Shelf(2, 1000), Shelf(10, 600)):
        first, more = incoming(500, 500), incoming(1)
        shelf.put(first)
        waiting = Filling(shelf, more)
        assert shelf.take(WAIT_S) == first
        waiting.join(WAIT_S)
        assert shelf.take(WAIT_S) == more


def test_what_is_part_of_a_backlog_waits_for_more_of_it() -> None:
    shelf, first, more = Shelf(10, 1000, WAIT_S), bulk(600), bulk(400)
    shelf.put(first)
    filling = Filling(shelf, more)
    assert shelf.take(WAIT_S) == [*first, *more]
    filling.join(WAIT_S)


def test_a_backlog_that_has_no_more_is_taken_as_it_is() -> None:
    shelf, first = Shelf(10, 1000, 0.0), bulk(600)
    shelf.put(first)
    assert shelf.take(WAIT_S) == first


def test_what_somebody_waits_for_is_taken_at_once_and_the_backlog_along() -> None:
    shelf, first, urgent = Shelf(10, 1000, 100 * WAIT_S), bulk(600), incoming(1)
    shelf.put(first)
    filling = Filling(shelf, urgent)
    assert shelf.take(WAIT_S) == [*first, *urgent]
    filling.join(WAIT_S)


def test_a_closed_one_lets_go_whoever_waits_and_keeps_nothing_more() -> None:
    shelf, first = Shelf(1, 1000), incoming(1)
    shelf.put(first)
    waiting = Filling(shelf, incoming(2))
    shelf.close()
    waiting.join(WAIT_S)
    assert not waiting.is_alive()
    assert shelf.take(0) == first
