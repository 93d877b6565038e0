"""Which state message is news: by boot, connection, and time since boot."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction
from msgspec.structs import replace

from central.registry.models import KNOWN_BOOTS, OFFLINE_AFTER, Gate
from central.registry.states import boot_name, take_back, take_state
from sync.contract.alarms import DeviceReport, StateMessage
from tests.central.ingest.sending import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


def boot(number: int) -> str:
    """A boot id."""
    return f"{number:032x}"


def online(number: int, connection: int, mono_ms: int, door: str = "locked") -> StateMessage:
    """A state of an online gate."""
    return StateMessage(online=True, boot=boot(number), connection=connection, mono_ms=mono_ms, door=door)


def will(number: int, connection: int) -> StateMessage:
    """A last will, as it was made with its connection."""
    return StateMessage(online=False, boot=boot(number), connection=connection)


@pytest.fixture
def gate() -> Gate:
    """A gate of which nothing was heard."""
    return Gate.objects.create(pk="north-gate", admitted=True)


def test_it_is_known_when_the_gates_clock_was_told(gate: Gate) -> None:
    take_state(gate, online(1, 1, 500), NOW)
    assert take_state(gate, online(1, 2, 500), NOW + timedelta(seconds=9))  # the same moment, delivered once more
    gate.last_heard = NOW + timedelta(seconds=9)  # a batch came
    assert (gate.mono_ms, gate.state_at) == (500, NOW)
    take_state(gate, online(1, 2, 10_500), NOW + timedelta(seconds=10))
    assert (gate.mono_ms, gate.state_at) == (10_500, NOW + timedelta(seconds=10))
    take_state(gate, will(1, 2), NOW + timedelta(seconds=20))
    assert (gate.mono_ms, gate.state_at) == (10_500, NOW + timedelta(seconds=10))


def test_the_first_state_is_taken_and_the_gate_is_online_for_a_while(gate: Gate) -> None:
    assert not gate.is_online(NOW)
    assert take_state(gate, online(1, 1, 500, "free"), NOW)
    gate.refresh_from_db()
    assert (gate.boot, gate.connection, gate.mono_ms, gate.door) == (boot(1), 1, 500, "free")
    assert gate.is_online(NOW + OFFLINE_AFTER)
    assert not gate.is_online(NOW + OFFLINE_AFTER + timedelta(seconds=1)), "a broker may be slow to send the will"


def test_a_goodbye_is_a_whole_state_and_no_sign_of_life(gate: Gate) -> None:
    take_state(gate, replace(online(1, 1, 500), log_id="a" * 32, head=7), NOW)
    goodbye = replace(online(1, 1, 900), online=False, log_id="a" * 32, head=12)
    for later in (1, 2):
        take_state(gate, goodbye, NOW + timedelta(hours=later))
        assert (gate.said_online, gate.head, gate.last_heard) == (False, 12, NOW)
    assert not take_state(gate, replace(goodbye, connection=0, head=3), NOW), "late"
    of_a_boot_nobody_heard = replace(online(2, 4, 100), online=False, log_id="a" * 32, head=20)
    assert take_state(gate, of_a_boot_nobody_heard, NOW + timedelta(hours=3))
    assert (gate.boot, gate.said_online, gate.head, gate.last_heard) == (boot(2), False, 20, NOW)
    assert not take_state(gate, goodbye, NOW + timedelta(hours=4)), "that boot is over"
    assert not take_state(gate, replace(online(2, 4, 50)), NOW + timedelta(hours=4)), "late by that connection"
    assert take_state(gate, online(2, 5, 200), NOW + timedelta(hours=4))
    assert gate.is_online(NOW + timedelta(hours=4))


def test_devices_that_a_state_leaves_out_are_as_they_were_told_last(gate: Gate) -> None:
    told = replace(online(1, 1, 500), devices=(DeviceReport(name="lamp", state="lost", frames=7),))
    take_state(gate, told, NOW)
    take_state(gate, online(1, 1, 600, "free"), NOW)
    assert (gate.door, [(each["name"], each["state"]) for each in gate.devices]) == ("free", [("lamp", "lost")])
    take_state(gate, replace(online(1, 1, 700), devices=()), NOW)
    assert gate.devices == []


def test_a_retained_state_delivered_again_is_no_sign_of_life(gate: Gate) -> None:
    later = NOW + timedelta(seconds=20)
    take_state(gate, online(1, 1, 500), NOW)
    take_state(gate, online(1, 1, 500), later)
    assert gate.last_heard == NOW
    take_state(gate, online(1, 1, 501), later)
    assert gate.last_heard == later


def test_an_older_state_of_the_same_connection_changes_nothing(gate: Gate) -> None:
    take_state(gate, online(1, 1, 500, "free"), NOW)
    assert not take_state(gate, online(1, 1, 499, "forced"), NOW)
    gate.refresh_from_db()
    assert (gate.mono_ms, gate.door) == (500, "free")


def test_a_will_puts_the_gate_offline_unless_it_has_come_back(gate: Gate) -> None:
    take_state(gate, online(1, 3, 500), NOW)
    assert not take_state(gate, will(1, 2), NOW), "an earlier connection's"
    assert gate.is_online(NOW)
    assert take_state(gate, will(1, 3), NOW)
    assert not gate.is_online(NOW)
    assert take_state(gate, online(1, 4, 600), NOW)
    assert gate.is_online(NOW)


def test_what_a_dead_connection_still_brings_does_not_wake_it(gate: Gate) -> None:
    take_state(gate, online(1, 3, 500), NOW)
    take_state(gate, will(1, 3), NOW)
    assert not take_state(gate, online(1, 3, 500), NOW)
    assert not take_state(gate, online(1, 3, 501), NOW)
    assert not Gate.objects.get().said_online


def test_a_new_boot_is_news_and_the_old_one_never_again(gate: Gate) -> None:
    take_state(gate, online(1, 9, 999_000), NOW)
    assert take_state(gate, online(2, 10, 5), NOW)
    assert not take_state(gate, online(1, 99, 999_999), NOW)
    assert not take_state(gate, will(1, 9), NOW)
    gate.refresh_from_db()
    assert (gate.boot, gate.earlier_boots, gate.mono_ms, gate.said_online) == (boot(2), [boot(1)], 5, True)


def test_of_two_machines_the_one_that_goes_on_counts_again(gate: Gate) -> None:
    take_state(gate, online(1, 9, 999_000), NOW)
    take_state(gate, online(2, 10, 5), NOW)  # somebody's copy of its card
    early, late = NOW + timedelta(seconds=60), NOW + timedelta(seconds=120)
    assert not take_back(gate, online(1, 99, 1_059_000), early), "the copy may still be there"
    assert take_back(gate, online(1, 99, 1_119_000, "forced"), late)
    gate.refresh_from_db()
    assert (gate.boot, gate.earlier_boots, gate.door, gate.state_at) == (boot(1), [boot(2)], "forced", late)
    assert take_state(gate, online(1, 99, 1_149_000), late)
    assert not take_state(gate, online(2, 11, 9_000), late)


def test_one_that_has_said_that_it_goes_need_not_be_waited_for_as_long(gate: Gate) -> None:
    take_state(gate, online(1, 9, 999_000), NOW)
    take_state(gate, online(2, 10, 5), NOW)
    take_state(gate, will(2, 10), NOW + timedelta(seconds=1))
    assert not take_back(gate, online(1, 99, 1_019_000), NOW + timedelta(seconds=20)), "it may be coming back"
    assert take_back(gate, online(1, 99, 1_029_000), NOW + timedelta(seconds=30))
    assert gate.is_online(NOW + timedelta(seconds=30))


def test_a_will_of_a_boot_that_the_office_does_not_know_is_of_no_connection(gate: Gate) -> None:
    take_state(gate, online(1, 1, 500), NOW)
    assert not take_state(gate, will(2, 1), NOW)
    assert gate.is_online(NOW)
    assert gate.earlier_boots == []


def test_only_the_last_boots_are_remembered(gate: Gate) -> None:
    for number in range(1, KNOWN_BOOTS + 5):
        take_state(gate, online(number, number, 5), NOW)
    gate.refresh_from_db()
    assert gate.earlier_boots == [boot(number) for number in range(4, KNOWN_BOOTS + 4)]


def test_one_boot_in_any_spelling() -> None:
    dashed = "01234567-89AB-cdef-0123-456789abcdef"
    assert boot_name(dashed) == boot_name(bytes.fromhex("0123456789abcdef0123456789abcdef"))


def test_any_order_of_two_connections_ends_the_same(gate: Gate) -> None:
    story = [online(1, 1, 100), online(1, 1, 200, "free"), will(1, 1), online(1, 2, 300), online(1, 2, 400, "forced")]
    ends = set()
    for order in permutations(story):
        with transaction.atomic():
            gate.refresh_from_db()
            for message in order:
                take_state(gate, message, NOW)
            ends.add((gate.boot, gate.connection, gate.mono_ms, gate.door, gate.said_online))
            transaction.set_rollback(True)
    assert ends == {(boot(1), 2, 400, "forced", True)}


def test_words_are_cut_to_what_the_columns_hold(gate: Gate) -> None:
    long = StateMessage(online=True, boot=boot(1), connection=1, version="v" * 64, mode="m" * 64, door="d" * 64)
    take_state(gate, long, NOW)
    gate.refresh_from_db()
    assert (len(gate.version), len(gate.mode), len(gate.door)) == (32, 32, 32)


def test_no_more_counts_as_acknowledged_than_was_written(gate: Gate) -> None:
    state = StateMessage(online=True, boot=boot(1), connection=1, mono_ms=500, head=32, acked=33)
    assert take_state(gate, state, NOW)
    gate.refresh_from_db()
    assert (gate.head, gate.acked) == (32, 32)
