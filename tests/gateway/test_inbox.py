"""The inbox: order kept, readings coalesce, edges never drop."""

import threading

from gateway.core.events import DoorContact, ExitRequested, TemperatureMeasured
from gateway.inbox import LIMIT, Inbox


def measured(value: float, thermometer: str = "t") -> TemperatureMeasured:
    return TemperatureMeasured(thermometer=thermometer, object_c=value, ambient_c=24.0)


def drain(inbox: Inbox) -> list[object]:
    found = []
    while (event := inbox.get(0)) is not None:
        found.append(event)
    return found


def test_events_come_in_their_order() -> None:
    inbox = Inbox()
    events = [DoorContact(True), ExitRequested(), DoorContact(False)]
    for event in events:
        inbox.post(event)
    assert drain(inbox) == events


def test_the_newest_measurement_of_a_thermometer_is_the_one_that_waits() -> None:
    inbox = Inbox()
    for event in (measured(36.0), DoorContact(True), measured(40.0, "other"), measured(36.5)):
        inbox.post(event)
    assert drain(inbox) == [DoorContact(True), measured(40.0, "other"), measured(36.5)]


def test_edges_are_never_dropped() -> None:
    inbox = Inbox()
    for number in range(LIMIT + 100):
        inbox.post(DoorContact(number % 2 == 0))
    assert len(drain(inbox)) == LIMIT + 100


def test_close_wakes_the_reader_after_what_was_posted() -> None:
    inbox = Inbox()
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.extend([inbox.get(None), inbox.get(None)]))
    reader.start()
    inbox.post(ExitRequested())
    inbox.close()
    reader.join(timeout=5)
    assert not reader.is_alive()
    assert found == [ExitRequested(), None]
