"""What came from outside is read, or refused with a reason; nothing else ever happens."""

import tracemalloc
import zlib
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from central.ingest.reading import Arrived, Message, read
from central.ingest.refusals import Refusals, Refused
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, StateMessage
from sync.contract.topics import MAX_PACKET, Channel
from sync.log.messages import MAX_INFLATED, Gone, Hello, encode
from tests.central.ingest.sending import BOOT, NORTH, NOW, NOW_MS, as_json, batch, log_id, visits

ALARM = Alarm(id=f"{7:032x}", kind=AlarmKind.DOOR_FORCED, portal="main", since_ms=NOW_MS)
ALARM_MESSAGE = AlarmMessage(action=AlarmAction.RAISED, alarm=ALARM, at_ms=NOW_MS, boot=BOOT.hex(), mono_ms=1)
STATE = StateMessage(online=True, boot=BOOT.hex(), connection=1, log_id=log_id(), alarms=(ALARM,), devices=())
GATES_CHANNELS = (Channel.UP, Channel.ALARM, Channel.STATE)


def arrived(channel: Channel, payload: bytes) -> Message:
    """Read a payload."""
    return read(Arrived(NORTH, channel, payload, NOW)).message


def test_what_a_gate_sends_is_read() -> None:
    assert arrived(Channel.ALARM, as_json(ALARM_MESSAGE)) == ALARM_MESSAGE
    assert arrived(Channel.STATE, as_json(STATE)) == STATE
    for message in (batch(*visits(1, 3)), Hello(log_id=log_id(), oldest=1, head=0, head_hash=bytes(32))):
        assert arrived(Channel.UP, encode(message)) == message


@pytest.mark.parametrize("channel", [Channel.DOWN, Channel.CMD])
def test_a_gate_writes_no_other_channel(channel: Channel) -> None:
    with pytest.raises(Refused, match="not a channel that a gate writes"):
        arrived(channel, b"{}")


@given(st.sampled_from(GATES_CHANNELS), st.binary(max_size=2000))
@example(Channel.UP, b"")
@example(Channel.UP, zlib.compress(b"\x81" * 100_000))  # nested deeper than any stack
@example(Channel.STATE, b'{"alarms":' + b"[" * 100_000)
@example(Channel.ALARM, b"\xff\xfe{}")
@example(Channel.ALARM, b'{"alarm":{"id":"\\ud800"}}')
@example(Channel.STATE, b'{"online":true,"boot":"00","connection":NaN}')
def test_random_bytes_are_refused(channel: Channel, payload: bytes) -> None:
    with pytest.raises(Refused):
        arrived(channel, payload)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=6))
def test_a_damaged_batch_is_refused_or_whole(place: int, damage: bytes) -> None:
    good = encode(batch(*visits(1, 3)))
    bad = good[:place] + damage + good[place + len(damage) :]
    try:
        message = arrived(Channel.UP, bad)
    except Refused:
        return
    assert message == batch(*visits(1, 3))


@pytest.mark.parametrize("channel", GATES_CHANNELS)
def test_what_is_too_large_is_refused_by_its_size_alone(channel: Channel) -> None:
    payload = bytes(50 * 1024 * 1024)
    tracemalloc.start()
    with pytest.raises(Refused, match=f"52428800 bytes; at most {MAX_PACKET} are taken"):
        arrived(channel, payload)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1024 * 1024


def test_a_bomb_is_refused_before_it_has_inflated() -> None:
    bomb = zlib.compress(bytes(100 * 1024 * 1024), 9)
    assert len(bomb) < MAX_PACKET
    tracemalloc.start()
    with pytest.raises(Refused, match=f"more than {MAX_INFLATED} bytes"):
        arrived(Channel.UP, bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * MAX_INFLATED


BIG = 2**63


@pytest.mark.parametrize("number", [BIG, -BIG - 1, 10**30])
def test_numbers_that_no_64_bits_hold_are_refused(number: int) -> None:
    messages: list[tuple[Channel, bytes]] = [
        (Channel.ALARM, as_json(ALARM_MESSAGE).replace(b'"mono_ms":1', b'"mono_ms":%d' % number)),
        (Channel.ALARM, as_json(ALARM_MESSAGE).replace(b'"since_ms":%d' % NOW_MS, b'"since_ms":%d' % number)),
        (Channel.ALARM, as_json(ALARM_MESSAGE).replace(b'"count":1', b'"count":%d' % number)),
        (Channel.STATE, as_json(STATE).replace(b'"connection":1', b'"connection":%d' % number)),
        (Channel.STATE, as_json(STATE).replace(b'"inside":0', b'"inside":%d' % number)),
        (Channel.STATE, as_json(STATE).replace(b'"count":1', b'"count":%d' % number)),
    ]
    for channel, payload in messages:
        assert b"%d" % number in payload
        with pytest.raises(Refused):
            arrived(channel, payload)


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="no range"):
        arrived(Channel.UP, encode(Gone(log_id=log_id(), after=5, upto=5, reason="x", hash=bytes(32))))


