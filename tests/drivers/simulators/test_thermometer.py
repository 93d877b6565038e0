"""The simulated thermometer's physics, without a line or a clock."""

from statistics import mean, stdev

from drivers.protocols.frames import FrameReader
from drivers.protocols.gy_mcu90615 import MODULE_FRAME, Command, SensorFault, command
from drivers.readings import Temperature
from drivers.settings import SimulatedThermometerSettings
from drivers.simulators.thermometer import (
    APART_MS,
    EVERY_MS,
    NEAR_MS,
    OWN_HEAT_C,
    TOO_LOW_C,
    ThermometerModel,
)

ROOM_C = 20.0


def model(*, warm_up_s: float = 0, baud: int = 9_600, automatic: bool = True) -> ThermometerModel:
    made = ThermometerModel(
        SimulatedThermometerSettings(room_c=ROOM_C, warm_up_s=warm_up_s), baud=baud, automatic=automatic
    )
    made.power_on(0)
    return made


def readings(data: bytes) -> list[Temperature | SensorFault]:
    return FrameReader(MODULE_FRAME).feed(data)


def test_without_a_person_it_sees_the_room() -> None:
    assert model().values(0) == (ROOM_C, ROOM_C + OWN_HEAT_C)


def test_a_forehead_held_near_is_all_it_sees() -> None:
    sensor = model()
    sensor.approach(36.5, 3, 1_000)
    assert sensor.values(1_000 + NEAR_MS)[0] == 36.5


def test_further_away_it_sees_skin_and_room() -> None:
    seen = []
    for distance_cm in (5, 8, 12, 30):
        sensor = model()
        sensor.approach(36.5, distance_cm, 0)
        seen.append(sensor.values(NEAR_MS)[0])
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == 36.5
    assert ROOM_C < seen[-1] < 22


def test_it_comes_near_and_goes_by_degrees() -> None:
    sensor = model()
    sensor.approach(36.5, 3, 0)
    coming = [sensor.values(at_ms)[0] for at_ms in range(0, NEAR_MS + 1, 20)]
    assert coming == sorted(coming)
    sensor.leave(1_000)
    going = [sensor.values(at_ms)[0] for at_ms in range(1_000, 1_000 + NEAR_MS + 1, 20)]
    assert going == sorted(going, reverse=True)
    assert going[0] == 36.5
    assert going[-1] == coming[0] < ROOM_C + 0.5


def test_the_next_forehead_comes_when_the_last_has_gone() -> None:
    sensor = model()
    sensor.approach(38.4, 3, 0)
    sensor.leave(1_000)
    sensor.approach(36.5, 3, 1_000)
    away = [at_ms for at_ms in range(1_000, 3_000, EVERY_MS) if sensor.values(at_ms)[0] < 32]
    assert len(away) >= 4  # frames without skin, so that the two are told apart
    assert sensor.values(1_000 + APART_MS + NEAR_MS)[0] == 36.5


def test_leaving_twice_or_with_nobody_there_is_nothing() -> None:
    sensor = model()
    sensor.leave(0)
    sensor.approach(36.5, 3, 0)
    sensor.leave(1_000)
    before = sensor.values(1_100)
    sensor.leave(1_050)
    assert sensor.values(1_100) == before


def test_it_reads_too_low_until_it_has_warmed_up_and_again_after_power_was_off() -> None:
    sensor = model(warm_up_s=30)
    assert sensor.values(0) == (ROOM_C - TOO_LOW_C, ROOM_C)
    drift = [sensor.values(at_s * 1_000)[0] for at_s in range(0, 31, 5)]
    assert drift == sorted(drift)
    assert ROOM_C - 0.05 < drift[-1] <= ROOM_C
    sensor.power_on(60_000)
    assert sensor.values(60_000)[0] == ROOM_C - TOO_LOW_C


def test_it_streams_ten_noisy_frames_a_second_in_steps_of_its_resolution() -> None:
    sensor = model()
    data = b""
    for _ in range(200):
        due_ms = sensor.due_ms()
        assert due_ms is not None
        data += sensor.say(due_ms)
    assert sensor.due_ms() == 200 * EVERY_MS
    seen = [each.object_c for each in readings(data)]
    assert len(seen) == 200
    assert abs(mean(seen) - ROOM_C) < 0.02
    assert 0.02 < stdev(seen) < 0.08
    assert all(round(each * 100) % 2 == 0 for each in seen)


def test_frames_that_were_due_long_ago_are_not_made_up_for() -> None:
    sensor = model()
    assert len(readings(sensor.say(10_050))) == 1
    assert sensor.due_ms() == 10_100
    assert sensor.say(10_060) == b""


def test_it_obeys_the_hosts_commands() -> None:
    sensor = model(automatic=False)
    assert (sensor.due_ms(), sensor.say(500)) == (None, b"")
    sensor.hear(command(Command.ONCE)[:2], 500)
    sensor.hear(command(Command.ONCE)[2:] + b"noise", 510)
    assert len(readings(sensor.say(510))) == 1
    assert sensor.due_ms() is None
    sensor.hear(command(Command.STREAM), 600)
    assert sensor.due_ms() == 600


def test_rate_and_automatic_output_change_with_the_next_power_cycle() -> None:
    sensor = model(automatic=False)
    sensor.hear(command(Command.BAUD_115200) + command(Command.AUTOMATIC_ON), 0)
    assert (sensor.baud, sensor.due_ms()) == (9_600, None)
    sensor.power_on(1_000)
    assert (sensor.baud, sensor.due_ms()) == (115_200, 1_000)
    sensor.hear(command(Command.BAUD_9600) + command(Command.AUTOMATIC_OFF), 1_000)
    sensor.power_on(2_000)
    assert (sensor.baud, sensor.due_ms()) == (9_600, None)
