"""The inbox: order kept, readings coalesce, edges never drop."""

import logging
import threading

import pytest

from gateway.core import events
from gateway.core.events import DeviceChanged, DoorContact, ExitRequested, TemperatureMeasured
from gateway.inbox import LIMIT, Inbox
from sync.contract.commands import Release
from sync.contract.records import Direction


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


def scanned() -> events.CredentialResolved:
    verdict = events.Verdict(outcome=events.Outcome.UNKNOWN, reason="unknown-code", kind="text", credential="x")
    return events.CredentialResolved(verdict, "camera", Direction.ENTRY, 0)


def full() -> Inbox:
    inbox = Inbox()
    for number in range(LIMIT):
        inbox.post(DoorContact(number % 2 == 0))
    return inbox


NEVER_DROPPED = [
    DoorContact(True),
    events.FireInput(True),
    events.TamperInput(True),
    events.Presence(True),
    events.Crossing(None),
    ExitRequested(),
    events.CallPressed(),
    events.Acknowledge("button"),
    events.GuardRelease("guard"),
    events.ModeOrdered(events.Mode.LOCKDOWN, "guard"),
    events.Registered("1", "guard"),
    events.Committed(1),
    events.CommitFailed(1, "full"),
    events.JournalWorks(),
    events.JournalReplaced("damaged"),
]


@pytest.mark.parametrize("event", NEVER_DROPPED, ids=lambda event: type(event).__name__)
def test_edges_orders_and_answers_are_never_dropped(event: events.Event) -> None:
    inbox = full()
    for _ in range(100):
        inbox.post(event)
    assert drain(inbox)[LIMIT:] == [event] * 100


def test_a_flood_of_scans_is_bounded_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox()
    with caplog.at_level(logging.ERROR):
        for _ in range(LIMIT + 500):
            inbox.post(scanned())
        inbox.post(ExitRequested())
        assert len(caplog.messages) == 1 and str(LIMIT) in caplog.messages[0]
        waited = drain(inbox)
    assert len(waited) == LIMIT + 1 and waited[-1] == ExitRequested()
    assert len(caplog.messages) == 2 and "500 scans and commands were dropped" in caplog.messages[1]
    inbox.post(scanned())
    assert drain(inbox) == [scanned()]


def test_refused_messages_for_one_reason_wait_as_one() -> None:
    inbox = Inbox()
    inbox.post(events.CommandRefused("late", "release 1"))
    for number in range(2 * LIMIT):
        inbox.post(events.CommandRefused("forged"))
        if number == LIMIT:
            inbox.post(ExitRequested())
    inbox.post(events.CommandRefused("late", "release 2", count=2))
    assert drain(inbox) == [
        ExitRequested(),
        events.CommandRefused("forged", count=2 * LIMIT),
        events.CommandRefused("late", "release 2", count=3),
    ]


def test_commands_are_taken_while_there_is_room() -> None:
    command = Release(gate="g", id="0" * 32, boot="0" * 32, not_after_mono=0, by="li")
    inbox = Inbox()
    for _ in range(LIMIT + 500):
        inbox.post(events.Commanded(command))
    inbox.post(ExitRequested())
    assert len(drain(inbox)) == LIMIT + 1


def test_a_device_that_comes_and_goes_does_not_fill_it_and_its_last_state_is_kept() -> None:
    inbox = Inbox()
    inbox.post(DeviceChanged("other", "lost"))
    for number in range(2 * LIMIT):
        inbox.post(DeviceChanged("reader", "ok" if number % 2 else "lost", str(number)))
    waited = drain(inbox)
    assert len(waited) == LIMIT
    assert waited[0] == DeviceChanged("other", "lost")
    assert waited[1:] == [
        DeviceChanged("reader", "ok" if number % 2 else "lost", str(number)) for number in range(LIMIT + 1, 2 * LIMIT)
    ]


def test_a_loss_and_its_end_are_both_told_while_there_is_room() -> None:
    inbox = Inbox()
    changes = [DeviceChanged("presence", "lost"), DeviceChanged("presence", "ok")]
    for change in changes:
        inbox.post(change)
    assert drain(inbox) == changes


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
