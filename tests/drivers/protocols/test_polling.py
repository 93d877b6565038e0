"""Asking: one question at a time, and no answer for another one. By GD60914 and Modbus, whose frames are tested beside."""

from drivers.protocols.gd60914 import Gd60914Link
from drivers.protocols.infrared import FIRST_MS
from drivers.protocols.modbus import ModbusLink, Register, Registers, Status, Table
from drivers.protocols.polling import EVERY_MS, Pace
from drivers.protocols.quantity import Quantity
from drivers.readings import DeviceState, Temperature
from drivers.serial_device import PROBE_MS
from tests.drivers.protocols.test_modbus import answer

TENTHS = Quantity(-40, 300, 10.0)
APART = Registers(Table.INPUT, Register(18, TENTHS), Register(20, TENTHS), Status(21, 1), apart=True)
PACE = Pace()


def test_a_question_is_asked_once_until_it_is_answered_or_given_up() -> None:
    link = ModbusLink(0, APART)
    asked = link.ask(0)
    assert asked
    assert [link.ask(now_ms) for now_ms in (1, 100, PACE.silent_ms - 1)] == [b"", b"", b""]
    assert link.ask(PACE.silent_ms) == b""  # given up: first it must be quiet
    assert link.count.timeouts == 1
    assert link.ask(PACE.silent_ms + PACE.quiet_ms - 1) == b""
    assert link.ask(PACE.silent_ms + PACE.quiet_ms) == asked


def test_a_whole_round_is_one_reading() -> None:
    link = ModbusLink(0, APART)
    questions = []
    for number, value in enumerate((366, 241, 0)):
        questions.append(link.ask(number))
        readings = link.feed(answer(value), number)
        assert readings == ([] if number < 2 else [Temperature(36.6, 24.1)])
    assert len(set(questions)) == 3
    assert link.ask(3) == b""
    assert link.ask(EVERY_MS) == questions[0]


def test_a_late_answer_never_counts_for_another_question() -> None:
    """Of three registers with answers alike: were one taken for the next, the object would be the surroundings."""
    link = ModbusLink(0, APART)
    now_ms, readings, late, asked_at = 0, [], [], {18: 366, 20: 241, 21: 0}
    for _ in range(2_000):
        now_ms += 10
        sent = link.ask(now_ms)
        if sent:
            delay_ms = 350 if len(late) % 5 == 2 else 20  # some come after they were given up
            late.append((now_ms + delay_ms, answer(asked_at[sent[3]])))
        due = b"".join(data for at_ms, data in late if at_ms == now_ms)
        readings += link.feed(due, now_ms)
    assert link.count.timeouts > 5
    assert link.count.noise > 0
    assert len(readings) > 5
    assert set(readings) == {Temperature(36.6, 24.1)}


def test_noise_that_goes_on_keeps_it_from_asking() -> None:
    link = ModbusLink(0, APART)
    link.ask(0)
    assert link.ask(PACE.silent_ms) == b""
    for now_ms in range(PACE.silent_ms, 5_000, 50):
        link.feed(b"\x55" * 8, now_ms)
        assert link.ask(now_ms) == b""
    assert link.ask(4_950 + PACE.quiet_ms)


def test_two_questions_without_an_answer_and_it_is_stale() -> None:
    link = ModbusLink(0, Registers(Table.INPUT, Register(18, TENTHS), room_c=20.0))
    link.ask(0)
    assert link.feed(answer(366), 10) == [Temperature(36.6, 20.0)]
    for now_ms in range(20, 1_100, 10):
        link.ask(now_ms)
    assert link.count.timeouts == 2
    assert link.health(1_009)[0] is DeviceState.OK
    assert link.health(1_010) == (DeviceState.STALE, "no reading for 1 s: nothing comes any more (1 frames had come)")


def test_the_rate_is_known_and_so_nothing_is_probed() -> None:
    assert ModbusLink(0, APART, baud=19_200).bauds == (19_200,)
    assert len(Gd60914Link.bauds) * PROBE_MS < FIRST_MS