@pytest.mark.parametrize("boot", ["", "no boot", "0" * 31, "0" * 33, "g" * 32, "\u0660" * 32])
def test_a_boot_that_is_none_is_refused(boot: str) -> None:
    for channel, good in ((Channel.ALARM, as_json(ALARM_MESSAGE)), (Channel.STATE, as_json(STATE))):
        with pytest.raises(Refused, match="boot id"):
            arrived(channel, good.replace(BOOT.hex().encode(), boot.encode()))


@pytest.mark.parametrize(
    "old, new, said",
    [
        (b'"mode":""', b'"mode":"%s"' % (b"x" * 65), "more than 64 characters"),
        (b'"door":""', b'"door":"\\u001b[31m"', "control characters"),
        (b'"devices_lost":[]', b'"devices_lost":["\\u202ecamera"]', "control characters"),
        (b'"devices_lost":[]', b'"devices_lost":[%s]' % b",".join([b'"a"'] * 257), "more than 256"),
        (b'"kind":"door-forced"', b'"kind":"world-ended"', "Invalid enum value"),
        (b'"devices":[]', b'"devices":[%s]' % b",".join([b'{"name":"a","state":"ok"}'] * 33), "more than 32 devices"),
        (b'"devices":[]', b'"devices":[{"name":"\\u001b[31m","state":"ok"}]', "control characters"),
        (b'"devices":[]', b'"devices":[{"name":"a","state":"%s"}]' % (b"x" * 65), "more than 64 characters"),
        (
            b'"devices":[]',
            b'"devices":[{"name":"a","state":"ok","frames":%d}]' % 2**64,
            "that no 64 bits can hold|out of range",
        ),
    ],
)
def test_a_state_out_of_bounds_is_refused(old: bytes, new: bytes, said: str) -> None:
    good = as_json(STATE)
    assert old in good
    with pytest.raises(Refused, match=said):
        arrived(Channel.STATE, good.replace(old, new))


# counting


def test_refusals_are_counted_and_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for second in range(0, 130, 1):
        refusals.refuse(NORTH, f"reason {second}", NOW + timedelta(seconds=second))
    refusals.refuse("south-gate", "another", NOW)
    assert (refusals.total, refusals.counts[NORTH], refusals.counts["south-gate"]) == (131, 130, 1)
    assert [line.getMessage() for line in caplog.records] == [
        "gate north-gate: 1 message(s) refused; the last: reason 0",
        "gate north-gate: 60 message(s) refused; the last: reason 60",
        "gate north-gate: 60 message(s) refused; the last: reason 120",
        "gate south-gate: 1 message(s) refused; the last: another",
    ]


def test_a_fault_of_ours_is_shown_whole_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for _ in range(5):
        try:
            1 / 0  # noqa: B018  to have a real traceback
        except ZeroDivisionError as fault:
            refusals.fault(NORTH, "written", fault, NOW)
    assert refusals.counts[NORTH] == 5
    assert caplog.text.count("Traceback") == 1
    assert "could not be written: ZeroDivisionError('division by zero')" in caplog.text


def test_any_number_of_gate_names_costs_bounded_memory(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for number in range(3000):
        refusals.refuse(f"g{number}", "x", NOW)
    assert (refusals.total, len(refusals.counts)) == (3000, 1001)
    assert refusals.counts["(others)"] == 2000
    assert len(caplog.records) == 1001
